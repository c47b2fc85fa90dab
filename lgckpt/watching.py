"""What a storage tells whoever watches it: where it is, what waited, what was tried again.

Nobody watches until `lgckpt.instrument` is called, and nothing is measured then: the timed
stand-ins below take the place of a lock or a gate only once there is somebody to tell.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple, Protocol


class Whereabouts(NamedTuple):
    """Where rows are, by the names that OpenTelemetry has for it; never a user or a password.

    Attributes:
        system: `db.system.name`.
        namespace: `db.namespace`: the database.
        address: `server.address`, where there is one server.
        port: `server.port`, likewise.
    """

    system: str
    namespace: str | None = None
    address: str | None = None
    port: int | None = None


class Watch(Protocol):
    """Who is told; called from any thread, and never raises."""

    def waited(self, seconds: float) -> None:
        """Somebody waited for a connection."""

    def retried(self, reason: str) -> None:
        """Something is tried again; the reason is one of a few words."""


class Watchable:
    """What has a watch, or none."""

    _watch: Watch | None = None

    def watch(self, watch: Watch | None) -> None:
        """Tell `watch` from now on, or nobody."""
        self._watch = watch

    def _retried(self, reason: str) -> None:
        if self._watch is not None:
            self._watch.retried(reason)


class TimedLock:
    """A lock of threads; who waits for it is told about.

    Args:
        lock: The lock itself, which others may hold now.
        watch: Is told.
    """

    def __init__(self, lock: Any, watch: Watch) -> None:
        self.lock = lock
        self._watch = watch

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As of the lock; what does not wait is not told about."""
        if not blocking:
            return bool(self.lock.acquire(blocking=False))
        started = perf_counter()
        taken = self.lock.acquire(timeout=timeout)
        self._watch.waited(perf_counter() - started)
        return bool(taken)

    def release(self) -> None:
        """As of the lock."""
        self.lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


class TimedGate:
    """A semaphore of tasks; who waits for it is told about.

    Args:
        gate: The semaphore itself, which others may have passed now.
        watch: Is told.
    """

    def __init__(self, gate: asyncio.Semaphore, watch: Watch) -> None:
        self.gate = gate
        self._watch = watch

    async def __aenter__(self) -> None:
        started = perf_counter()
        await self.gate.acquire()
        self._watch.waited(perf_counter() - started)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.gate.release()


Acquire = Callable[[Any], AbstractAsyncContextManager[Any]]
"""Lends a connection of a pool."""


def timed_acquire(acquire: Acquire, watch: Watch) -> Acquire:
    """`acquire`, and who waits for a connection is told about."""

    @asynccontextmanager
    async def timed(pool: Any) -> AsyncIterator[Any]:
        started = perf_counter()
        async with acquire(pool) as connection:
            watch.waited(perf_counter() - started)
            yield connection

    return timed


Submit = Callable[[str, Callable[[], Any]], Any]
"""Hands a verb's job to a worker thread."""


def timed_submit(submit: Submit, watch: Watch) -> Submit:
    """`submit`, and what waits for a worker is told about."""

    def timed(verb: str, job: Callable[[], Any]) -> Any:
        submitted = perf_counter()

        def run() -> Any:
            watch.waited(perf_counter() - submitted)
            return job()

        return submit(verb, run)

    return timed
