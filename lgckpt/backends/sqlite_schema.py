"""The SQLite schema: made once, race-free, and recognised by its version.

`lgckpt_meta` holds two numbers: `schema`, the version that made the tables, and
`min_reader`, the oldest release format that can still work with them. A newer
release that only adds leaves `min_reader` as it is, and both work side by side.

Version 2 added `lgckpt_threads.expires_at`. A file of version 1 gets it by the first write,
and is read as it is before that, or where it may not be written. A release of version 1 that
goes on beside it knows nothing of expiry: it shows what has expired until that is swept, and
its puts neither prolong nor end a life. A sweep and its puts exclude one another, so what it
stores is whole in any case.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence
from importlib import resources

from lgckpt.errors import UnsupportedFormatError
from lgckpt.telling import tell

SCHEMA = 2
"""The schema version that this release makes and understands."""

MIN_READER = 1
"""The oldest release format that can work with it."""

logger = logging.getLogger(__name__)


def ddl() -> str:
    """The statements that make the schema, for a person to read or run."""
    return resources.files("lgckpt.backends").joinpath("sql/sqlite.sql").read_text("utf-8")


def check(connection: sqlite3.Connection) -> int:
    """The version of the schema that is there; 0 if there is none.

    Raises:
        UnsupportedFormatError: A newer release made it and this one cannot work with it.
        sqlite3.Error: It cannot be read.
    """
    exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lgckpt_meta'"
    if connection.execute(exists).fetchone() is None:
        return 0
    meta = dict(connection.execute("SELECT key, value FROM lgckpt_meta").fetchall())
    version, needed = meta.get("schema", 0), meta.get("min_reader", MIN_READER)
    if not isinstance(version, int) or not isinstance(needed, int) or needed > SCHEMA:
        raise UnsupportedFormatError(
            f"the database has lgckpt schema version {version}, which needs a release "
            f"that reads version {needed}; this one reads version {SCHEMA}"
        )
    return version


def select(
    connection: sqlite3.Connection, query: str, parameters: Sequence[object]
) -> sqlite3.Cursor:
    """Run a query that names `expires_at`, on a file of version 1 too: nothing expires there.

    It is tried first, as another process may change the file to version 2 at any time.
    """
    try:
        return connection.execute(query, parameters)
    except sqlite3.OperationalError as exc:
        if "no such column: expires_at" not in str(exc):
            raise
    return connection.execute(query.replace("expires_at", "NULL"), parameters)


def _use_wal(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Switch to write-ahead logging; the switch does not wait for locks by itself."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def create(connection: sqlite3.Connection, *, busy_timeout: float) -> None:
    """Make the schema, or make this version of an older one, unless another process did so first.

    Args:
        connection: One that may write.
        busy_timeout: How long to wait for other processes, in seconds.
    """
    is_new = not check(connection)
    if is_new:
        _use_wal(connection, busy_timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        _add_expiry(connection)
        for statement in ddl().split(";\n"):
            connection.execute(statement)
        connection.executemany(
            "INSERT OR IGNORE INTO lgckpt_meta (key, value) VALUES (?, ?)",
            [("schema", SCHEMA), ("min_reader", MIN_READER)],
        )
        connection.execute(
            "UPDATE lgckpt_meta SET value = ? WHERE key = 'schema' AND value < ?", (SCHEMA, SCHEMA)
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if is_new:
        _mention_official_tables(connection)


def _add_expiry(connection: sqlite3.Connection) -> None:
    """What version 2 has more than version 1, but for what the statements of `ddl` add."""
    columns = {row[1] for row in connection.execute("PRAGMA table_info(lgckpt_threads)")}
    if columns and "expires_at" not in columns:
        connection.execute("ALTER TABLE lgckpt_threads ADD COLUMN expires_at INTEGER")


def _mention_official_tables(connection: sqlite3.Connection) -> None:
    """Say it if LangGraph's own saver used this file: its checkpoints are not read from here."""
    tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"
    if connection.execute(tables, ("checkpoints", "writes")).fetchone()[0] == 2:
        tell(
            logger,
            logging.WARNING,
            "other_tables",
            "this SQLite database holds checkpoints of LangGraph's own saver; "
            "lgckpt keeps its own beside them and does not read those",
            database=connection.execute("PRAGMA database_list").fetchone()[2],
        )
