"""Whole threads in and out of SQLite: several places a statement, a page a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from lgckpt.backends.sqlite_connections import Connections
from lgckpt.backends.sqlite_expiry import Expiry
from lgckpt.backends.sqlite_rows import (
    ROW,
    ROW_TYPES,
    WRITE,
    WRITE_TYPES,
    add_chunks,
    batches,
    claims_hold,
    fetch_chunks,
    sweep,
)
from lgckpt.backends.sqlite_schema import select
from lgckpt.backends.sqlite_threads import LIVES, find_tid, now
from lgckpt.backends.sqlite_view import check_entry
from lgckpt.bulk import Batch, ChunkPage, Known, Mark, Place, ThreadPage, claiming
from lgckpt.chunks import collecting, walk
from lgckpt.errors import CorruptCheckpointError
from lgckpt.rows import CheckpointRow, Chunk, Entry, WriteRow

PLACES = 400
"""Places of one statement: two values bound for each, of the 999 that SQLite before 3.32 takes."""

_THREADS = (
    "SELECT t.thread_id FROM lgckpt_threads AS t"
    f" WHERE {LIVES} AND t.thread_id {{above}} ?"
    " AND (EXISTS (SELECT 1 FROM lgckpt_checkpoints AS c WHERE c.tid = t.tid)"
    " OR EXISTS (SELECT 1 FROM lgckpt_writes AS w WHERE w.tid = t.tid))"
    " ORDER BY t.thread_id LIMIT ?"
)

_PLACES_OF = (
    "SELECT * FROM (SELECT {distinct} checkpoint_ns, checkpoint_id FROM lgckpt_{table}"
    " WHERE tid = :tid AND (checkpoint_ns, checkpoint_id) {above} (:ns, :id)"
    " ORDER BY checkpoint_ns, checkpoint_id LIMIT :limit)"
)
_MARKS = (
    f"WITH p AS ({_PLACES_OF.format(distinct='', table='checkpoints', above='{above}')}"
    f" UNION {_PLACES_OF.format(distinct='DISTINCT', table='writes', above='{above}')}"
    " ORDER BY 1, 2 LIMIT :limit)"
    " SELECT p.checkpoint_ns, p.checkpoint_id, c.flags, c.etag,"
    " (SELECT count(*) FROM lgckpt_writes AS w WHERE w.tid = :tid"
    " AND w.checkpoint_ns = p.checkpoint_ns AND w.checkpoint_id = p.checkpoint_id)"
    " FROM p LEFT JOIN lgckpt_checkpoints AS c ON c.tid = :tid"
    " AND c.checkpoint_ns = p.checkpoint_ns AND c.checkpoint_id = p.checkpoint_id"
    " ORDER BY 1, 2"
)
_FIRST_MARKS, _NEXT_MARKS = _MARKS.format(above=">="), _MARKS.format(above=">")

_AT = (
    "WITH p (ns, id) AS (VALUES {places}) SELECT i.checkpoint_ns, i.checkpoint_id,"
    " (d.tid, d.checkpoint_ns, d.checkpoint_id) IS (i.tid, i.checkpoint_ns, i.checkpoint_id),"
    " {columns} FROM p CROSS JOIN lgckpt_{table} AS i"
    " ON i.tid = ? AND i.checkpoint_ns = p.ns AND i.checkpoint_id = p.id"
    " LEFT JOIN lgckpt_{table} AS d ON d.rowid = i.rowid"
)
"""Joined with itself: a damaged index, which is `i` here, names rows of other threads."""


class Bulk:
    """The bulk verbs of `SqliteStorage`."""

    _connections: Connections
    _expiry: Expiry
    _mortal: bool

    def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads that have rows, by name; a cursor is "=" and the last one's."""
        with self._connections.read(snapshot=False) as connection:
            query = _THREADS.format(above=">" if after else ">=")
            found = [row[0] for row in select(connection, query, (now(), after[1:], limit))]
        return ThreadPage(found, f"={found[-1]}" if found and len(found) == limit else None)

    def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, by namespace, then id.

        Raises:
            CorruptCheckpointError: A place has no name.
        """
        query, (ns, checkpoint_id) = (
            (_FIRST_MARKS, ("", "")) if after is None else (_NEXT_MARKS, after)
        )
        with self._connections.read() as connection:
            tid = find_tid(connection, thread_id)
            values = {"tid": tid, "ns": ns, "id": checkpoint_id, "limit": limit}
            found = connection.execute(query, values).fetchall()
        return [_mark(thread_id, one) for one in found]

    def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, and the chunks it needs but for those that are known.

        Raises:
            CorruptCheckpointError: What is there is not a row, or is another place's.
        """
        known, claims = claiming(known)
        with self._connections.read() as connection:
            tid = find_tid(connection, thread_id)
            if tid is None:
                return Batch()
            rows = [
                CheckpointRow(thread_id, *one)
                for one in _at(connection, "checkpoints", thread_id, tid, places)
            ]
            writes = [
                WriteRow(thread_id, *one)
                for one in _at(connection, "writes", thread_id, tid, places)
            ]
            steps = collecting(Batch(rows, writes).refs, sweeps=False, known=known)
            chunks = walk(steps, partial(fetch_chunks, connection, tid))
        return Batch(rows, writes, [Chunk(*one) for one in chunks.items()], list(claims))

    def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction; rows and writes of the same key are replaced.

        False, and nothing stored, if a claim does not hold.
        """
        claims = list(dict.fromkeys(batch.claims))

        def store(connection: sqlite3.Connection) -> bool:
            life = self._expiry.admit(connection, thread_id)
            if not claims_hold(connection, None if life is None else life.tid, claims):
                return False
            if any(batch[:3]):
                tid = self._expiry.number(connection, thread_id, life)
                add_chunks(connection, tid, batch.chunks)
                _store(connection, "checkpoints", ROW, tid, batch.rows)
                _store(connection, "writes", WRITE, tid, batch.writes)
            return True

        stored = self._connections.share(store)
        if self._mortal:
            self._expiry.sweep_sometimes()
        return stored

    def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """A page of a thread's chunks, by hash; a frame that is no bytes comes as an empty one."""
        with self._connections.read() as connection:
            tid = find_tid(connection, thread_id)
            found = connection.execute(
                "SELECT hash, CASE WHEN typeof(frame) = 'blob' THEN frame ELSE x'' END"
                f" FROM lgckpt_chunks WHERE tid = ? AND hash {'>' if after else '>='} ?"
                " ORDER BY hash LIMIT ?",
                (tid, bytes.fromhex(after), limit),
            )
            page = [Chunk(*one) for one in found]
        return ChunkPage(page, page[-1].hash.hex() if page and len(page) == limit else None)

    def reclaim(self, thread_id: str) -> int:
        """Drop the thread's chunks that no row needs; gives how many."""
        with self._connections.write() as connection:
            tid = find_tid(connection, thread_id)
            return 0 if tid is None else sweep(connection, tid)


