"""Threads by name and number, and the moment each expires at."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from lgckpt.backends.sqlite_schema import select

ANY_EXPIRES = "EXISTS (SELECT 1 FROM lgckpt_threads WHERE expires_at IS NOT NULL)"
"""Answered by an index that is empty where no thread expires, and so is always at hand."""

LIFE = "SELECT tid, expires_at FROM lgckpt_threads WHERE tid = ?"
LIVES = "(expires_at IS NULL OR expires_at > ?)"

_TABLES = ("lgckpt_writes", "lgckpt_checkpoints", "lgckpt_chunks")


class Life(NamedTuple):
    """A thread's number, and how long it lives.

    Attributes:
        tid: Its number.
        expires_at: Milliseconds since 1970, or None for never; of any type in a damaged file.
    """

    tid: int
    expires_at: object


def now() -> int:
    """Milliseconds since 1970: all processes on one file share a clock."""
    return int(time.time() * 1000)


def is_over(expires_at: object) -> bool:
    """Whether a thread has expired."""
    return isinstance(expires_at, int) and expires_at <= now()


def find_life(connection: sqlite3.Connection, thread_id: str) -> Life | None:
    """A thread, or None if it has no rows or has expired."""
    found = find_any(connection, thread_id)
    return None if found is None or is_over(found.expires_at) else found


def find_any(connection: sqlite3.Connection, thread_id: str) -> Life | None:
    """A thread that is there, expired or not."""
    query = "SELECT tid, expires_at FROM lgckpt_threads WHERE thread_id = ?"
    found = select(connection, query, (thread_id,)).fetchone()
    return None if found is None else Life(int(found[0]), found[1])


def find_tid(connection: sqlite3.Connection, thread_id: str) -> int | None:
    """The number of a thread, or None if it has no rows or has expired."""
    found = find_life(connection, thread_id)
    return None if found is None else found.tid


def new_tid(connection: sqlite3.Connection, thread_id: str, expires_at: int | None) -> int:
    """Number a thread that has no rows yet."""
    cursor = connection.execute(
        "INSERT INTO lgckpt_threads (thread_id, expires_at) VALUES (?, ?)", (thread_id, expires_at)
    )
    tid = cursor.lastrowid
    if tid is None:
        raise sqlite3.InternalError("an INSERT gave no rowid")
    return tid


def expired(connection: sqlite3.Connection, most: int) -> list[int]:
    """The numbers of some threads that have expired."""
    query = "SELECT tid FROM lgckpt_threads WHERE expires_at <= ? LIMIT ?"
    return [row[0] for row in connection.execute(query, (now(), most))]


def bury(connection: sqlite3.Connection, tids: Iterable[int]) -> None:
    """Take the names from threads, and leave their rows for `clear`.

    However many rows there are, this takes no time; a number is never used again.
    """
    for tid in tids:
        connection.execute("INSERT OR IGNORE INTO lgckpt_gone (tid) VALUES (?)", (tid,))
        connection.execute("DELETE FROM lgckpt_threads WHERE tid = ?", (tid,))


def clear(connection: sqlite3.Connection, most: int) -> bool:
    """Delete some rows of a buried thread; False if there is none."""
    found = connection.execute("SELECT tid FROM lgckpt_gone LIMIT 1").fetchone()
    if found is None:
        return False
    for table in _TABLES:
        deleted = connection.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE tid = ? LIMIT ?)",
            (found[0], most),
        )
        most -= deleted.rowcount
        if most <= 0:
            return True
    connection.execute("DELETE FROM lgckpt_gone WHERE tid = ?", (found[0],))
    return True


def delete(connection: sqlite3.Connection, thread_id: str) -> None:
    """Delete all rows of a thread, expired or not."""
    found = find_any(connection, thread_id)
    if found is not None:
        for table in (*_TABLES, "lgckpt_threads"):
            connection.execute(f"DELETE FROM {table} WHERE tid = ?", (found.tid,))
