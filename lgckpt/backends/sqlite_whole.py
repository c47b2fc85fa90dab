"""Several small threads at once in and out of SQLite: a statement for many rows of all of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from lgckpt.backends.sqlite_connections import Connections
from lgckpt.backends.sqlite_expiry import Expiry
from lgckpt.backends.sqlite_rows import (
    ROW,
    ROW_TYPES,
    WRITE,
    WRITE_TYPES,
    batches,
    claims_hold,
    fetch_chunks,
    marks,
)
from lgckpt.backends.sqlite_threads import find_tid
from lgckpt.bulk import WRITES_A_PLACE, Batch, Room
from lgckpt.chunks import collecting, walk
from lgckpt.rows import CheckpointRow, Chunk, WriteRow

TOGETHER = 500
"""Most values bound in one INSERT of several rows: SQLite before 3.32 takes 999 in all."""

AT_ONCE = 16
"""Rows read before their size is looked at."""

Types = frozenset[tuple[type, ...]]


def _query(table: str, columns: str) -> str:
    """All of a thread, its id in front, but for rows that are not its own.

    Joined with itself: a damaged index, which is `i` here, names rows of other threads.
    """
    cells = ", ".join(f"d.{name}" for name in columns.split(", "))
    return (
        "SELECT CASE WHEN (d.tid, d.checkpoint_ns, d.checkpoint_id)"
        " IS (i.tid, i.checkpoint_ns, i.checkpoint_id) THEN ?1 END,"
        f" i.checkpoint_ns, i.checkpoint_id, {cells} FROM lgckpt_{table} AS i"
        f" LEFT JOIN lgckpt_{table} AS d ON d.rowid = i.rowid"
        " WHERE i.tid = ?2 LIMIT ?3"
    )


_ROWS, _WRITES = _query("checkpoints", ROW), _query("writes", WRITE)
_KEY = (str, str, str)
_ROW_TYPES: Types = frozenset((*_KEY, *types) for types in ROW_TYPES)
_WRITE_TYPES: Types = frozenset((*_KEY, *types) for types in WRITE_TYPES)


class Whole:
    """The verbs of `SqliteStorage` for several threads."""

    _connections: Connections
    _expiry: Expiry
    _mortal: bool

    def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it, not even what has expired."""
        there: set[str] = set()
        with self._connections.read() as connection:
            for some in batches(thread_ids):
                query = f"SELECT thread_id FROM lgckpt_threads WHERE thread_id IN ({marks(some)})"
                there.update(row[0] for row in connection.execute(query, some))
        return [thread_id not in there for thread_id in thread_ids]

    def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many threads as there is room for; all are of one snapshot."""
        found: list[Batch | None] = []
        size = 0
        with self._connections.read() as connection:
            for thread_id in thread_ids:
                if size >= room.size:
                    break
                reader = _Reader(connection, thread_id, room)
                found.append(reader.read())
                size += reader.size
        return found

    def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads, all in one transaction."""
        stored = self._connections.share(partial(self._store, loads=loads))
        if self._mortal:
            self._expiry.sweep_sometimes()
        return stored

    def _store(
        self, connection: sqlite3.Connection, loads: Sequence[tuple[str, Batch]]
    ) -> list[bool]:
        stored: list[bool] = []
        rows: list[Any] = []
        writes: list[Any] = []
        chunks: list[Any] = []
        for thread_id, batch in loads:
            life = self._expiry.admit(connection, thread_id)
            claims = list(dict.fromkeys(batch.claims))
            holds = claims_hold(connection, None if life is None else life.tid, claims)
            stored.append(holds)
            if holds and any(batch[:3]):
                tid = self._expiry.number(connection, thread_id, life)
                rows += [(tid, *row[1:]) for row in batch.rows]
                writes += [(tid, *row[1:]) for row in batch.writes]
                chunks += [(tid, *chunk) for chunk in batch.chunks]
        _insert(connection, "IGNORE INTO lgckpt_chunks (tid, hash, frame)", chunks)
        for table, columns, some in (("checkpoints", ROW, rows), ("writes", WRITE, writes)):
            into = f"lgckpt_{table} (tid, checkpoint_ns, checkpoint_id, {columns})"
            _insert(connection, f"REPLACE INTO {into}", some)
        return stored


_checkpoint: Callable[[Any], CheckpointRow] = partial(tuple.__new__, CheckpointRow)
_write: Callable[[Any], WriteRow] = partial(tuple.__new__, WriteRow)
"""What `_make` does, without a call of Python's for each row."""


class _Full(Exception):
    """A thread is too large to be read at once, or is not what it should be."""


class _Reader:
    """Reads one thread, as long as there is room for it.

    Attributes:
        size: The bytes read so far.
    """

    def __init__(self, connection: sqlite3.Connection, thread_id: str, room: Room) -> None:
        self._connection = connection
        self._thread_id = thread_id
        self._room = room
        self.size = 0

    def read(self) -> Batch | None:
        """All of it; None for one that cannot be read so."""
        tid = find_tid(self._connection, self._thread_id)
        try:
            return Batch() if tid is None else self._of(tid)
        except _Full:
            return None

    def _of(self, tid: int) -> Batch:
        places, of = self._room.places, (self._thread_id, tid)
        rows = self._all(_ROWS, (*of, places + 1), _ROW_TYPES, places)
        most = WRITES_A_PLACE * places
        writes = self._all(_WRITES, (*of, most + 1), _WRITE_TYPES, most)
        if len({row[1:3] for part in (rows, writes) for row in part}) > places:
            raise _Full
        batch = Batch([*map(_checkpoint, rows)], [*map(_write, writes)])
        if refs := batch.refs:
            chunks = walk(collecting(refs, sweeps=False), partial(self._chunks, tid))
            return batch._replace(chunks=[*map(Chunk._make, chunks.items())])
        return batch

    def _all(
        self, query: str, values: tuple[object, ...], types: Types, most: int
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        cursor = self._connection.execute(query, values)
        while some := cursor.fetchmany(AT_ONCE):
            if not types.issuperset([tuple(map(type, row)) for row in some]):
                raise _Full
            found += some
            if len(found) > most:
                raise _Full
            self._take(sum([len(row[-1]) + len(row[-2]) + len(row[-3]) for row in some]))
        return found

    def _chunks(self, tid: int, wanted: Sequence[bytes]) -> dict[bytes, bytes]:
        found = fetch_chunks(self._connection, tid, wanted)
        self._take(sum(map(len, found.values())))
        return found

    def _take(self, size: int) -> None:
        self.size += size
        if self.size > self._room.size:
            raise _Full


def _insert(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Store rows, many with each statement: between two of them the GIL changes hands."""
    if not rows:
        return
    width = len(rows[0])
    for some in _slices(rows, TOGETHER // width):
        values = ",".join([f"({marks(some[0])})"] * len(some))
        connection.execute(
            f"INSERT OR {into} VALUES {values}", [cell for row in some for cell in row]
        )


def _slices(rows: Sequence[tuple[Any, ...]], most: int) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Rows in slices of few different lengths, so that as few statements are prepared."""
    start = 0
    while start < len(rows):
        while most > len(rows) - start:
            most = (most + 1) // 2
        yield rows[start : start + most]
        start += most
