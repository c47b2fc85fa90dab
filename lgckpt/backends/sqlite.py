"""Rows in a SQLite file: WAL, parallel readers, several processes on one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lgckpt.backends import sqlite_schema
from lgckpt.backends.sqlite_connections import Connections
from lgckpt.backends.sqlite_given import AsyncConnection
from lgckpt.backends.sqlite_rows import (
    ROW,
    WRITE,
    add_chunks,
    batches,
    carry_out,
    check_entry,
    claims_hold,
    collect_chunks,
    find_parent,
    find_tid,
    is_shown,
    joined,
    load,
    marks,
    new_tid,
    read_row,
    read_writes,
    store_row,
    sweep,
)
from lgckpt.errors import CorruptCheckpointError
from lgckpt.rows import (
    HIDDEN,
    CheckpointKey,
    CheckpointRow,
    Entry,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    ScanQuery,
    Written,
)
from lgckpt.storage import Decide, Wanted, all_refs, run_sync

TID = "(SELECT tid FROM lgckpt_threads WHERE thread_id = ?)"
VISIBLE = f"flags & {HIDDEN} IS NOT {HIDDEN}"
"""A row whose flags a damaged file has lost is read, and named then."""

HAS_WRITES = (
    "EXISTS (SELECT 1 FROM lgckpt_writes AS w WHERE w.tid = i.tid"
    " AND w.checkpoint_ns = i.checkpoint_ns AND w.checkpoint_id = i.checkpoint_id)"
)
GET = (
    f"SELECT {HAS_WRITES}, i.tid, i.checkpoint_id,"
    " (c.tid, c.checkpoint_ns, c.checkpoint_id) = (i.tid, i.checkpoint_ns, i.checkpoint_id),"
    f" c.{ROW.replace(', ', ', c.')}"
    " FROM lgckpt_checkpoints AS i LEFT JOIN lgckpt_checkpoints AS c ON c.rowid = i.rowid"
    f" WHERE i.tid = {TID} AND i.checkpoint_ns = ? {{which}} AND c.{VISIBLE}"
    " ORDER BY i.checkpoint_id DESC LIMIT 1"
)
"""Joined with itself: a damaged index, which is `i` here, names rows of other threads."""


class SqliteStorage:
    """The storage contract over `sqlite3`.

    Args:
        database: See `Connections`.
        synchronous: See `Connections`.
        busy_timeout: See `Connections`.
    """

    inline = False

    def __init__(
        self,
        database: str | Path | sqlite3.Connection | AsyncConnection,
        *,
        synchronous: str = "FULL",
        busy_timeout: float = 60.0,
    ) -> None:
        self._connections = Connections(
            database,
            check=sqlite_schema.check,
            create=partial(sqlite_schema.create, busy_timeout=busy_timeout),
            synchronous=synchronous,
            busy_timeout=busy_timeout,
        )
        self._write = self._connections.write
        self._read = self._connections.read

    def setup(self) -> None:
        """Create the schema if it is not there; safe from many processes at once."""
        with self._write():
            pass

    def close(self) -> None:
        """Close all connections but one of the caller's; safe to call again."""
        self._connections.close()

    def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""
        row = put.row
        with self._write() as connection:
            if put.parent is None:
                tid = find_tid(connection, row.thread_id)
            else:
                tid = find_parent(connection, row, put.parent)
                if tid is None:
                    return False
            if put.claims and not claims_hold(connection, tid, put.claims):
                return False
            if tid is None:
                tid = new_tid(connection, row.thread_id)
            add_chunks(connection, tid, put.chunks)
            store_row(connection, tid, row)
        return True

    def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        verb = "REPLACE" if put.upsert else "IGNORE"
        with self._write() as connection:
            tid = find_tid(connection, put.rows[0].thread_id)
            if not claims_hold(connection, tid, put.claims):
                return False
            if tid is None:
                tid = new_tid(connection, put.rows[0].thread_id)
            add_chunks(connection, tid, put.chunks)
            connection.executemany(
                f"INSERT OR {verb} INTO lgckpt_writes"
                f" (tid, checkpoint_ns, checkpoint_id, {WRITE}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                [
                    (tid, w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx, w.task_path,
                     w.channel, w.tag, w.value, w.refs)
                    for w in put.rows
                ],
            )  # fmt: skip
        return True

    def get(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str | None,
        wanted: Wanted = all_refs,
    ) -> Loaded | None:
        """One visible checkpoint, or the latest of the namespace."""
        query, parameters = _LATEST, [thread_id, checkpoint_ns]
        if checkpoint_id is not None:
            query = _ONE
            parameters.append(checkpoint_id)
        found = self._connections.fetch_one(query, parameters)
        if found is None:
            return None
        row = _found_row(thread_id, checkpoint_ns, found)
        if not found[0] and not (row.refs and wanted(row)):
            return Loaded(row, (), {})
        with self._read() as connection:
            found = connection.execute(query, parameters).fetchone()
            if found is None:
                return None
            row = _found_row(thread_id, checkpoint_ns, found)
            return load(connection, found[1], [row], wanted)[0]

    def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        by_thread: dict[str, list[CheckpointKey]] = {}
        for key in keys:
            by_thread.setdefault(key.thread_id, []).append(key)
        found: dict[CheckpointKey, Loaded] = {}
        with self._read() as connection:
            for thread_id, mine in by_thread.items():
                tid = find_tid(connection, thread_id)
                rows = [read_row(connection, tid, key) for key in mine]
                shown = [row for row in rows if is_shown(row)]
                found.update((one.row.key, one) for one in load(connection, tid, shown, all_refs))
        return [found[key] for key in keys if key in found]

    def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        with self._read() as connection:
            return read_row(connection, find_tid(connection, key.thread_id), key)

    def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""
        where, parameters = _conditions(query)
        with self._read() as connection:
            rows = connection.execute(
                "SELECT thread_id, checkpoint_ns, checkpoint_id, metadata"
                " FROM lgckpt_checkpoints JOIN lgckpt_threads USING (tid)"
                f" WHERE {where}"
                " ORDER BY checkpoint_id DESC, thread_id DESC, checkpoint_ns DESC LIMIT ?",
                [*parameters, query.limit],
            ).fetchall()
        return [Head(CheckpointKey(*row[:3]), row[3]) for row in rows]

    def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """The checkpoint and its ancestors, nearest first, hidden ones too."""
        rows: list[CheckpointRow] = []
        with self._read() as connection:
            tid = find_tid(connection, key.thread_id)
            row = read_row(connection, tid, key)
            while row is not None and len(rows) < limit:
                rows.append(row)
                if row.parent_id is None:
                    break
                row = read_row(connection, tid, key._replace(checkpoint_id=row.parent_id))
        return rows

    def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """Pending writes of the checkpoints to the channels, in no given order."""
        wanted = frozenset(channels)
        with self._read() as connection:
            tid = find_tid(connection, thread_id)
            rows = [
                write
                for checkpoint_id in ids
                for write in read_writes(
                    connection, tid, CheckpointKey(thread_id, checkpoint_ns, checkpoint_id)
                )
                if write.channel in wanted
            ]
            refs = joined(w.refs for w in rows)
            return Written(rows, collect_chunks(connection, tid, refs) if refs else {})

    def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""
        with self._read() as connection:
            return collect_chunks(connection, find_tid(connection, thread_id), refs)

    def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """Run `decide` in a write transaction, carry out its edit, drop unused chunks."""
        with self._write() as connection:
            tid = find_tid(connection, thread_id)
            if tid is not None:
                view = _View(connection, tid, thread_id)
                carry_out(connection, tid, run_sync(decide(view)))
                sweep(connection, tid)

    def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""
        found: dict[str, None] = {}
        with self._read() as connection:
            for batch in batches(run_ids):
                rows = connection.execute(
                    "SELECT DISTINCT thread_id FROM lgckpt_checkpoints JOIN lgckpt_threads"
                    f" USING (tid) WHERE run_id IN ({marks(batch)})",
                    batch,
                )
                found.update((row[0], None) for row in rows)
        return list(found)

    def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced, none hidden by it."""
        with self._write() as connection:
            old = find_tid(connection, source)
            if old is None:
                return
            new = find_tid(connection, target)
            new = new_tid(connection, target) if new is None else new
            for table, columns in _COPIED:
                connection.execute(
                    f"INSERT OR REPLACE INTO {table} (tid, {columns})"
                    f" SELECT ?, {columns} FROM {table} AS old WHERE tid = ?"
                    + (_HIDES_NONE if table == "lgckpt_checkpoints" else ""),
                    (new, old, new) if table == "lgckpt_checkpoints" else (new, old),
                )

    def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""
        with self._write() as connection:
            tid = find_tid(connection, thread_id)
            for table in ("writes", "checkpoints", "chunks", "threads"):
                connection.execute(f"DELETE FROM lgckpt_{table} WHERE tid = ?", (tid,))


_COPIED = (
    ("lgckpt_chunks", "hash, frame"),
    ("lgckpt_checkpoints", f"checkpoint_ns, checkpoint_id, {ROW}"),
    ("lgckpt_writes", f"checkpoint_ns, checkpoint_id, {WRITE}"),
)


_HIDES_NONE = (
    f" AND (old.{VISIBLE} OR NOT EXISTS (SELECT 1 FROM lgckpt_checkpoints AS mine"
    " WHERE mine.tid = ? AND mine.checkpoint_ns = old.checkpoint_ns"
    f" AND mine.checkpoint_id = old.checkpoint_id AND mine.{VISIBLE}))"
)


_LATEST = GET.format(which="")
_ONE = GET.format(which="AND i.checkpoint_id = ?")


def _found_row(thread_id: str, checkpoint_ns: str, found: Sequence[Any]) -> CheckpointRow:
    """A row that `GET` found.

    Raises:
        CorruptCheckpointError: It is another row than the one that the index names.
    """
    if not found[3]:
        raise CorruptCheckpointError(
            "an index of the SQLite database names another row",
            thread_id=thread_id,
            checkpoint_ns=checkpoint_ns,
            checkpoint_id=str(found[2]),
        )
    return CheckpointRow(thread_id, checkpoint_ns, found[2], *found[4:])


class _View:
    """A thread as `decide` sees it, within the write transaction."""

    def __init__(self, connection: sqlite3.Connection, tid: int, thread_id: str) -> None:
        self._connection = connection
        self._tid = tid
        self.thread_id = thread_id

    async def entries(self) -> list[Entry]:
        rows = self._connection.execute(
            "SELECT checkpoint_ns, checkpoint_id, parent_id, run_id, flags"
            " FROM lgckpt_checkpoints WHERE tid = ?",
            (self._tid,),
        )
        entries = [Entry(*row) for row in rows]
        for entry in entries:
            check_entry(self.thread_id, entry)
        return entries

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        key = CheckpointKey(self.thread_id, checkpoint_ns, checkpoint_id)
        return read_row(self._connection, self._tid, key)

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM lgckpt_writes WHERE tid = ? AND checkpoint_ns = ?"
            " AND checkpoint_id = ? AND channel = ? LIMIT 1",
            (self._tid, checkpoint_ns, checkpoint_id, channel),
        )
        return found.fetchone() is not None


def _conditions(query: ScanQuery) -> tuple[str, list[Any]]:
    where, parameters = [VISIBLE], []
    for condition, value in (
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
