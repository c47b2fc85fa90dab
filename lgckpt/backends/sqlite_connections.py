"""SQLite connections: one that writes, a few that read, and none across a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from lgckpt import forks
from lgckpt.backends.sqlite_given import (
    AsyncConnection,
    absolute,
    database_of,
    file_of,
    in_memory,
    is_async,
    is_busy,
    is_open,
)
from lgckpt.backends.sqlite_log import Log
from lgckpt.backends.sqlite_schema import select
from lgckpt.backends.sqlite_shared import Shared
from lgckpt.errors import ClosedError, ConfigurationError, StorageError
from lgckpt.watching import TimedLock, Watch

T = TypeVar("T")

IDLE_READERS = 8
"""Reading connections kept open while unused."""

_unsafe: dict[str, str] = {}
"""Files open when this process was forked, and why so: SQLite here would misread their locks."""

_MIDWAY = (
    "this process was forked in the middle of a transaction on it and cannot use it safely; "
    "fork while none is under way"
)
_GIVEN = (
    "this process was forked while a connection given to a saver was open on it and cannot use "
    "it safely; give the saver the path, or make the connection after the fork"
)

CLOSE_TIMEOUT = 5.0
"""Seconds to wait for a write under way; at interpreter exit its thread may be gone for good."""

FORK_TIMEOUT = 10.0
"""Seconds to wait before a fork for what is under way to end."""

_inherited: list[Any] = []
"""What a forked child must neither use nor close: closing would drop the parent's locks."""


