"""A put, or a batch of writes, in one statement that is a transaction by itself.

It spares the statements around it, each of which waits for Python's lock anew. Such a statement
stores nothing if the thread has no number yet, if the parent is not the one claimed, or if the
thread's life is to be changed: whoever runs it then goes the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from lgckpt.backends.sqlite_rows import ROW, WRITE
from lgckpt.backends.sqlite_threads import ANY_EXPIRES
from lgckpt.rows import CheckpointRow, ParentClaim, WriteRow

MOST_WRITES = 16
"""Writes of one statement: each number of them is a statement that SQLite keeps prepared."""

Value = str | bytes | int | None
Statement = tuple[str, tuple[Value, ...]]
"""Its text and its parameters."""

_PUT = (
    f"INSERT OR REPLACE INTO lgckpt_checkpoints (tid, checkpoint_ns, checkpoint_id, {ROW})"
    " SELECT tid, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM lgckpt_threads WHERE thread_id = ?"
)
_AFTER = (
    " AND EXISTS (SELECT 1 FROM lgckpt_checkpoints AS parent"
    " WHERE parent.tid = lgckpt_threads.tid AND parent.checkpoint_ns = ?"
    " AND parent.checkpoint_id = ? AND parent.etag = ?)"
)
_LIVES_FOR_EVER = (
    f" AND (NOT {ANY_EXPIRES} OR EXISTS (SELECT 1 FROM lgckpt_threads AS own"
    " WHERE own.tid = lgckpt_threads.tid AND own.expires_at IS NULL))"
)
"""The table is asked only where some thread expires: the index over names has the number alone."""

_LIVES_LONG = " AND expires_at >= ?"


def put_alone(row: CheckpointRow, parent: ParentClaim | None, enough: int | None) -> Statement:
    """The statement that stores a row in place of one of the same key.

    Args:
        row: The checkpoint's.
        parent: What is claimed of its parent.
        enough: What expires before this moment is to live longer; None for ever.
    """
    text, values = _living(_PUT, (*row[1:], row.thread_id), enough)
    if parent is None:
        return text, values
    return text + _AFTER, (*values, row.checkpoint_ns, parent.checkpoint_id, parent.etag)


def writes_alone(rows: Sequence[WriteRow], *, upsert: bool, enough: int | None) -> Statement:
    """The statement that stores up to `MOST_WRITES` writes of one checkpoint.

    Args:
        rows: The writes.
        upsert: Replace what is there, or leave it.
        enough: As for `put_alone`.
    """
    first = rows[0]
    values = [value for row in rows for value in row[3:]]
    where = (first.checkpoint_ns, first.checkpoint_id, *values, first.thread_id)
    return _living(_writes(len(rows), upsert), where, enough)


@lru_cache(maxsize=2 * MOST_WRITES)
def _writes(count: int, upsert: bool) -> str:
    rows = ",".join(["(?,?,?,?,?,?,?)"] * count)
    return (
        f"INSERT OR {'REPLACE' if upsert else 'IGNORE'} INTO lgckpt_writes"
        f" (tid, checkpoint_ns, checkpoint_id, {WRITE})"
        f" SELECT tid, ?, ?, given.* FROM lgckpt_threads, (VALUES {rows}) AS given"
        " WHERE thread_id = ?"
    )


def _living(text: str, values: tuple[Value, ...], enough: int | None) -> Statement:
    if enough is None:
        return text + _LIVES_FOR_EVER, values
    return text + _LIVES_LONG, (*values, enough)
