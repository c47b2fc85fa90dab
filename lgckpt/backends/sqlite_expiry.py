"""Lives of threads: how long, what prolongs them, and how those that ended are cleared away."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable

from lgckpt.backends.sqlite_connections import Connections
from lgckpt.backends.sqlite_threads import (
    Life,
    bury,
    clear,
    expired,
    find_any,
    is_over,
    new_tid,
    now,
)
from lgckpt.errors import LgckptError
from lgckpt.telling import tell

COARSE = 20
"""A life is prolonged only once a part in so many of it has passed, not at every use."""

BATCH = 100
"""Threads that lose their names in one transaction of a sweep."""

PIECE = 50
"""Rows deleted at once; several pieces share a transaction of a sweep."""

HELD = 0.02
"""Seconds after which a transaction of a sweep begins no other piece."""

SWEEP_EVERY = 60.0
"""Seconds between two sweeps that puts begin, at least; a tenth of a shorter life."""

SPARE = 20
"""While there is more to clear away, puts spend at most one part of their time in so many."""

logger = logging.getLogger(__name__)


class Expiry:
    """When threads of one storage expire.

    Args:
        connections: Where threads are.
        ttl: Seconds that a thread lives after its last put; None for ever.
        on_read: Whether reading prolongs its life too.
    """

    def __init__(self, connections: Connections, ttl: float | None, on_read: bool) -> None:
        self._connections = connections
        self._ttl = None if ttl is None else max(1, round(ttl * 1000))
        self._on_read = on_read
        self._every = min(SWEEP_EVERY, (ttl or SWEEP_EVERY) / 10)
        self._next_sweep = 0.0

    def enough(self) -> int | None:
        """The moment up to which a thread must live at least not to be prolonged by a put.

        None where puts make threads live for ever.
        """
        return None if self._ttl is None else now() + self._ttl - self._ttl // COARSE

    def _until(self) -> int | None:
        return None if self._ttl is None else now() + self._ttl

    def admit(self, connection: sqlite3.Connection, thread_id: str) -> Life | None:
        """The thread that a put goes to; one that has expired makes room for a new one."""
        found = find_any(connection, thread_id)
        if found is not None and is_over(found.expires_at):
            bury(connection, [found.tid])
            return None
        return found

    def number(self, connection: sqlite3.Connection, thread_id: str, life: Life | None) -> int:
        """The number of a thread that is put to, which lives on from now."""
        if life is None:
            return new_tid(connection, thread_id, self._until())
        if not _lasts(life.expires_at, self.enough()):
            connection.execute(
                "UPDATE lgckpt_threads SET expires_at = ? WHERE tid = ?", (self._until(), life.tid)
            )
        return life.tid

    def refresh(self, lives: Iterable[Life]) -> None:
        """Prolong the lives of threads that were read; what cannot be is tried by the next read."""
        enough = self.enough() if self._on_read else None
        if enough is None:
            return
        for life in lives:
            if life.expires_at is None or _lasts(life.expires_at, enough):
                continue
            try:
                self._connections.write_one(
                    "UPDATE lgckpt_threads SET expires_at = ?"
                    " WHERE tid = ? AND expires_at > ? AND expires_at < ?",
                    (self._until(), life.tid, now(), enough),
                )
            except LgckptError as exc:
                tell(
                    logger, logging.WARNING, "refresh_failed",
                    "a thread that was read does not live longer for it: %s", exc,
                    database=self._connections.name, error=type(exc.__cause__ or exc).__name__,
                )  # fmt: skip

    def sweep_sometimes(self) -> None:
        """Clear some away after a put, which is done whatever comes of this."""
        started = time.monotonic()
        if started < self._next_sweep:
            return
        self._next_sweep = started + self._every
        try:
            _, more = self._sweep_some()
        except LgckptError as exc:
            tell(
                logger, logging.INFO, "sweep_failed", "no sweep for now: %s", exc,
                database=self._connections.name, error=type(exc.__cause__ or exc).__name__,
            )  # fmt: skip
            return
        if more:
            ended = time.monotonic()
            self._next_sweep = min(self._next_sweep, ended + (ended - started) * SPARE)

    def sweep(self) -> int:
        """Delete the threads that have expired; gives how many.

        Between its transactions others have time for theirs.
        """
        total, more = 0, True
        while more:
            started = time.monotonic()
            ended, more = self._sweep_some()
            total += ended
            if more:
                time.sleep(max(HELD, time.monotonic() - started))
        return total

    def _sweep_some(self) -> tuple[int, bool]:
        """How many threads it ended, and whether there may be more to do."""
        with self._connections.write() as connection:
            deadline = time.monotonic() + HELD
            ended = expired(connection, BATCH)
            bury(connection, ended)
            more = clear(connection, PIECE)
            while more and time.monotonic() < deadline:
                more = clear(connection, PIECE)
        if ended:
            name = self._connections.name
            tell(
                logger, logging.INFO, "sweep", "%s: %d threads that expired were deleted", name,
                len(ended), database=name, threads=len(ended),
            )  # fmt: skip
        return len(ended), more or len(ended) == BATCH


def _lasts(expires_at: object, enough: int | None) -> bool:
    if enough is None:
        return expires_at is None
    return isinstance(expires_at, int) and expires_at >= enough