def _mark(thread_id: str, found: Sequence[Any]) -> Mark:
    ns, checkpoint_id, flags, etag, writes = found
    check_entry(thread_id, Entry(ns, checkpoint_id, None, None, 0))
    if etag is not None and not isinstance(etag, bytes):
        etag = b""
    return Mark(ns, checkpoint_id, etag, flags if isinstance(flags, int) else 0, writes)


def _at(
    connection: sqlite3.Connection, table: str, thread_id: str, tid: int, places: Sequence[Place]
) -> Iterator[list[Any]]:
    """The columns of what a table has at these places, those of the place first."""
    names, types = (ROW, ROW_TYPES) if table == "checkpoints" else (WRITE, WRITE_TYPES)
    columns = ", ".join(f"d.{name}" for name in names.split(", "))
    for some in batches(places, PLACES):
        marks = ",".join(["(?,?)"] * len(some))
        query = _AT.format(places=marks, columns=columns, table=table)
        for ns, checkpoint_id, own, *cells in connection.execute(
            query, [*(part for place in some for part in place), tid]
        ):
            if not own or tuple(map(type, cells)) not in types:
                raise CorruptCheckpointError(
                    "a cell of a row has no value of its type"
                    if own
                    else "an index of the SQLite database names another row",
                    thread_id=thread_id,
                    checkpoint_ns=ns,
                    checkpoint_id=checkpoint_id,
                )
            yield [ns, checkpoint_id, *cells]


def _store(
    connection: sqlite3.Connection,
    table: str,
    columns: str,
    tid: int,
    rows: Sequence[CheckpointRow] | Sequence[WriteRow],
) -> None:
    """Store rows in place of those of the same key."""
    connection.executemany(
        f"INSERT OR REPLACE INTO lgckpt_{table} (tid, checkpoint_ns, checkpoint_id, {columns})"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        [(tid, *row[1:]) for row in rows],
    )
