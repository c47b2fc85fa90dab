"""The write-ahead log made long ahead of time, so that a commit does not have to make it longer.

A commit waits for the disk to have the log. Where the log's file grows with it, the file system
writes the new length as well, which about doubles the wait (measured on ext4). SQLite writes the
log from its start again once 1,000 pages of it are in the database, and keeps its file meanwhile:
so this is for the time until then, after each opening, since closing deletes the log.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress

STEPS = ((16, 1 << 20), (128, 4 << 20))
"""After how many commits of a connection the log is made how long, in bytes: a process that puts
a few times would wait longer for that than it would ever save. 4 MiB are SQLite's 1,000 pages."""

_FEW_PAGES = 8


class Log:
    """The log of one writing connection; not safe to be used by two threads at once."""

    def __init__(self) -> None:
        self._commits = 0
        self._steps = list(STEPS)

    def committed(self, connection: sqlite3.Connection) -> None:
        """Count a commit, and lengthen the log after as many as `STEPS` says."""
        self._commits += 1
        if self._steps and self._commits >= self._steps[0][0]:
            _, length = self._steps.pop(0)
            # It works without: a full disk, say, is for the next put to tell.
            with suppress(sqlite3.Error, OSError):
                _lengthen(connection, length)


def _lengthen(connection: sqlite3.Connection, length: int) -> None:
    """Have SQLite itself write that many bytes to the log, in a transaction that is rolled back."""
    (file,) = connection.execute(
        "SELECT file FROM pragma_database_list WHERE name = 'main'"
    ).fetchone()
    missing = length - os.path.getsize(f"{file}-wal")
    (cached,) = connection.execute("PRAGMA cache_size").fetchone()
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    if missing <= 0:
        return
    try:
        # What does not fit into the cache of pages is written to the log before the end.
        connection.execute(f"PRAGMA cache_size = {_FEW_PAGES}")
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE lgckpt_filler (filler BLOB)")
        connection.execute("INSERT INTO lgckpt_filler VALUES (zeroblob(?))", (missing,))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"PRAGMA cache_size = {int(cached)}")
        connection.execute(f"PRAGMA busy_timeout = {int(patience)}")
