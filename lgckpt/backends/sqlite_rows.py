"""Rows in and out of SQLite, each function within its caller's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeGuard

from lgckpt.chunks import collect, reachable
from lgckpt.rows import (
    HIDDEN,
    CheckpointKey,
    CheckpointRow,
    Chunk,
    Loaded,
    ParentClaim,
    ThreadEdit,
    WriteRow,
)
from lgckpt.storage import Wanted

ROW = "parent_id, run_id, flags, etag, metadata, state, refs"
WRITE = "task_id, idx, task_path, channel, tag, value, refs"
ROW_TYPES = frozenset(
    (parent_id, run_id, int, bytes, bytes, bytes, bytes)
    for parent_id in (str, type(None))
    for run_id in (str, type(None))
)
WRITE_TYPES = frozenset([(str, int, str, str, str, bytes, bytes)])
"""Types of a row's cells after its key: a damaged file gives any type in any column."""

_WRITES_OF = (
    "SELECT w.task_id, w.idx, w.task_path, w.channel, w.tag, CASE WHEN"
    " (w.tid, w.checkpoint_ns, w.checkpoint_id) = (i.tid, i.checkpoint_ns, i.checkpoint_id)"
    " THEN w.value END, w.refs FROM lgckpt_writes AS i LEFT JOIN lgckpt_writes AS w"
    " ON w.rowid = i.rowid WHERE i.tid = ? AND i.checkpoint_ns = ? AND i.checkpoint_id = ?"
)
"""Keys are compared with the index's: a damaged one names rows of other threads."""

_IS_FRAME = "typeof(frame) = 'blob'"
"""A chunk that is no bytes is as good as missing, which its reader names."""

PARAMETERS = 500
"""Most values bound in one IN list: SQLite before 3.32 takes 999 in all."""


def has_parent(
    connection: sqlite3.Connection, tid: int | None, row: CheckpointRow, parent: ParentClaim
) -> bool:
    """Whether a row's parent is there and still the one claimed."""
    found = connection.execute(
        "SELECT 1 FROM lgckpt_checkpoints"
        " WHERE tid = ? AND checkpoint_ns = ? AND checkpoint_id = ? AND etag = ?",
        (tid, row.checkpoint_ns, parent.checkpoint_id, parent.etag),
    )
    return found.fetchone() is not None


def read_row(
    connection: sqlite3.Connection, tid: int | None, key: CheckpointKey
) -> CheckpointRow | None:
    """One checkpoint's row."""
    found = connection.execute(
        f"SELECT {ROW} FROM lgckpt_checkpoints"
        " WHERE tid = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
        (tid, *key[1:]),
    ).fetchone()
    return None if found is None else CheckpointRow(*key, *found)


def is_shown(row: CheckpointRow | None) -> TypeGuard[CheckpointRow]:
    """Whether there is a row that is not hidden; one with damaged flags is shown, to be named."""
    return row is not None and not (isinstance(row.flags, int) and row.flags & HIDDEN)


def store_row(connection: sqlite3.Connection, tid: int, row: CheckpointRow) -> None:
    """Store a row in place of one of the same key."""
    connection.execute(
        f"INSERT OR REPLACE INTO lgckpt_checkpoints (tid, checkpoint_ns, checkpoint_id, {ROW})"
        " VALUES (?,?,?,?,?,?,?,?,?,?)",
        (tid, row.checkpoint_ns, row.checkpoint_id, row.parent_id, row.run_id, row.flags,
         row.etag, row.metadata, row.state, row.refs),
    )  # fmt: skip


def read_writes(
    connection: sqlite3.Connection, tid: int | None, key: CheckpointKey
) -> list[WriteRow]:
    """A checkpoint's pending writes; one that only an index takes for its own has no value."""
    rows = connection.execute(_WRITES_OF, (tid, *key[1:]))
    return [WriteRow(*key, *row) for row in rows]


def load(
    connection: sqlite3.Connection, tid: int | None, rows: Sequence[CheckpointRow], wanted: Wanted
) -> list[Loaded]:
    """Rows with their writes and chunks; chunks they have in common are read once."""
    writes = [read_writes(connection, tid, row.key) for row in rows]
    refs = joined(map(wanted, rows)) + joined(w.refs for ws in writes for w in ws)
    chunks = collect_chunks(connection, tid, refs) if refs else {}
    return [Loaded(row, mine, chunks) for row, mine in zip(rows, writes, strict=True)]


def collect_chunks(
    connection: sqlite3.Connection, tid: int | None, refs: bytes
) -> Mapping[bytes, bytes]:
    """The chunks named by `refs` and all below them."""
    some = partial(fetch_chunks, connection, tid)
    return collect(refs, some, partial(fetch_all_chunks, connection, tid))


