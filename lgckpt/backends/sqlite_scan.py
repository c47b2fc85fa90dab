"""Pages of a listing."""

from __future__ import annotations

import sqlite3
from typing import Any

from lgckpt.backends.sqlite_schema import select
from lgckpt.backends.sqlite_threads import LIVES, now
from lgckpt.rows import HIDDEN, CheckpointKey, Head, ScanQuery

TID = "(SELECT tid FROM lgckpt_threads WHERE thread_id = ?)"
VISIBLE = f"flags & {HIDDEN} IS NOT {HIDDEN}"
"""A row whose flags a damaged file has lost is read, and named then."""


def scan(connection: sqlite3.Connection, query: ScanQuery) -> list[Head]:
    """A page of visible checkpoints, newest first."""
    where, parameters = _conditions(query)
    rows = select(
        connection,
        "SELECT thread_id, checkpoint_ns, checkpoint_id, metadata"
        " FROM lgckpt_checkpoints JOIN lgckpt_threads USING (tid)"
        f" WHERE {where}"
        " ORDER BY checkpoint_id DESC, thread_id DESC, checkpoint_ns DESC LIMIT ?",
        [*parameters, query.limit],
    )
    return [Head(CheckpointKey(*row[:3]), row[3]) for row in rows]


def _conditions(query: ScanQuery) -> tuple[str, list[Any]]:
    where, parameters = [VISIBLE], []
    for condition, value in (
        (LIVES, now()),
        (f"tid = {TID}", query.thread_id),
        ("checkpoint_ns = ?", query.checkpoint_ns),
        ("checkpoint_id = ?", query.checkpoint_id),
        ("checkpoint_id < ?", query.before),
    ):
        if value is not None:
            where.append(condition)
            parameters.append(value)
    if query.after is not None:
        # The first condition alone can use the index; the second settles ties.
        where.append("checkpoint_id <= ?")
        where.append("(checkpoint_id, thread_id, checkpoint_ns) < (?, ?, ?)")
        after = query.after
        parameters += [after.checkpoint_id, after.checkpoint_id, after.thread_id]
        parameters.append(after.checkpoint_ns)
    return " AND ".join(where), parameters
