"""The SQLite schema: made once, race-free, and recognised by its version.

`lgckpt_meta` holds two numbers: `schema`, the version that made the tables, and
`min_reader`, the oldest release format that can still work with them. A newer
release that only adds leaves `min_reader` as it is, and both work side by side.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from importlib import resources

from lgckpt.errors import UnsupportedFormatError

SCHEMA = 1
"""The schema version that this release makes and understands."""

logger = logging.getLogger(__name__)


def ddl() -> str:
    """The statements that make the schema, for a person to read or run."""
    return resources.files("lgckpt.backends").joinpath("sql/sqlite.sql").read_text("utf-8")


def check(connection: sqlite3.Connection) -> bool:
    """Whether the schema is there.

    Raises:
        UnsupportedFormatError: A newer release made it and this one cannot work with it.
        sqlite3.Error: It cannot be read.
    """
    exists = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'lgckpt_meta'"
    if connection.execute(exists).fetchone() is None:
        return False
    meta = dict(connection.execute("SELECT key, value FROM lgckpt_meta").fetchall())
    if meta.get("min_reader", SCHEMA) > SCHEMA:
        raise UnsupportedFormatError(
            f"the database has lgckpt schema version {meta.get('schema')}, which needs a release "
            f"that reads version {meta['min_reader']}; this one reads version {SCHEMA}"
        )
    return "schema" in meta


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
    """Make the schema, unless another process does so first.

    Args:
        connection: One that may write.
        busy_timeout: How long to wait for other processes, in seconds.
    """
    _use_wal(connection, busy_timeout)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in ddl().split(";\n"):
            connection.execute(statement)
        connection.executemany(
            "INSERT OR IGNORE INTO lgckpt_meta (key, value) VALUES (?, ?)",
            [("schema", SCHEMA), ("min_reader", SCHEMA)],
        )
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    _mention_official_tables(connection)


def _mention_official_tables(connection: sqlite3.Connection) -> None:
    """Say it if LangGraph's own saver used this file: its checkpoints are not read from here."""
    tables = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN (?, ?)"
    if connection.execute(tables, ("checkpoints", "writes")).fetchone()[0] == 2:
        logger.warning(
            "this SQLite database holds checkpoints of LangGraph's own saver; "
            "lgckpt keeps its own beside them and does not read those"
        )