def fetch_all_chunks(
    connection: sqlite3.Connection, tid: int | None, most: int
) -> dict[bytes, bytes] | None:
    """All chunks of a thread, or None if they are more than `most`."""
    (count,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM lgckpt_chunks WHERE tid = ? LIMIT ?)",
        (tid, most + 1),
    ).fetchone()
    if count > most:
        return None
    query = f"SELECT hash, frame FROM lgckpt_chunks WHERE tid = ? AND {_IS_FRAME}"
    return dict(connection.execute(query, (tid,)).fetchall())


def fetch_chunks(
    connection: sqlite3.Connection, tid: int | None, wanted: Sequence[bytes]
) -> dict[bytes, bytes]:
    """The frames of those chunks that are there."""
    found: dict[bytes, bytes] = {}
    for batch in batches(wanted):
        found.update(
            connection.execute(
                f"SELECT hash, frame FROM lgckpt_chunks WHERE tid = ? AND hash IN ({marks(batch)})"
                f" AND {_IS_FRAME}",
                (tid, *batch),
            ).fetchall()
        )
    return found


def claims_hold(connection: sqlite3.Connection, tid: int | None, claims: Sequence[bytes]) -> bool:
    """Whether all these chunks are there."""
    for batch in batches(claims):
        (count,) = connection.execute(
            f"SELECT count(*) FROM lgckpt_chunks WHERE tid = ? AND hash IN ({marks(batch)})",
            (tid, *batch),
        ).fetchone()
        if count < len(batch):
            return False
    return True


def add_chunks(connection: sqlite3.Connection, tid: int, chunks: Sequence[Chunk]) -> None:
    """Store the chunks that are not there yet."""
    if chunks:
        connection.executemany(
            "INSERT OR IGNORE INTO lgckpt_chunks (tid, hash, frame) VALUES (?, ?, ?)",
            [(tid, *chunk) for chunk in chunks],
        )


def carry_out(connection: sqlite3.Connection, tid: int, edit: ThreadEdit) -> None:
    """Carry out what retention decided."""
    for ns in edit.drop_namespaces:
        for table in ("checkpoints", "writes"):
            connection.execute(
                f"DELETE FROM lgckpt_{table} WHERE tid = ? AND checkpoint_ns = ?", (tid, ns)
            )
    for table in ("checkpoints", "writes"):
        connection.executemany(
            f"DELETE FROM lgckpt_{table} WHERE tid = ? AND checkpoint_ns = ? AND checkpoint_id = ?",
            [(tid, *place) for place in edit.delete],
        )
    for row in edit.replace:
        store_row(connection, tid, row)
    for place, channels in edit.trim_writes.items():
        kept = list(channels)
        connection.execute(
            "DELETE FROM lgckpt_writes WHERE tid = ? AND checkpoint_ns = ? AND checkpoint_id = ?"
            f" AND channel NOT IN ({marks(kept)})",
            (tid, *place, *kept),
        )


def sweep(connection: sqlite3.Connection, tid: int) -> int:
    """Drop the chunks that no row needs; gives how many.

    The write transaction keeps every put out meanwhile.
    """
    refs: list[bytes] = []
    for table in ("checkpoints", "writes"):
        rows = connection.execute(
            f"SELECT refs FROM lgckpt_{table} WHERE tid = ? AND length(refs) > 0", (tid,)
        )
        refs.extend(row[0] for row in rows)
    if not all(isinstance(one, bytes) for one in refs):
        return 0
    used = reachable(b"".join(refs), partial(fetch_chunks, connection, tid))
    if used is None:
        return 0
    stored = connection.execute("SELECT hash FROM lgckpt_chunks WHERE tid = ?", (tid,)).fetchall()
    unused = [(tid, row[0]) for row in stored if row[0] not in used]
    connection.executemany("DELETE FROM lgckpt_chunks WHERE tid = ? AND hash = ?", unused)
    return len(unused)


def joined(refs: Iterable[object]) -> bytes:
    """References of several rows, without those of a damaged row, which is named when it is read.

    A damaged file gives any type in any column.
    """
    return b"".join(one for one in refs if isinstance(one, bytes))


def marks(values: Sequence[Any]) -> str:
    """Placeholders for an IN list."""
    return ",".join("?" * len(values))


def batches(values: Iterable[Any], most: int = PARAMETERS) -> Iterable[list[Any]]:
    """Cut values into lists short enough to bind."""
    rest = iter(values)
    while batch := list(islice(rest, most)):
        yield batch
