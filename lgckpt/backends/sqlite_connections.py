"""SQLite connections: one that writes, a few that read, and none across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lgckpt.errors import ClosedError, ConfigurationError, StorageError

IDLE_READERS = 8
"""Reading connections kept open while unused."""

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for a write under way; at interpreter exit its thread may be gone for good."""

_inherited: list[sqlite3.Connection] = []
"""What a forked child must neither use nor close: closing would drop the parent's locks."""


class Connections:
    """Opens connections on demand and hands them out.

    A file has one connection that writes, behind a lock, and any number that read
    beside it (WAL). A database in memory, or a connection of the caller's, is a single
    connection behind that lock.

    Args:
        database: A path, a `file:` URI, ":memory:", or an open connection that stays the
            caller's to close.
        synchronous: "FULL" or "NORMAL", as in SQLite's PRAGMA of that name.
        busy_timeout: How long to wait for another process's transaction, in seconds.
    """

    def __init__(
        self,
        database: str | Path | sqlite3.Connection,
        *,
        synchronous: str = "FULL",
        busy_timeout: float = 60.0,
    ) -> None:
        if synchronous.upper() not in ("FULL", "NORMAL", "EXTRA", "OFF"):
            raise ConfigurationError(f"synchronous is 'FULL' or 'NORMAL', not {synchronous!r}")
        self._given = database if isinstance(database, sqlite3.Connection) else None
        self.name = "the given connection" if self._given is not None else str(database)
        self._synchronous = synchronous.upper()
        self._busy_timeout = busy_timeout
        self._single = self._given is not None or _in_memory(self.name)
        self._closed = False
        self._writer: sqlite3.Connection | None = self._given
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._pid = os.getpid()

    @contextmanager
    def write(self, prepare: Callable[[sqlite3.Connection], None]) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction of its own that ends with the block."""
        self._after_fork()
        with self._lock:
            try:
                connection = self._open_writer(prepare)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                except BaseException:
                    with suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                    raise
            except sqlite3.Error as exc:
                raise self._translated(exc) from exc

    @contextmanager
    def read(
        self, prepare: Callable[[sqlite3.Connection], None], *, snapshot: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """A connection to read with: the writing one while nobody writes, for its warm cache.

        Args:
            prepare: Called with the writing connection before first use.
            snapshot: Whether all that is read in the block is of one snapshot; without, each
                statement has its own, which spares two round trips.
        """
        self._after_fork()
        try:
            if self._lock.acquire(blocking=self._single):
                try:
                    yield from _reading(self._open_writer(prepare), snapshot)
                finally:
                    self._lock.release()
                return
            connection = self._take_reader(prepare)
            try:
                yield from _reading(connection, snapshot)
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    def fetch_one(
        self,
        prepare: Callable[[sqlite3.Connection], None],
        query: str,
        parameters: Sequence[object],
    ) -> Any:
        """The first row of one statement: what `read` does, without its cost where that counts."""
        self._after_fork()
        if not self._lock.acquire(blocking=self._single):
            with self.read(prepare, snapshot=False) as connection:
                return connection.execute(query, parameters).fetchone()
        try:
            return self._open_writer(prepare).execute(query, parameters).fetchone()
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc
        finally:
            self._lock.release()

    def _translated(self, exc: sqlite3.Error) -> StorageError:
        """Our error for one of the driver's, with the database's name."""
        return StorageError(f"SQLite database {self.name}: {exc}")

    def close(self) -> None:
        """Close what is open; a reader in use closes when it is given back."""
        self._closed = True
        if self._pid != os.getpid() or not self._lock.acquire(timeout=CLOSE_TIMEOUT):
            return
        try:
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None and self._given is None:
                self._writer.close()
            self._writer = None
        finally:
            self._lock.release()

    def _open_writer(self, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        self._check_open()
        if self._writer is None:
            self._writer = self._connect()
        prepare(self._writer)
        return self._writer

    def _take_reader(self, prepare: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
        self._check_open()
        with suppress(IndexError):
            return self._idle.pop()
        with self._lock:
            self._open_writer(prepare)
        reader = self._connect()
        reader.execute("PRAGMA query_only = ON")
        return reader

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= IDLE_READERS:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.name,
            timeout=self._busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            uri=self.name.startswith("file:"),
        )
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise ClosedError(f"the saver of SQLite database {self.name} was closed")

    def _after_fork(self) -> None:
        """In a forked child, forget the parent's connections; memory was copied with us."""
        if self._pid == os.getpid():
            return
        self._pid = os.getpid()
        self._lock = threading.RLock()
        if not self._single:
            _inherited.extend(self._idle)
            if self._writer is not None:
                _inherited.append(self._writer)
            self._idle, self._writer = [], None


def _reading(connection: sqlite3.Connection, snapshot: bool) -> Iterator[sqlite3.Connection]:
    if not snapshot:
        yield connection
        return
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("COMMIT")


def _in_memory(name: str) -> bool:
    return (
        name in (":memory:", "")
        or (name.startswith("file:") and "mode=memory" in name)
        or (name.startswith("file::memory:"))
    )
