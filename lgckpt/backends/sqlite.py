"""Rows in a SQLite file: WAL, parallel readers, several processes on one file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from lgckpt.backends import sqlite_schema
from lgckpt.backends.sqlite_alone import MOST_WRITES, put_alone, writes_alone
from lgckpt.backends.sqlite_bulk import Bulk
from lgckpt.backends.sqlite_connections import Connections
from lgckpt.backends.sqlite_expiry import Expiry
from lgckpt.backends.sqlite_facts import Facts
from lgckpt.backends.sqlite_given import AsyncConnection
from lgckpt.backends.sqlite_rows import (
    ROW,
    WRITE,
    add_chunks,
    batches,
    carry_out,
    claims_hold,
    collect_chunks,
    has_parent,
    is_shown,
    joined,
    load,
    marks,
    read_row,
    read_writes,
    store_row,
    sweep,
)
from lgckpt.backends.sqlite_scan import TID, VISIBLE, scan
from lgckpt.backends.sqlite_schema import select
from lgckpt.backends.sqlite_threads import (
    ANY_EXPIRES,
    LIFE,
    LIVES,
    Life,
    delete,
    find_life,
    find_tid,
    is_over,
    now,
)
from lgckpt.backends.sqlite_view import View
from lgckpt.backends.sqlite_whole import Whole
from lgckpt.errors import CorruptCheckpointError, StorageError
from lgckpt.rows import (
    CheckpointKey,
    CheckpointRow,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    ScanQuery,
    Written,
)
from lgckpt.storage import Decide, Wanted, all_refs, run_sync
from lgckpt.watching import Watch, Whereabouts

_HAS_WRITES = (
    "EXISTS (SELECT 1 FROM lgckpt_writes AS w WHERE w.tid = i.tid"
    " AND w.checkpoint_ns = i.checkpoint_ns AND w.checkpoint_id = i.checkpoint_id)"
)
SOME_WRITES = 1
SOME_EXPIRE = 2
"""Bits of the first column of `GET`; where some threads expire, this one's life is looked at."""

GET = (
    f"SELECT {_HAS_WRITES} + {SOME_EXPIRE} * {ANY_EXPIRES}, i.tid, i.checkpoint_id,"
    " (c.tid, c.checkpoint_ns, c.checkpoint_id) = (i.tid, i.checkpoint_ns, i.checkpoint_id),"
    f" c.{ROW.replace(', ', ', c.')}"
    " FROM lgckpt_checkpoints AS i LEFT JOIN lgckpt_checkpoints AS c ON c.rowid = i.rowid"
    f" WHERE i.tid = {TID} AND i.checkpoint_ns = ? {{which}} AND c.{VISIBLE}"
    " ORDER BY i.checkpoint_id DESC LIMIT 1"
)
"""Joined with itself: a damaged index, which is `i` here, names rows of other threads."""


