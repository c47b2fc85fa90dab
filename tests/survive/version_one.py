"""A release of schema version 1, as far as its SQL goes: what it ran is kept here as it was."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from lgckpt.rows import CheckpointRow

DDL = (
    "CREATE TABLE lgckpt_meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE lgckpt_threads ("
    "tid INTEGER PRIMARY KEY AUTOINCREMENT, thread_id TEXT NOT NULL UNIQUE)",
    "CREATE TABLE lgckpt_checkpoints (tid INTEGER NOT NULL, checkpoint_ns TEXT NOT NULL,"
    " checkpoint_id TEXT NOT NULL, parent_id TEXT, run_id TEXT, flags INTEGER NOT NULL,"
    " etag BLOB NOT NULL, metadata BLOB NOT NULL, state BLOB NOT NULL, refs BLOB NOT NULL,"
    " PRIMARY KEY (tid, checkpoint_ns, checkpoint_id))",
    "CREATE INDEX lgckpt_checkpoints_by_id ON lgckpt_checkpoints (checkpoint_id)",
    "CREATE INDEX lgckpt_checkpoints_by_run ON lgckpt_checkpoints (run_id)"
    " WHERE run_id IS NOT NULL",
    "CREATE TABLE lgckpt_writes (tid INTEGER NOT NULL, checkpoint_ns TEXT NOT NULL,"
    " checkpoint_id TEXT NOT NULL, task_id TEXT NOT NULL, idx INTEGER NOT NULL,"
    " task_path TEXT NOT NULL, channel TEXT NOT NULL, tag TEXT NOT NULL, value BLOB NOT NULL,"
    " refs BLOB NOT NULL, PRIMARY KEY (tid, checkpoint_ns, checkpoint_id, task_id, idx))",
    "CREATE TABLE lgckpt_chunks (tid INTEGER NOT NULL, hash BLOB NOT NULL, frame BLOB NOT NULL,"
    " PRIMARY KEY (tid, hash))",
    "INSERT INTO lgckpt_meta (key, value) VALUES ('schema', 1), ('min_reader', 1)",
)
ROW = "parent_id, run_id, flags, etag, metadata, state, refs"
TID = "(SELECT tid FROM lgckpt_threads WHERE thread_id = ?)"


class VersionOne:
    """A connection that stays open, whatever happens to the file meanwhile."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, timeout=60, isolation_level=None)

    def close(self) -> None:
        self._connection.close()

    def create(self) -> None:
        """Make the schema."""
        self._connection.execute("PRAGMA journal_mode = WAL")
        for statement in DDL:
            self._connection.execute(statement)

    def opens(self) -> bool:
        """Whether it takes the file for one that it can work with."""
        meta = dict(self._connection.execute("SELECT key, value FROM lgckpt_meta"))
        return "schema" in meta and meta["min_reader"] <= 1

    def shown(self, thread_id: str) -> list[str]:
        """The ids of a thread's checkpoints, newest first."""
        found = self._connection.execute(
            f"SELECT checkpoint_id FROM lgckpt_checkpoints WHERE tid = {TID}"
            " AND flags & 1 IS NOT 1 ORDER BY checkpoint_id DESC",
            (thread_id,),
        )
        return [row[0] for row in found]

    def put(self, row: CheckpointRow) -> None:
        """Store a row without chunks: in one statement, or together with a thread that is new."""
        stored = self._connection.execute(
            f"INSERT OR REPLACE INTO lgckpt_checkpoints (tid, checkpoint_ns, checkpoint_id, {ROW})"
            " SELECT tid, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM lgckpt_threads WHERE thread_id = ?",
            (*row[1:], row.thread_id),
        )
        if stored.rowcount:
            return
        self._connection.execute("BEGIN IMMEDIATE")
        made = self._connection.execute(
            "INSERT INTO lgckpt_threads (thread_id) VALUES (?)", (row.thread_id,)
        )
        self._connection.execute(
            f"INSERT OR REPLACE INTO lgckpt_checkpoints (tid, checkpoint_ns, checkpoint_id, {ROW})"
            " VALUES (?,?,?,?,?,?,?,?,?,?)",
            (made.lastrowid, *row[1:]),
        )
        self._connection.execute("COMMIT")
