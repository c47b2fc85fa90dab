"""SQLite connections that a caller made: which file they are on, and whether they are open."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def is_open(connection: Any) -> bool:
    """Whether a connection, also one of aiosqlite, is opened and not closed."""
    try:
        connection.in_transaction  # noqa: B018 - it raises where there is none
    except (sqlite3.Error, ValueError):
        return False
    return True


def file_of(connection: sqlite3.Connection) -> str:
    """The file of a connection; "" of one in memory, and where it does not say.

    A connection that is closed, or bound to another thread, does not: its use raises then.
    """
    with suppress(sqlite3.Error):
        cursor = connection.cursor()
        cursor.row_factory = None
        return main_file(cursor.execute("PRAGMA database_list"))
    return ""


def main_file(databases: Iterable[Any]) -> str:
    """The file of the main database, from the rows of `PRAGMA database_list`; "" in memory."""
    for _, name, file in databases:
        if os.fsdecode(name) == "main":
            return os.fsdecode(file or "")
    return ""
