"""`scan`: pages of keys and metadata, each read from the middle of one index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lgckpt.backends.postgres_names import Address, from_sql, to_sql
from lgckpt.backends.postgres_rows import SHOWN, VISIBLE
from lgckpt.rows import CheckpointKey, Head, ScanQuery


class _Where:
    """Conditions, each with its bound parameter."""

    def __init__(self, first: str) -> None:
        self.conditions = [f"c.{first}"]
        self.parameters: list[Any] = []

    def add(self, condition: str, *values: Any) -> None:
        """Add a condition with a `?` for each value."""
        for value in values:
            self.parameters.append(value)
            condition = condition.replace("?", f"${len(self.parameters)}", 1)
        self.conditions.append(condition)


async def scan(
    connection: Any, schema: str, query: ScanQuery, at: Callable[[str], Address]
) -> list[Head]:
    """A page of visible checkpoints, newest first.

    One thread with one namespace is a range of the primary key, one thread a range of
    `lgckpt_checkpoints_of_thread`, anything else of `lgckpt_checkpoints_by_id`; threads that
    hold the same checkpoint id come in the order of their hashes.
    """
    in_namespace = query.thread_id is not None and query.checkpoint_ns is not None
    where, order = _Where(SHOWN if in_namespace else VISIBLE), _order(query)
    if query.thread_id is not None:
        where.add("c.tid = ?", at(query.thread_id).tid)
    if query.checkpoint_ns is not None:
        where.add("c.checkpoint_ns = ?", to_sql(query.checkpoint_ns))
    if query.checkpoint_id is not None:
        where.add("c.checkpoint_id = ?", to_sql(query.checkpoint_id))
    if query.before is not None:
        where.add("c.checkpoint_id < ?", to_sql(query.before))
    if query.after is not None:
        values = {
            "c.checkpoint_id": to_sql(query.after.checkpoint_id),
            "c.tid": at(query.after.thread_id).tid,
            "c.checkpoint_ns": to_sql(query.after.checkpoint_ns),
        }
        marks = ", ".join("?" * len(order))
        where.add(f"({', '.join(order)}) < ({marks})", *(values[name] for name in order))
    where.parameters.append(query.limit)
    by = ", ".join(f"{name} DESC" for name in order)
    records = await connection.fetch(
        f"SELECT t.thread_id, c.checkpoint_ns, c.checkpoint_id, c.metadata"
        f" FROM {schema}.lgckpt_checkpoints AS c JOIN {schema}.lgckpt_threads AS t USING (tid)"
        f" WHERE {' AND '.join(where.conditions)}"
        " AND (t.expires_at IS NULL OR t.expires_at > now())"
        f" ORDER BY {by} LIMIT ${len(where.parameters)}",
        *where.parameters,
    )
    return [
        Head(CheckpointKey(*(from_sql(part) for part in record[:3])), record[3])
        for record in records
    ]


def _order(query: ScanQuery) -> list[str]:
    """What pages are ordered by: the columns of an index that the query does not fix."""
    order = ["c.checkpoint_id"]
    if query.thread_id is None:
        order.append("c.tid")
    if query.checkpoint_ns is None or query.thread_id is None:
        order.append("c.checkpoint_ns")
    return order
