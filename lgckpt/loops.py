"""The event loop that an async storage lives on: the caller's, or one in a thread of ours."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context
from typing import Any, Protocol, TypeVar

from lgckpt import forks
from lgckpt.errors import ClosedError, ConfigurationError
from lgckpt.mailbox import Mailbox, Run

T = TypeVar("T")

FORK_TIMEOUT = 2.0
"""Seconds that a fork waits for the loop to come to rest."""

STOP_TIMEOUT = 10.0
"""Seconds that closing waits for what is under way."""

_inherited: list[object] = []
"""Loops of a forked child's parent: collecting one would unregister the parent's sockets."""


class Loop(Protocol):
    """Where the coroutines of an async storage run."""

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Have a coroutine run on the loop, from any other thread.

        Raises:
            ClosedError: The loop was stopped.
            ConfigurationError: It cannot run it, or the caller would wait for itself.
        """

    async def call(self, run: Run, args: tuple[Any, ...]) -> Any:
        """Run a coroutine function on the loop, from any loop; see `submit`."""

    def is_running_here(self) -> bool:
        """Whether the calling code runs on this loop."""

    def check(self) -> None:
        """Raise if nothing that was submitted can come to an end any more."""

    def stop(self, last: Coroutine[Any, Any, None]) -> Future[None] | None:
        """Run the last coroutine and end; None if there is nothing to wait for."""


class LoopThread:
    """A loop in a daemon thread, started when first needed; a forked child starts its own."""

    def __init__(self) -> None:
        self._begin()
        forks.register(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._mailbox: Mailbox | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._forked = threading.Event()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """See `Loop.submit`."""
        if self.is_running_here():
            raise ConfigurationError("a saver was called from within its own storage")
        with self._lock:
            # In a context of its own: timers of a pool would keep the caller's, with all it holds.
            return Context().run(asyncio.run_coroutine_threadsafe, coroutine, self._started())

    async def call(self, run: Run, args: tuple[Any, ...]) -> Any:
        """See `Loop.call`."""
        if self.is_running_here():
            return await run(*args)
        mailbox = self._mailbox
        if mailbox is None or self._stopped:
            with self._lock:
                self._started()
                mailbox = self._mailbox
        if mailbox is None:
            raise ClosedError("this saver was closed")
        return await mailbox.call(run, args)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._stopped:
            raise ClosedError("this saver was closed")
        if self._loop is None:
            self._loop = Context().run(asyncio.new_event_loop)
            self._mailbox = Mailbox(self._loop)
            run = (_run, self._loop, self._mailbox)
            self._thread = threading.Thread(
                target=Context().run, args=run, name="lgckpt-loop", daemon=True
            )
            self._thread.start()
        return self._loop

    def is_running_here(self) -> bool:
        """See `Loop.is_running_here`."""
        return self._thread is threading.current_thread()

    def check(self) -> None:
        """Nothing: the thread ends with the last coroutine only."""

    def stop(self, last: Coroutine[Any, Any, None]) -> Future[None] | None:
        """See `Loop.stop`."""
        with self._lock:
            stopped, self._stopped = self._stopped, True
            if stopped or self._loop is None or not self._loop.is_running():
                last.close()
                return None
            return asyncio.run_coroutine_threadsafe(_ending(last, self._loop), self._loop)

    def before_fork(self) -> None:
        """Have the thread rest: in the midst of a library, it may hold a lock of that library's.

        OpenSSL, say, which a driver asks for a context at every connection, would then wait in
        the child for a thread that does not exist there.
        """
        loop, self._forked, resting = self._loop, threading.Event(), threading.Event()
        if loop is None or self._stopped or self.is_running_here():
            return
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_rest, resting, self._forked)
            resting.wait(FORK_TIMEOUT)

    def after_fork(self, *, child: bool) -> None:
        """In the child, start anew when first needed."""
        self._forked.set()
        if child:
            stopped = self._stopped
            _inherited.append((self._loop, self._thread, self._mailbox))
            self._begin()
            self._stopped = stopped


class GivenLoop:
    """The loop of a pool or a client that the caller made, and closes."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._process = os.getpid()
        self._stopped = False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """See `Loop.submit`."""
        if self._stopped:
            raise ClosedError("this saver was closed")
        self.check()
        if self.is_running_here():
            raise ConfigurationError(
                "a sync method was called on the event loop that the given pool lives on, which "
                "would wait for itself: use the async method"
            )
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    async def call(self, run: Run, args: tuple[Any, ...]) -> Any:
        """See `Loop.call`."""
        if self.is_running_here():
            if self._stopped:
                raise ClosedError("this saver was closed")
            return await run(*args)
        coroutine = run(*args)
        try:
            return await asyncio.wrap_future(self.submit(coroutine))
        finally:
            coroutine.close()

    def is_running_here(self) -> bool:
        """See `Loop.is_running_here`."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def check(self) -> None:
        """See `Loop.check`."""
        if os.getpid() != self._process:
            # The copy of the loop that a forked child has says of itself that it runs.
            raise ConfigurationError(
                "the given pool belongs to the process that this one was forked from; make another"
            )
        if not self._loop.is_running():
            raise ConfigurationError("the event loop of the given pool is not running")

    def stop(self, last: Coroutine[Any, Any, None]) -> Future[None] | None:
        """Run nothing: what lives on the loop is the caller's to close."""
        self._stopped = True
        last.close()
        return None


def _rest(resting: threading.Event, forked: threading.Event) -> None:
    resting.set()
    forked.wait()


def _run(loop: asyncio.AbstractEventLoop, mailbox: Mailbox) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()
        mailbox.close()


async def _ending(last: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> None:
    try:
        await last
    finally:
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks(loop) if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        loop.call_soon(loop.stop)