class SqliteStorage(Bulk, Whole, Facts):
    """The storage contract over `sqlite3`.

    Args:
        database: See `Connections`.
        synchronous: See `Connections`.
        busy_timeout: See `Connections`.
        ttl: How long a thread lives after its last put, in seconds; None for ever.
        refresh_on_read: Whether reading a thread prolongs its life too.
    """

    colour: Literal["sync"] = "sync"
    inline = False

    def __init__(
        self,
        database: str | Path | sqlite3.Connection | AsyncConnection,
        *,
        synchronous: str = "FULL",
        busy_timeout: float = 60.0,
        ttl: float | None = None,
        refresh_on_read: bool = False,
    ) -> None:
        self._connections = Connections(
            database,
            check=sqlite_schema.check,
            create=partial(sqlite_schema.create, busy_timeout=busy_timeout),
            schema=sqlite_schema.SCHEMA,
            synchronous=synchronous,
            busy_timeout=busy_timeout,
        )
        self._write = self._connections.write
        self._read = self._connections.read
        self._mortal = ttl is not None
        self._expiry = Expiry(self._connections, ttl, refresh_on_read)

    def setup(self) -> None:
        """Create the schema if it is not there; safe from many processes at once.

        An older one is brought up to date, unless the file may not be written.
        """
        try:
            with self._write():
                pass
        except StorageError as exc:
            if "readonly" not in str(exc.__cause__):
                raise
            with self._read():
                pass

    def whereabouts(self) -> Whereabouts:
        """The file's name, without the directories that it is in."""
        return Whereabouts("sqlite", Path(self._connections.name.partition("?")[0]).name)

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for the writing connection."""
        self._connections.watch(watch)

    def close(self) -> None:
        """Close all connections but one of the caller's; safe to call again."""
        self._connections.close()

    def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""
        if not put.chunks and not put.claims:
            enough = self._expiry.enough() if self._mortal else None
            alone = put_alone(put.row, put.parent, enough)
            stored = self._connections.write_one(*alone) > 0 or self._put_all(put)
        else:
            stored = self._put_all(put)
        if self._mortal:
            self._expiry.sweep_sometimes()
        return stored

    def _put_all(self, put: PutCheckpoint) -> bool:
        row = put.row

        def store(connection: sqlite3.Connection) -> bool:
            life = self._expiry.admit(connection, row.thread_id)
            tid = None if life is None else life.tid
            if put.parent is not None and not has_parent(connection, tid, row, put.parent):
                return False
            if put.claims and not claims_hold(connection, tid, put.claims):
                return False
            tid = self._expiry.number(connection, row.thread_id, life)
            add_chunks(connection, tid, put.chunks)
            store_row(connection, tid, row)
            return True

        return self._connections.share(store)

    def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        if not put.chunks and not put.claims and len(put.rows) <= MOST_WRITES:
            enough = self._expiry.enough() if self._mortal else None
            alone = writes_alone(put.rows, upsert=put.upsert, enough=enough)
            stored = self._connections.write_one(*alone) > 0 or self._put_all_writes(put)
        else:
            stored = self._put_all_writes(put)
        if self._mortal:
            self._expiry.sweep_sometimes()
        return stored

    def _put_all_writes(self, put: PutWrites) -> bool:
        verb = "REPLACE" if put.upsert else "IGNORE"
        thread_id = put.rows[0].thread_id

        def store(connection: sqlite3.Connection) -> bool:
            life = self._expiry.admit(connection, thread_id)
            if not claims_hold(connection, None if life is None else life.tid, put.claims):
                return False
            tid = self._expiry.number(connection, thread_id, life)
            add_chunks(connection, tid, put.chunks)
            connection.executemany(
                f"INSERT OR {verb} INTO lgckpt_writes"
                f" (tid, checkpoint_ns, checkpoint_id, {WRITE}) VALUES (?,?,?,?,?,?,?,?,?,?)",
                [(tid, *write[1:]) for write in put.rows],
            )
            return True

        return self._connections.share(store)

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
        if found[0] & SOME_WRITES or (row.refs and wanted(row)):
            return self._get_all(thread_id, checkpoint_ns, query, parameters, wanted)
        if not found[0]:
            return Loaded(row, (), {})
        life = self._connections.fetch_one(LIFE, (found[1],))
        if life is None or is_over(life[1]):
            return None
        self._expiry.refresh([Life(*life)])
        return Loaded(row, (), {})

    def _get_all(
        self,
        thread_id: str,
        checkpoint_ns: str,
        query: str,
        parameters: Sequence[str],
        wanted: Wanted,
    ) -> Loaded | None:
        """What `query` gives with its writes and chunks, as of one moment."""
        with self._read() as connection:
            found = select(connection, query, parameters).fetchone()
            life = find_life(connection, thread_id) if found and found[0] & SOME_EXPIRE else None
            if found is None or (life is None and found[0] & SOME_EXPIRE):
                return None
            row = _found_row(thread_id, checkpoint_ns, found)
            loaded = load(connection, found[1], [row], wanted)[0]
        if life is not None:
            self._expiry.refresh([life])
        return loaded

    def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        by_thread: dict[str, list[CheckpointKey]] = {}
        for key in keys:
            by_thread.setdefault(key.thread_id, []).append(key)
        found: dict[CheckpointKey, Loaded] = {}
        lives: list[Life] = []
        with self._read() as connection:
            for thread_id, mine in by_thread.items():
                life = find_life(connection, thread_id)
                if life is None:
                    continue
                lives.append(life)
                rows = [read_row(connection, life.tid, key) for key in mine]
                shown = [row for row in rows if is_shown(row)]
                loaded = load(connection, life.tid, shown, all_refs)
                found.update((one.row.key, one) for one in loaded)
        self._expiry.refresh(lives)
        return [found[key] for key in keys if key in found]

    def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        with self._read() as connection:
            return read_row(connection, find_tid(connection, key.thread_id), key)

    def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""
        with self._read() as connection:
            return scan(connection, query)

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
                view = View(connection, tid, thread_id)
                carry_out(connection, tid, run_sync(decide(view)))
                sweep(connection, tid)

    def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""
        found: dict[str, None] = {}
        with self._read() as connection:
            for batch in batches(run_ids):
                rows = select(
                    connection,
                    "SELECT DISTINCT thread_id FROM lgckpt_checkpoints JOIN lgckpt_threads"
                    f" USING (tid) WHERE run_id IN ({marks(batch)}) AND {LIVES}",
                    [*batch, now()],
                )
                found.update((row[0], None) for row in rows)
        return list(found)

    def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced, none hidden by it."""
        with self._write() as connection:
            old = find_tid(connection, source)
            if old is None:
                return
            life = self._expiry.admit(connection, target)
            new = self._expiry.number(connection, target, life)
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
            delete(connection, thread_id)

    def sweep(self) -> int:
        """Delete the threads that have expired; gives how many."""
        return self._expiry.sweep()


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
