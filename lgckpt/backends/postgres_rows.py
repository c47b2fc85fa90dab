"""Rows in and out of Postgres: the statements, and what goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lgckpt.backends.postgres_names import Address, check_key, from_sql, to_sql
from lgckpt.rows import CheckpointRow, Chunk, PutCheckpoint, PutWrites, WriteRow

ROW = "parent_id, run_id, flags, etag, metadata, state, refs"
WRITE = "task_id, idx, task_path, channel, tag, value, refs"
VISIBLE = "flags & 1 = 0"
SHOWN = "flags & 1 <> 1"
"""The same, where the primary key is to be used: the partial indexes are not on these words."""

STORED, CLAIM_FAILED, BUSY, EXPIRED = range(4)
"""What `lgckpt_store` gives."""

PARAMETERS = 27
"""How many arguments `lgckpt_store` takes."""


class Statements:
    """Every statement that reads or stores rows, for one schema.

    Args:
        schema: Its name, quoted.
    """

    def __init__(self, schema: str) -> None:
        self.schema = schema
        row = ", ".join(f"c.{name}" for name in ROW.split(", "))
        writes = ", ".join(f"array_agg(w.{name}) AS w_{name}" for name in WRITE.split(", "))
        agg = (
            f"LEFT JOIN LATERAL (SELECT {writes} FROM {schema}.lgckpt_writes AS w"
            " WHERE w.tid = c.tid AND w.checkpoint_ns = c.checkpoint_ns"
            " AND w.checkpoint_id = c.checkpoint_id) AS ws ON true"
        )
        live = (
            f"NOT EXISTS (SELECT 1 FROM {schema}.lgckpt_threads AS t"
            " WHERE t.tid = c.tid AND t.expires_at <= now())"
        )
        found = f"SELECT c.checkpoint_id, {row}, ws.* FROM {schema}.lgckpt_checkpoints AS c {agg}"
        mine = f"c.tid = $1 AND c.checkpoint_ns = $2 AND c.{SHOWN} AND {live}"
        self.latest = f"{found} WHERE {mine} ORDER BY c.checkpoint_id DESC LIMIT 1"
        self.one = f"{found} WHERE {mine} AND c.checkpoint_id = $3"
        self.many = (
            f"SELECT k.n, c.checkpoint_id, {row}, ws.*"
            " FROM unnest($1::uuid[], $2::text[], $3::text[])"
            " WITH ORDINALITY AS k (tid, ns, id, n)"
            f" JOIN {schema}.lgckpt_checkpoints AS c"
            " ON c.tid = k.tid AND c.checkpoint_ns = k.ns AND c.checkpoint_id = k.id"
            f" {agg} WHERE c.{SHOWN} AND {live} ORDER BY k.n"
        )
        self.row = (
            f"SELECT c.checkpoint_id, {row} FROM {schema}.lgckpt_checkpoints AS c"
            f" WHERE c.tid = $1 AND c.checkpoint_ns = $2 AND c.checkpoint_id = $3 AND {live}"
        )
        self.chain = (
            f"WITH RECURSIVE up AS (SELECT c.checkpoint_id, {row}, 1 AS depth"
            f" FROM {schema}.lgckpt_checkpoints AS c"
            f" WHERE c.tid = $1 AND c.checkpoint_ns = $2 AND c.checkpoint_id = $3 AND {live}"
            f" UNION ALL SELECT c.checkpoint_id, {row}, up.depth + 1 FROM up"
            f" JOIN {schema}.lgckpt_checkpoints AS c ON c.tid = $1 AND c.checkpoint_ns = $2"
            " AND c.checkpoint_id = up.parent_id WHERE up.depth < $4)"
            f" SELECT checkpoint_id, {ROW} FROM up ORDER BY depth"
        )
        self.writes = (
            f"SELECT checkpoint_id, {WRITE} FROM {schema}.lgckpt_writes WHERE tid = $1"
            " AND checkpoint_ns = $2 AND checkpoint_id = ANY ($3) AND channel = ANY ($4)"
        )
        self.chunks = (
            f"SELECT hash, frame FROM {schema}.lgckpt_chunks WHERE tid = $1 AND hash = ANY ($2)"
        )
        self.chunks_of_many = (
            f"SELECT k.tid, k.hash, k.frame FROM unnest($1::uuid[], $2::bytea[]) AS u (tid, hash)"
            f" JOIN {schema}.lgckpt_chunks AS k ON k.tid = u.tid AND k.hash = u.hash"
        )
        self.all_chunks = (
            f"SELECT hash, frame FROM {schema}.lgckpt_chunks WHERE tid = $1 AND $2::bigint >="
            f" (SELECT count(*) FROM (SELECT 1 FROM {schema}.lgckpt_chunks"
            " WHERE tid = $1 LIMIT $2::bigint + 1) AS k)"
        )
        self.threads_of_runs = (
            f"SELECT DISTINCT t.thread_id FROM {schema}.lgckpt_checkpoints AS c"
            f" JOIN {schema}.lgckpt_threads AS t USING (tid)"
            " WHERE left(c.run_id, 64) = ANY ($1) AND c.run_id = ANY ($2)"
        )
        marks = ", ".join(f"${n}" for n in range(1, PARAMETERS + 1))
        self.store = f"SELECT {schema}.lgckpt_store({marks})"
        self.drop = f"SELECT {schema}.lgckpt_drop($1, $2, $3, $4)"


class Request(NamedTuple):
    """One call of `lgckpt_store`.

    Attributes:
        lock: The key of the thread's advisory lock.
        rest: The arguments after it and after `p_wait`.
        size: About how many bytes that is.
    """

    lock: int
    rest: tuple[Any, ...]
    size: int

    def arguments(self, *, wait: bool) -> tuple[Any, ...]:
        """The arguments of the call: to wait for the lock, or to come back without it."""
        return (self.lock, wait, *self.rest)


_NO_WRITES = (None,) * 8
_NO_ROW = (None,) * 7


def checkpoint_request(at: Address, put: PutCheckpoint, ttl: float | None) -> Request:
    """The call that stores a checkpoint.

    Raises:
        ConfigurationError: Its key is too long.
    """
    row, parent = put.row, put.parent
    ns, checkpoint_id = to_sql(row.checkpoint_ns), to_sql(row.checkpoint_id)
    check_key(ns, checkpoint_id)
    claimed = (None, None) if parent is None else (to_sql(parent.checkpoint_id), parent.etag)
    hashes, frames, size = _chunks(put.chunks)
    rest = (
        at.tid, to_sql(row.thread_id), ttl, ns, checkpoint_id, *claimed, put.claims or None,
        hashes, frames, _optional(row.parent_id), _optional(row.run_id), row.flags, row.etag,
        row.metadata, row.state, row.refs, *_NO_WRITES,
    )  # fmt: skip
    return Request(at.lock, rest, size + len(row.state) + len(row.metadata) + len(row.refs))


def writes_request(at: Address, put: PutWrites, ttl: float | None) -> Request:
    """The call that stores pending writes of one task.

    Raises:
        ConfigurationError: Their key is too long.
    """
    first = put.rows[0]
    ns, checkpoint_id = to_sql(first.checkpoint_ns), to_sql(first.checkpoint_id)
    task_id = to_sql(first.task_id)
    check_key(ns, checkpoint_id, task_id)
    # One statement cannot replace a row twice; of two alike the last would win.
    rows = list({row.idx: row for row in put.rows}.values()) if put.upsert else put.rows
    hashes, frames, size = _chunks(put.chunks)
    rest = (
        at.tid, to_sql(first.thread_id), ttl, ns, checkpoint_id, None, None, put.claims or None,
        hashes, frames, *_NO_ROW, put.upsert, task_id, to_sql(first.task_path),
        [row.idx for row in rows], [to_sql(row.channel) for row in rows],
        [to_sql(row.tag) for row in rows], [row.value for row in rows], [row.refs for row in rows],
    )  # fmt: skip
    return Request(at.lock, rest, size + sum(len(row.value) for row in rows))


def _optional(text: str | None) -> str | None:
    return None if text is None else to_sql(text)


def _chunks(chunks: Sequence[Chunk]) -> tuple[list[bytes] | None, list[bytes] | None, int]:
    """Hashes and frames, sorted: two transactions then never wait for each other in a ring."""
    if not chunks:
        return None, None, 0
    found = sorted(dict(chunks).items())
    size = sum(len(frame) for _, frame in found)
    return [key for key, _ in found], [frame for _, frame in found], size


def row_of(thread_id: str, checkpoint_ns: str, record: Sequence[Any]) -> CheckpointRow:
    """A row from a record that starts with `checkpoint_id` and `ROW`."""
    checkpoint_id, parent_id, run_id, flags, etag, metadata, state, refs = record[:8]
    return CheckpointRow(
        thread_id,
        checkpoint_ns,
        from_sql(checkpoint_id),
        None if parent_id is None else from_sql(parent_id),
        None if run_id is None else from_sql(run_id),
        flags,
        etag,
        metadata,
        state,
        refs,
    )


def write_of(
    thread_id: str, checkpoint_ns: str, checkpoint_id: str, record: Sequence[Any]
) -> WriteRow:
    """A write from a record of `WRITE`."""
    task_id, idx, task_path, channel, tag, value, refs = record
    return WriteRow(
        thread_id,
        checkpoint_ns,
        checkpoint_id,
        from_sql(task_id),
        idx,
        from_sql(task_path),
        from_sql(channel),
        from_sql(tag),
        value,
        refs,
    )


def writes_of(row: CheckpointRow, columns: Sequence[Any]) -> list[WriteRow]:
    """The writes from the aggregated columns of `WRITE`."""
    if columns[0] is None:
        return []
    return [write_of(*row.key, record) for record in zip(*columns, strict=True)]
