"""Batches into Postgres: under a thread's exclusive lock, a statement a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lgckpt.backends.postgres_edits import LOCK, TRY
from lgckpt.backends.postgres_names import Address, check_key, to_sql
from lgckpt.backends.postgres_rows import CLAIM_FAILED, EXPIRED, ROW, STORED, WRITE
from lgckpt.bulk import Batch
from lgckpt.rows import CheckpointRow, WriteRow

_STATE = (
    "SELECT (SELECT expires_at <= pg_catalog.clock_timestamp() FROM {schema}.lgckpt_threads"
    " WHERE tid = $1), (SELECT count(*) FROM {schema}.lgckpt_chunks"
    " WHERE tid = $1 AND hash = ANY ($2::bytea[]))"
)
_THREAD = (
    "INSERT INTO {schema}.lgckpt_threads AS mine (tid, thread_id, expires_at)"
    " VALUES ($1, $2, pg_catalog.clock_timestamp() + make_interval(secs => $3))"
    " ON CONFLICT (tid) DO UPDATE SET expires_at = excluded.expires_at"
    " WHERE mine.expires_at IS DISTINCT FROM excluded.expires_at"
)
_CHUNKS = (
    "INSERT INTO {schema}.lgckpt_chunks (tid, hash, frame)"
    " SELECT $1, u.h, u.f FROM unnest($4::bytea[], $5::bytea[]) AS u (h, f) ON CONFLICT DO NOTHING"
)


def _storing(table: str, key: str, values: str, first: int, types: str) -> str:
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.split(), first))
    replaced = ", ".join(f"{name} = excluded.{name}" for name in values.split(", "))
    return (
        f"INSERT INTO {{schema}}.lgckpt_{table} (tid, {key}, {values})"
        f" SELECT $1, u.* FROM unnest({arrays}) AS u"
        f" ON CONFLICT (tid, {key}) DO UPDATE SET {replaced}"
    )


_ROWS = _storing(
    "checkpoints",
    "checkpoint_ns, checkpoint_id",
    ROW,
    6,
    "text text text text integer bytea bytea bytea bytea",
)
_WRITES = _storing(
    "writes",
    "checkpoint_ns, checkpoint_id, task_id, idx",
    WRITE.removeprefix("task_id, idx, "),
    15,
    "text text text integer text text text bytea bytea",
)
_WIDTHS = (2, 9, 9)
"""Columns of the chunks, the rows and the writes."""

_STORE = f"WITH thread AS ({_THREAD}), chunks AS ({_CHUNKS}), stored AS ({_ROWS}) {_WRITES}"
"""All tables in one statement: each round trip costs as much as some rows."""


class Load:
    """A batch for one thread, ready to be sent.

    Args:
        at: Where the thread is.
        thread_id: Its name.
        ttl: Seconds that it lives from now on; None for ever.
        batch: What to store.

    Raises:
        ConfigurationError: A key is too long.
    """

    def __init__(self, at: Address, thread_id: str, ttl: float | None, batch: Batch) -> None:
        self._at = at
        self._thread = to_sql(thread_id), ttl
        self._claims = list(dict.fromkeys(batch.claims))
        chunks = sorted(dict(batch.chunks).items())
        # One statement cannot replace a row twice; of two alike the last wins.
        rows = {row[1:3]: _row(row) for row in batch.rows}
        writes = {write[1:5]: _write(write) for write in batch.writes}
        tables = zip((chunks, rows.values(), writes.values()), _WIDTHS, strict=True)
        self._columns = [column for table, width in tables for column in _columns(table, width)]

    async def run(self, schema: str, wait: bool, connection: Any) -> int | None:
        """Store it; gives what `lgckpt_store` would, None if the lock is taken."""
        tid = self._at.tid
        async with connection.transaction(isolation="read_committed"):
            if not await connection.fetchval(LOCK if wait else TRY, self._at.lock):
                return None
            state = _STATE.format(schema=schema)
            expired, held = await connection.fetchrow(state, tid, self._claims)
            if expired:
                return EXPIRED
            if held < len(self._claims):
                return CLAIM_FAILED
            if any(self._columns):
                store = _STORE.format(schema=schema)
                await connection.execute(store, tid, *self._thread, *self._columns)
        return STORED


def _columns(table: Iterable[Iterable[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*table, strict=True)] or [[] for _ in range(width)]


def _row(row: CheckpointRow) -> tuple[Any, ...]:
    ns, checkpoint_id = to_sql(row.checkpoint_ns), to_sql(row.checkpoint_id)
    check_key(ns, checkpoint_id)
    parent_id = None if row.parent_id is None else to_sql(row.parent_id)
    run_id = None if row.run_id is None else to_sql(row.run_id)
    return ns, checkpoint_id, parent_id, run_id, *row[5:]


def _write(write: WriteRow) -> tuple[Any, ...]:
    ns, checkpoint_id = to_sql(write.checkpoint_ns), to_sql(write.checkpoint_id)
    task_id = to_sql(write.task_id)
    check_key(ns, checkpoint_id, task_id)
    texts = (to_sql(write.task_path), to_sql(write.channel), to_sql(write.tag))
    return ns, checkpoint_id, task_id, write.idx, *texts, write.value, write.refs
