"""Calls from event loops to another thread's loop, and their results back.

Waking a loop from another thread costs a system call and a turn of that loop. Here
whatever is posted before the loop comes to look shares one wake-up, both ways, which is
most of what a call costs where many are under way.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any
from weakref import WeakKeyDictionary

from lgckpt.errors import ClosedError

Run = Callable[..., Coroutine[Any, Any, Any]]


class Mailbox:
    """Where calls to one loop are put.

    Args:
        loop: Runs the calls, in a thread of its own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._posted: deque[_Call] = deque()
        self._woken = self._closed = False
        self._returns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Returns]
        self._returns = WeakKeyDictionary()

    async def call(self, run: Run, args: tuple[Any, ...]) -> Any:
        """Run a coroutine function on the loop; cancelled, it is cancelled there.

        Raises:
            ClosedError: The loop came to its end first.
        """
        home = asyncio.get_running_loop()
        returns = self._returns.get(home)
        if returns is None:
            returns = self._returns.setdefault(home, _Returns(home))
        call = _Call(run, args, home.create_future(), returns)
        self._posted.append(call)
        if not self._woken:
            self._woken = True
            self._wake(self._take)
        if self._closed:
            # Whoever closes looks once more after saying so: one of the two finds the call.
            self._refuse()
        try:
            return await call.future
        except asyncio.CancelledError:
            self._wake(call.cancel)
            raise

    def _wake(self, callback: Callable[[], None]) -> None:
        # In a context of its own: timers of a pool would keep the caller's, with all it holds.
        try:
            self._loop.call_soon_threadsafe(callback, context=Context())
        except RuntimeError:
            self.close()

    def _take(self) -> None:
        # Before looking: what is posted from now on brings a wake-up of its own.
        self._woken = False
        while self._posted:
            self._posted.popleft().start(self._loop)

    def close(self) -> None:
        """Let those go whose calls the loop, which has ended, will not run any more."""
        self._closed = True
        self._refuse()

    def _refuse(self) -> None:
        with suppress(IndexError):
            while True:
                self._posted.popleft().end(None, ClosedError("this saver was closed"))


class _Call:
    """One call: the task that runs it, and the future that its caller waits for."""

    __slots__ = ("_args", "_returns", "_run", "_task", "future")

    def __init__(
        self, run: Run, args: tuple[Any, ...], future: asyncio.Future[Any], returns: _Returns
    ) -> None:
        self._run = run
        self._args = args
        self.future = future
        self._returns = returns
        self._task: asyncio.Task[Any] | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self.future.cancelled():
            self._task = loop.create_task(self._run(*self._args))
            self._task.add_done_callback(self._done)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        if task.cancelled():
            self.end(None, ClosedError("this saver was closed"))
        elif (error := task.exception()) is not None:
            self.end(None, error)
        else:
            self.end(task.result(), None)

    def end(self, result: Any, error: BaseException | None) -> None:
        self._returns.put(self.future, result, error)


class _Returns:
    """Results on their way to one loop."""

    def __init__(self, home: asyncio.AbstractEventLoop) -> None:
        self._wake = home.call_soon_threadsafe
        self._ready: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._woken = False

    def put(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._ready.append((future, result, error))
        if not self._woken:
            self._woken = True
            # A loop that was closed has nobody left who waits.
            with suppress(RuntimeError):
                self._wake(self._deliver)

    def _deliver(self) -> None:
        self._woken = False
        while self._ready:
            future, result, error = self._ready.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
