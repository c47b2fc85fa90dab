"""Where in a portable file each row, write and chunk is: offsets only, in a private database.

SQLite keeps it in a temporary file of its own, gone with the connection, and at most a few MB
of it in memory, so that a file of any size can be read. Names are kept as UTF-8 bytes, whose
order is that of code points.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from lgckpt.archive.layout import Listed
from lgckpt.bulk import Mark, Place

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE threads (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
CREATE TABLE rows (
    thread INTEGER, ns BLOB, id BLOB, etag BLOB, flags INTEGER, start INTEGER, length INTEGER,
    PRIMARY KEY (thread, ns, id)
) WITHOUT ROWID;
CREATE TABLE writes (
    thread INTEGER, ns BLOB, id BLOB, task BLOB, idx INTEGER, start INTEGER, length INTEGER,
    PRIMARY KEY (thread, ns, id, task, idx)
) WITHOUT ROWID;
CREATE TABLE chunks (
    thread INTEGER, hash BLOB, start INTEGER, length INTEGER, PRIMARY KEY (thread, hash)
) WITHOUT ROWID;
"""

_MARKS = """
SELECT ns, id, max(etag), max(flags), sum(count) FROM (
    SELECT * FROM (
        SELECT ns, id, etag, flags, 0 AS count FROM rows
        WHERE thread = :thread {after} ORDER BY ns, id LIMIT :limit
    )
    UNION ALL SELECT * FROM (
        SELECT ns, id, NULL, 0, count(*) FROM writes
        WHERE thread = :thread {after} GROUP BY ns, id ORDER BY ns, id LIMIT :limit
    )
) GROUP BY ns, id ORDER BY ns, id LIMIT :limit
"""


class Span(NamedTuple):
    """A piece of the file."""

    start: int
    length: int


class RowSpan(NamedTuple):
    """A checkpoint's piece, and what its batch's list says of it."""

    etag: bytes
    flags: int
    span: Span


class WriteSpan(NamedTuple):
    """A pending write's name within its place, and its piece."""

    task_id: str
    idx: int
    span: Span


class Index:
    """What a pass over the file found; what comes later stands in place of what came before."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(_SCHEMA)

    def begin(self) -> None:
        """Gather what is added until `commit`, which is faster."""
        self._db.execute("BEGIN")

    def commit(self) -> None:
        """End what `begin` began."""
        self._db.execute("COMMIT")

    def add(self, listed: Listed, start: int) -> None:
        """Note a batch whose items start at an offset."""
        thread = self._register(listed.thread_id)
        rows, writes, chunks = [], [], []
        for row in listed.rows:
            place = row.checkpoint_ns.encode(), row.checkpoint_id.encode()
            rows.append((thread, *place, row.etag, row.flags, start, row.length))
            start += row.length
        for write in listed.writes:
            place = write.checkpoint_ns.encode(), write.checkpoint_id.encode()
            writes.append((thread, *place, write.task_id.encode(), write.idx, start, write.length))
            start += write.length
        for chunk in listed.chunks:
            chunks.append((thread, chunk.hash, start, chunk.length))
            start += chunk.length
        add = self._db.executemany
        add("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        add("INSERT OR REPLACE INTO writes VALUES (?, ?, ?, ?, ?, ?, ?)", writes)
        add("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?, ?)", chunks)

    def threads(self, after: str | None, limit: int) -> list[str]:
        """The threads with rows or writes whose ids come after one, in code point order."""
        found = self._db.execute(
            """
            SELECT id FROM threads WHERE (:after IS NULL OR id > :after)
            AND (EXISTS (SELECT 1 FROM rows WHERE thread = number)
                OR EXISTS (SELECT 1 FROM writes WHERE thread = number))
            ORDER BY id LIMIT :limit
            """,
            {"after": None if after is None else after.encode(), "limit": limit},
        )
        return [name.decode() for (name,) in found]

    def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        given: dict[str, object] = {"thread": self._number(thread_id), "limit": limit}
        where = ""
        if after is not None:
            where = "AND (ns, id) > (:ns, :id)"
            given.update(ns=after[0].encode(), id=after[1].encode())
        found = self._db.execute(_MARKS.format(after=where), given)
        return [Mark(ns.decode(), name.decode(), *rest) for ns, name, *rest in found]

    def row(self, thread_id: str, place: Place) -> RowSpan | None:
        """Where a checkpoint is."""
        found = self._db.execute(
            "SELECT etag, flags, start, length FROM rows WHERE thread = ? AND ns = ? AND id = ?",
            (self._number(thread_id), place[0].encode(), place[1].encode()),
        ).fetchone()
        return None if found is None else RowSpan(found[0], found[1], Span(*found[2:]))

    def writes(self, thread_id: str, place: Place) -> Iterator[WriteSpan]:
        """Where the pending writes of a place are."""
        found = self._db.execute(
            "SELECT task, idx, start, length FROM writes WHERE thread = ? AND ns = ? AND id = ?",
            (self._number(thread_id), place[0].encode(), place[1].encode()),
        )
        for task, idx, start, length in found:
            yield WriteSpan(task.decode(), idx, Span(start, length))

    def chunk(self, thread_id: str, key: bytes) -> Span | None:
        """Where a chunk is."""
        found = self._db.execute(
            "SELECT start, length FROM chunks WHERE thread = ? AND hash = ?",
            (self._number(thread_id), key),
        ).fetchone()
        return None if found is None else Span(*found)

    def close(self) -> None:
        """Drop it."""
        self._db.close()

    def _number(self, thread_id: str) -> int | None:
        found = self._db.execute(
            "SELECT number FROM threads WHERE id = ?", (thread_id.encode(),)
        ).fetchone()
        return None if found is None else int(found[0])

    def _register(self, thread_id: str) -> int | None:
        self._db.execute("INSERT OR IGNORE INTO threads (id) VALUES (?)", (thread_id.encode(),))
        return self._number(thread_id)
