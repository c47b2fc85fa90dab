"""Group commit: what threads want to store while one of them commits goes into one transaction.

Whoever gets the lock next stores for all that wait for it, so that they wait for the disk once.
Each job is all or nothing, and returns when what it stored is committed.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, TypeVar

T = TypeVar("T")

MOST = 64
"""Jobs of one transaction, at most."""


class _Job:
    """What one thread waits for.

    Attributes:
        done: It is committed, or failed by itself.
        alone: A transaction that it shared was rolled back, whosever fault that was.
    """

    __slots__ = ("alone", "do", "done", "error", "result")

    def __init__(self, do: Callable[[sqlite3.Connection], Any]) -> None:
        self.do = do
        self.done = self.alone = False
        self.result: Any = None
        self.error: Exception | None = None


class Shared:
    """The jobs that wait for one writing connection.

    Args:
        lock: Whoever holds it uses the connection.
        write: Opens a transaction on the connection, which ends with the block.
    """

    def __init__(
        self,
        lock: AbstractContextManager[Any],
        write: Callable[[], AbstractContextManager[sqlite3.Connection]],
    ) -> None:
        self._lock = lock
        self._write = write
        self._waiting: deque[_Job] = deque()

    def guard(self, lock: AbstractContextManager[Any]) -> None:
        """Take the same lock by another object from now on."""
        self._lock = lock

    def run(self, do: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in a transaction that others may share; it may be done more than once.

        Raises:
            StorageError: It, or the commit, failed.
        """
        job = _Job(do)
        with self._listed(job), self._lock:
            while not job.done:
                if job.alone:
                    self._run_alone(job)
                else:
                    self._run_some()
        if job.error is not None:
            raise job.error
        result: T = job.result
        return result

    @contextmanager
    def _listed(self, job: _Job) -> Iterator[None]:
        self._waiting.append(job)
        try:
            yield
        finally:
            # Only a thread that was interrupted leaves before its job is taken.
            with suppress(ValueError):
                self._waiting.remove(job)

    def _run_some(self) -> None:
        jobs = [job for job in list(self._waiting)[:MOST] if not job.alone]
        if len(jobs) == 1:
            self._run_alone(jobs[0])
            return
        try:
            with self._write() as connection:
                for job in jobs:
                    job.result = job.do(connection)
        except Exception:
            for job in jobs:
                job.alone = True
            return
        for job in jobs:
            self._end(job)

    def _run_alone(self, job: _Job) -> None:
        try:
            with self._write() as connection:
                job.result = job.do(connection)
        except Exception as exc:
            job.error = exc
        self._end(job)

    def _end(self, job: _Job) -> None:
        job.done = True
        self._waiting.remove(job)
