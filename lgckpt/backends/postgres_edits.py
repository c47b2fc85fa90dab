"""Retention in Postgres: under a thread's exclusive lock, so that no put comes between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lgckpt.backends.postgres_names import Address, from_sql, to_sql
from lgckpt.backends.postgres_rows import ROW, VISIBLE, WRITE, Statements, row_of
from lgckpt.chunks import Frames, awalk, reaching
from lgckpt.rows import CheckpointRow, Entry, ThreadEdit
from lgckpt.storage import Decide

LOCK = "SELECT pg_catalog.pg_advisory_xact_lock($1) IS NOT NULL"
LOCK_SHARED = "SELECT pg_catalog.pg_advisory_xact_lock_shared($1) IS NOT NULL"
TRY = "SELECT pg_catalog.pg_try_advisory_xact_lock($1)"
TRY_SHARED = "SELECT pg_catalog.pg_try_advisory_xact_lock_shared($1)"
"""Each gives whether the lock was had."""


async def edit_thread(
    connection: Any, statements: Statements, at: Address, thread_id: str, decide: Decide, wait: bool
) -> bool | None:
    """Run `decide` in a write transaction, carry out its edit, drop unused chunks.

    Returns:
        True, or None if the thread's lock is taken and was not to be waited for.
    """
    async with connection.transaction(isolation="read_committed"):
        if not await connection.fetchval(LOCK if wait else TRY, at.lock):
            return None
        editor = _Editor(connection, statements, at, thread_id)
        if await editor.lives():
            await editor.carry_out(await decide(editor))
            await editor.sweep()
    return True


async def reclaim(connection: Any, statements: Statements, at: Address, wait: bool) -> int | None:
    """Drop the thread's chunks that no row needs.

    Returns:
        How many, or None if the thread's lock is taken and was not to be waited for.
    """
    async with connection.transaction(isolation="read_committed"):
        if not await connection.fetchval(LOCK if wait else TRY, at.lock):
            return None
        editor = _Editor(connection, statements, at, "")
        return await editor.sweep() if await editor.lives() else 0


class _Editor:
    """A thread as `decide` sees it, and what is done to it, within one transaction."""

    def __init__(
        self, connection: Any, statements: Statements, at: Address, thread_id: str
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._schema = statements.schema
        self._tid = at.tid
        self.thread_id = thread_id

    async def lives(self) -> bool:
        """Whether the thread has rows, and has not expired."""
        found = await self._connection.fetchval(
            f"SELECT 1 FROM {self._schema}.lgckpt_threads WHERE tid = $1"
            " AND (expires_at IS NULL OR expires_at > now())",
            self._tid,
        )
        return found is not None

    async def entries(self) -> list[Entry]:
        records = await self._connection.fetch(
            "SELECT checkpoint_ns, checkpoint_id, parent_id, run_id, flags"
            f" FROM {self._schema}.lgckpt_checkpoints WHERE tid = $1",
            self._tid,
        )
        return [
            Entry(
                from_sql(ns),
                from_sql(checkpoint_id),
                None if parent_id is None else from_sql(parent_id),
                None if run_id is None else from_sql(run_id),
                flags,
            )
            for ns, checkpoint_id, parent_id, run_id, flags in records
        ]

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        record = await self._connection.fetchrow(
            self._statements.row, self._tid, to_sql(checkpoint_ns), to_sql(checkpoint_id)
        )
        return None if record is None else row_of(self.thread_id, checkpoint_ns, record)

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        found = await self._connection.fetchval(
            f"SELECT 1 FROM {self._schema}.lgckpt_writes WHERE tid = $1 AND checkpoint_ns = $2"
            " AND checkpoint_id = $3 AND channel = $4 LIMIT 1",
            self._tid,
            to_sql(checkpoint_ns),
            to_sql(checkpoint_id),
            to_sql(channel),
        )
        return found is not None

    async def carry_out(self, edit: ThreadEdit) -> None:
        """Carry out what retention decided."""
        dropped = [to_sql(ns) for ns in edit.drop_namespaces]
        for table in ("checkpoints", "writes"):
            if dropped:
                await self._connection.execute(
                    f"DELETE FROM {self._schema}.lgckpt_{table}"
                    " WHERE tid = $1 AND checkpoint_ns = ANY ($2)",
                    self._tid,
                    dropped,
                )
            if edit.delete:
                await self._delete(table, edit.delete)
        for row in edit.replace:
            await self._replace(row)
        for (ns, checkpoint_id), channels in edit.trim_writes.items():
            await self._connection.execute(
                f"DELETE FROM {self._schema}.lgckpt_writes WHERE tid = $1 AND checkpoint_ns = $2"
                " AND checkpoint_id = $3 AND channel <> ALL ($4)",
                self._tid,
                to_sql(ns),
                to_sql(checkpoint_id),
                [to_sql(channel) for channel in channels],
            )

    async def _delete(self, table: str, places: Iterable[tuple[str, str]]) -> None:
        spaces, ids = zip(*((to_sql(ns), to_sql(one)) for ns, one in places), strict=True)
        await self._connection.execute(
            f"DELETE FROM {self._schema}.lgckpt_{table} AS d"
            " USING unnest($2::text[], $3::text[]) AS u (ns, id)"
            " WHERE d.tid = $1 AND d.checkpoint_ns = u.ns AND d.checkpoint_id = u.id",
            self._tid,
            spaces,
            ids,
        )

    async def _replace(self, row: CheckpointRow) -> None:
        await self._connection.execute(
            f"UPDATE {self._schema}.lgckpt_checkpoints SET ({ROW}) ="
            " ($4, $5, $6, $7, $8, $9, $10)"
            " WHERE tid = $1 AND checkpoint_ns = $2 AND checkpoint_id = $3",
            self._tid,
            to_sql(row.checkpoint_ns),
            to_sql(row.checkpoint_id),
            None if row.parent_id is None else to_sql(row.parent_id),
            None if row.run_id is None else to_sql(row.run_id),
            *row[5:],
        )

    async def sweep(self) -> int:
        """Drop the chunks that no row needs; gives how many."""
        refs = await self._connection.fetch(
            f"SELECT refs FROM {self._schema}.lgckpt_checkpoints WHERE tid = $1 AND refs <> ''"
            f" UNION ALL SELECT refs FROM {self._schema}.lgckpt_writes"
            " WHERE tid = $1 AND refs <> ''",
            self._tid,
        )
        used = await awalk(reaching(b"".join(record[0] for record in refs)), self._fetch)
        if used is None:
            return 0
        stored = await self._connection.fetch(
            f"SELECT hash FROM {self._schema}.lgckpt_chunks WHERE tid = $1", self._tid
        )
        unused = [record[0] for record in stored if record[0] not in used]
        if unused:
            await self._connection.execute(
                f"DELETE FROM {self._schema}.lgckpt_chunks WHERE tid = $1 AND hash = ANY ($2)",
                self._tid,
                unused,
            )
        return len(unused)

    async def _fetch(self, wanted: list[bytes]) -> Frames:
        return dict(await self._connection.fetch(self._statements.chunks, self._tid, wanted))


async def copy_thread(
    connection: Any,
    statements: Statements,
    source: Address,
    target: Address,
    thread_id: str,
    ttl: float | None,
    wait: bool,
) -> bool | None:
    """Copy all rows of a thread; rows of the same key are replaced, none hidden by it.

    Nothing is swept from the source meanwhile, but puts to it go on: rows are copied before
    the chunks, so that whatever a row needs is among these.

    Returns:
        True, or None if a lock is taken and was not to be waited for.
    """
    schema = statements.schema
    async with connection.transaction(isolation="read_committed"):
        shared, own = (LOCK_SHARED, LOCK) if wait else (TRY_SHARED, TRY)
        for lock, statement in sorted([(source.lock, shared), (target.lock, own)]):
            if not await connection.fetchval(statement, lock):
                return None
        made = await connection.execute(
            f"INSERT INTO {schema}.lgckpt_threads (tid, thread_id, expires_at)"
            " SELECT $2, $3, now() + make_interval(secs => $4)"
            f" FROM {schema}.lgckpt_threads WHERE tid = $1"
            " AND (expires_at IS NULL OR expires_at > now())"
            " ON CONFLICT (tid) DO UPDATE SET expires_at = excluded.expires_at",
            source.tid,
            target.tid,
            to_sql(thread_id),
            ttl,
        )
        if made == "INSERT 0 0":
            return True
        for table, key, values in _COPIED:
            replaced = ", ".join(f"{name} = excluded.{name}" for name in values.split(", "))
            await connection.execute(
                f"INSERT INTO {schema}.lgckpt_{table} AS mine (tid, {key}, {values})"
                f" SELECT $2, {key}, {values} FROM {schema}.lgckpt_{table} WHERE tid = $1"
                f" ON CONFLICT (tid, {key}) DO UPDATE SET {replaced}"
                + (_HIDES_NONE if table == "checkpoints" else ""),
                source.tid,
                target.tid,
            )
    return True


_COPIED = (
    ("checkpoints", "checkpoint_ns, checkpoint_id", ROW),
    (
        "writes",
        "checkpoint_ns, checkpoint_id, task_id, idx",
        WRITE.removeprefix("task_id, idx, "),
    ),
    ("chunks", "hash", "frame"),
)

_HIDES_NONE = f" WHERE excluded.{VISIBLE} OR NOT (mine.{VISIBLE})"