class Connections:
    """Opens connections on demand and hands them out.

    A file has one connection that writes, behind a lock, and any number that read
    beside it (WAL). A database in memory, or a connection of the caller's, is a single
    connection behind that lock.

    Args:
        database: A path, a `file:` URI, ":memory:", or a connection that stays the caller's to
            close: an open one is used, of one of aiosqlite the file is opened.
        check: Gives the version of the schema that is there, 0 if there is none.
        create: Makes it, or makes an older one new; called with the writing connection.
        schema: The version that writing needs; any is good enough to read.
        synchronous: "FULL" or "NORMAL", as in SQLite's PRAGMA of that name.
        busy_timeout: How long to wait for another process's transaction, in seconds.
    """

    def __init__(
        self,
        database: str | Path | sqlite3.Connection | AsyncConnection,
        *,
        check: Callable[[sqlite3.Connection], int],
        create: Callable[[sqlite3.Connection], None],
        schema: int,
        synchronous: str = "FULL",
        busy_timeout: float = 60.0,
    ) -> None:
        if synchronous.upper() not in ("FULL", "NORMAL", "EXTRA", "OFF"):
            raise ConfigurationError(f"synchronous is 'FULL' or 'NORMAL', not {synchronous!r}")
        self._given = database if isinstance(database, sqlite3.Connection) else None
        self._lent: sqlite3.Connection | AsyncConnection | None = None
        self.name = self._named(database)
        self._learn_file()
        self._synchronous = synchronous.upper()
        self._busy_timeout = busy_timeout
        self._single = self._given is not None or in_memory(self.name)
        self._closed = False
        self._writer: sqlite3.Connection | None = self._given
        self._log: Log | None = None
        self._idle: list[sqlite3.Connection] = []
        self._watch: Watch | None = None
        self._begin()
        self._forking = self._forked_midway = self._resting = False
        self._check, self._create, self._schema = check, create, schema
        self._ready = self._current = False
        forks.register(self)

    def _begin(self) -> None:
        self._turn = threading.RLock()
        self._gate = threading.Condition()
        self._inside = 0
        self._shared = Shared(self._turn, self._transaction)
        self.watch(self._watch)

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for the writing connection, or nobody."""
        self._watch = watch
        self._lock: Any = self._turn if watch is None else TimedLock(self._turn, watch)
        self._shared.guard(self._lock)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction of its own that ends with the block."""
        with self._using(), self._lock, self._transaction() as connection:
            yield connection

    @property
    def is_file(self) -> bool:
        """Whether it is a file, on which there may be several connections."""
        return not self._single

    @property
    def synchronous(self) -> str:
        """How connections of ours wait for the disk."""
        return self._synchronous

    @contextmanager
    def outside(self) -> Iterator[sqlite3.Connection]:
        """The writing connection, in no transaction."""
        try:
            with self._using(), self._lock:
                yield self._open_writer(writing=True)
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._open_writer(writing=True)
            if connection.in_transaction:
                # A given connection's own work, which the official saver commits too.
                connection.execute("COMMIT")
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                self._committed(connection)
            except BaseException:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection to read with: the writing one while nobody writes, for its warm cache.

        Args:
            snapshot: Whether all that is read in the block is of one snapshot; without, each
                statement has its own, which spares two round trips.
        """
        try:
            with self._using():
                if self._lock.acquire(blocking=self._single):
                    try:
                        yield from _reading(self._open_writer(writing=False), snapshot)
                    finally:
                        self._lock.release()
                    return
                connection = self._take_reader()
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
        query: str,
        parameters: Sequence[object],
    ) -> Any:
        """The first row of one statement: what `read` does, without its cost where that counts."""
        if self._lock.acquire(blocking=self._single):
            try:
                writer = self._writer
                if writer is None or not self._ready or self._closed:
                    writer = self._open_writer(writing=False)
                return select(writer, query, parameters).fetchone()
            except sqlite3.Error as exc:
                raise self._translated(exc) from exc
            finally:
                self._lock.release()
        with self.read(snapshot=False) as connection:
            return select(connection, query, parameters).fetchone()

    def write_one(self, query: str, parameters: Sequence[object]) -> int:
        """How many rows one statement stores in a transaction of its own: `write`, sooner."""
        if self._given is not None:
            with self.write() as connection:
                return connection.execute(query, parameters).rowcount
        if not self._lock.acquire(blocking=False):
            return self.share(lambda writer: writer.execute(query, parameters).rowcount)
        try:
            writer = self._writer
            if writer is None or not self._current or self._closed:
                writer = self._open_writer(writing=True)
            stored = writer.execute(query, parameters).rowcount
            self._committed(writer)
        except sqlite3.Error as exc:
            raise self._translated(exc) from exc
        finally:
            self._lock.release()
        return stored

    def share(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """What a job gives, done in a transaction that other threads' jobs may share."""
        with self._using():
            return self._shared.run(job)

    def _committed(self, connection: sqlite3.Connection) -> None:
        if self._log is not None:
            self._log.committed(connection)

    def _translated(self, exc: sqlite3.Error) -> StorageError:
        """Our error for one of the driver's, with the database's name."""
        lent, why = self._lent, ""
        if self._given is None and lent is not None and is_busy(lent):
            why = " (the aiosqlite connection given is in a transaction: commit that first)"
        return StorageError(f"SQLite database {self.name}: {exc}{why}")

    def close(self) -> None:
        """Close what is open; a reader in use closes when it is given back."""
        self._closed = True
        if not self._lock.acquire(timeout=CLOSE_TIMEOUT):
            return
        try:
            self._close_all()
        finally:
            self._lock.release()

    def _open_writer(self, *, writing: bool) -> sqlite3.Connection:
        self._check_open()
        if self._writer is None:
            self._writer = self._connect()
            # Only these wait for the disk at each commit.
            waits = self._synchronous in ("FULL", "EXTRA") and not self._single
            self._log = Log() if waits else None
        if not (self._current if writing else self._ready):
            self._learn_file()
            if self._writer.in_transaction:
                self._writer.execute("COMMIT")
            found = self._check(self._writer)
            if found < (self._schema if writing else 1):
                self._create(self._writer)
                found = self._schema
            self._ready, self._current = True, found >= self._schema
        return self._writer

    def _named(self, database: object) -> str:
        if is_async(database):
            self._lent = database
            return absolute(database_of(database))
        if isinstance(database, (str, os.PathLike)):
            return absolute(str(database))
        if self._given is not None:
            return "the given connection"
        raise ConfigurationError(
            "a SQLite saver takes a path, a file: URI, a sqlite3.Connection or an "
            f"aiosqlite.Connection, not a {type(database).__name__}"
        )

    def _learn_file(self) -> None:
        """Which file a given connection is on: one bound to a thread says so there alone."""
        if self._given is not None and (file := file_of(self._given)):
            self.name, self._lent = file, self._given

    def _take_reader(self) -> sqlite3.Connection:
        self._check_open()
        with suppress(IndexError):
            return self._idle.pop()
        reader = self._connect()
        # Only what the schema is missing for has to wait for whoever writes.
        if not self._ready and not self._check(reader):
            with self._lock:
                self._open_writer(writing=False)
        reader.execute("PRAGMA query_only = ON")
        return reader

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if self._closed or len(self._idle) >= IDLE_READERS:
            connection.close()
        else:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        if _unsafe and (reason := _unsafe.get(os.path.realpath(self.name))):
            raise StorageError(f"SQLite database {self.name}: {reason}")
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

    def _enter(self) -> None:
        with self._gate:
            while self._forking:
                self._gate.wait()
            self._inside += 1

    def _leave(self) -> None:
        with self._gate:
            self._inside -= 1
            if self._forking:
                self._gate.notify_all()

    @contextmanager
    def _using(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def before_fork(self) -> None:
        """Close the file: SQLite in a child would take its parent's locks for its own.

        It counts the locks of a process by file, and a forked child inherits the count
        but not the locks: its parent may then delete the log that the child writes to.
        """
        with self._gate:
            self._forking = True
            self._gate.wait_for(lambda: not self._inside, FORK_TIMEOUT)
            self._forked_midway = self._inside > 0
        # Single statements on the writing connection pass no gate: they hold its lock only.
        self._resting = self._lock.acquire(timeout=0 if self._forked_midway else FORK_TIMEOUT)
        self._forked_midway = self._forked_midway or not self._resting
        if not self._forked_midway and not self._single:
            self._close_all()

    def after_fork(self, *, child: bool) -> None:
        """Go on; the child opens the file anew, or has a copy of what is in memory."""
        if child:
            self._begin()
            self._forking = False
            if self._lent is not None and is_open(self._lent):
                self._give_up(_GIVEN)
            elif self._forked_midway:
                self._give_up(_MIDWAY)
            return
        if self._resting:
            self._lock.release()
        with self._gate:
            self._forking = self._forked_midway = False
            self._gate.notify_all()

    def _give_up(self, reason: str) -> None:
        """Neither use nor close what is open, and refuse the file to all of this process."""
        _inherited.extend(c for c in (*self._idle, self._writer, self._lent) if c is not None)
        _unsafe[os.path.realpath(self.name)] = reason
        self._idle, self._writer = [], None

    def _close_all(self) -> None:
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None and self._given is None:
            self._writer.close()
        self._writer = self._given


def _reading(connection: sqlite3.Connection, snapshot: bool) -> Iterator[sqlite3.Connection]:
    if not snapshot or connection.in_transaction:
        yield connection
        return
    try:
        connection.execute("BEGIN")
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")
