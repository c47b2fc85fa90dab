"""From a storage's native colour to the other: both colours of one storage.

Over a sync storage, a sync call runs there and then and an async one in a worker
thread. Over an async storage, every call runs on one event loop, the caller's own or
that of a thread of ours, and a sync call waits for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from lgckpt import forks
from lgckpt.errors import ClosedError
from lgckpt.loops import STOP_TIMEOUT, GivenLoop, Loop, LoopThread
from lgckpt.storage import AsyncStorage, SyncStorage
from lgckpt.watching import Submit, Watch, timed_submit

T = TypeVar("T")

_WRITES = frozenset(
    {
        "setup", "put", "put_writes", "edit_thread", "copy_thread", "delete_thread", "load",
        "load_threads",
        "reclaim", "shrink", "close",
    }
)  # fmt: skip
_READERS = 4
_WRITERS = 8
"""Writing threads of a sync backend: those that wait at once share a commit, where it can."""
_LOOK_AFTER = 1.0
"""Seconds between two looks at whether the loop that is waited for still runs."""


class Bridge(Protocol):
    """Both colours of one storage; each is a `lgckpt.storage.Driver`."""

    async def blocking(self, verb: str, *args: Any) -> Any:
        """Run a verb without ever suspending."""

    async def awaiting(self, verb: str, *args: Any) -> Any:
        """Run a verb without blocking the event loop."""

    def watch(self, watch: Watch | None) -> None:
        """Tell of waits and retries from now on, or to nobody."""

    def close(self) -> None:
        """Release everything; safe to call again."""

    async def aclose(self) -> None:
        """Async version of `close`."""


def bridge(storage: SyncStorage | AsyncStorage) -> Bridge:
    """Both colours of a storage of either."""
    return SyncBridge(storage) if storage.colour == "sync" else AsyncBridge(storage)


class Workers:
    """The threads in which a sync backend serves async callers.

    Several write, though the database takes one writer at a time: what they wait for together is
    committed together.
    They belong to no event loop, and a forked child makes its own.
    """

    def __init__(self) -> None:
        self._start()
        forks.register(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._writers: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None

    def submit(self, verb: str, job: Callable[[], T]) -> Future[T]:
        """Have a worker thread do what a verb asks for.

        Raises:
            ClosedError: `shutdown` was called.
        """
        with self._lock:
            if self._ended:
                raise ClosedError("this saver was closed")
            if verb in _WRITES:
                self._writers = self._writers or ThreadPoolExecutor(_WRITERS, "lgckpt-writer")
                return self._writers.submit(job)
            self._readers = self._readers or ThreadPoolExecutor(_READERS, "lgckpt-reader")
            return self._readers.submit(job)

    def shutdown(self) -> None:
        """Let the threads end when they have nothing left to do."""
        with self._lock:
            self._ended = True
            for executor in (self._writers, self._readers):
                if executor is not None:
                    executor.shutdown(wait=False)

    def before_fork(self) -> None:
        """Nothing: the lock is held for no time that matters, and the child gets another."""

    def after_fork(self, *, child: bool) -> None:
        """In the child, start without threads."""
        if child:
            self._start()


class SyncBridge:
    """Over a sync storage."""

    def __init__(self, storage: SyncStorage) -> None:
        self._storage = storage
        self.workers = Workers()
        self._submit: Submit = self.workers.submit

    async def blocking(self, verb: str, *args: Any) -> Any:
        """Run a verb in the calling thread."""
        return getattr(self._storage, verb)(*args)

    async def awaiting(self, verb: str, *args: Any) -> Any:
        """Run a verb in a worker thread, or right here where it never waits."""
        run = getattr(self._storage, verb)
        if self._storage.inline:
            return run(*args)
        return await asyncio.wrap_future(self._submit(verb, partial(run, *args)))

    def watch(self, watch: Watch | None) -> None:
        """See `Bridge.watch`: of waits for a worker thread too."""
        submit = self.workers.submit
        self._submit = submit if watch is None else timed_submit(submit, watch)
        self._storage.watch(watch)

    def close(self) -> None:
        """Close the storage and let the threads end."""
        self.workers.shutdown()
        self._storage.close()

    async def aclose(self) -> None:
        """Close the storage here: it takes no time that matters."""
        self.close()


class AsyncBridge:
    """Over an async storage."""

    def __init__(self, storage: AsyncStorage) -> None:
        self._storage = storage
        self._loop: Loop = LoopThread() if storage.loop is None else GivenLoop(storage.loop)
        forks.register(self)

    async def blocking(self, verb: str, *args: Any) -> Any:
        """Run a verb on the storage's loop, and wait for it."""
        return self._result(self._submit(verb, args))

    async def awaiting(self, verb: str, *args: Any) -> Any:
        """Run a verb on the storage's loop, which may be the one that runs this."""
        return await self._loop.call(getattr(self._storage, verb), args)

    def _submit(self, verb: str, args: tuple[Any, ...]) -> Future[Any]:
        coroutine = getattr(self._storage, verb)(*args)
        try:
            return self._loop.submit(coroutine)
        except BaseException:
            coroutine.close()
            raise

    def _result(self, future: Future[T]) -> T:
        try:
            while True:
                with suppress(FutureTimeoutError):
                    return future.result(_LOOK_AFTER)
                if future.done():
                    return future.result()
                self._loop.check()
        except CancelledError as exc:
            raise ClosedError("this saver was closed") from exc
        except BaseException:
            future.cancel()
            raise

    def watch(self, watch: Watch | None) -> None:
        """See `Bridge.watch`."""
        self._storage.watch(watch)

    def close(self) -> None:
        """Close the storage and end the loop, waiting for that no longer than a while."""
        ending = self._loop.stop(self._storage.close())
        # A saver may be collected, and so closed, on any thread: on the loop's own too.
        if ending is not None and not self._loop.is_running_here():
            with suppress(FutureTimeoutError):
                ending.result(STOP_TIMEOUT)

    async def aclose(self) -> None:
        """Async version of `close`."""
        ending = self._loop.stop(self._storage.close())
        if ending is not None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(ending), STOP_TIMEOUT)

    def before_fork(self) -> None:
        """Nothing: what the storage holds stays the parent's."""

    def after_fork(self, *, child: bool) -> None:
        """In the child, let go of the parent's connections."""
        if child:
            self._storage.forget()
