"""What a SQLite file holds, seen from outside: without knowing whose tables they are."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path


def file_bytes(path: Path) -> int:
    """Fold the write-ahead log into a closed database and return the bytes of its files."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return sum(file.stat().st_size for file in path.parent.glob(path.name + "*"))


def rows(path: Path) -> Counter[tuple[str, tuple[object, ...]]]:
    """Read every row of every table, while the database is in use."""
    found: Counter[tuple[str, tuple[object, ...]]] = Counter()
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        for (table,) in tables:
            found.update((table, row) for row in connection.execute(f'SELECT * FROM "{table}"'))
    return found


def payload(rows: Counter[tuple[str, tuple[object, ...]]]) -> int:
    """Sum up the bytes of all columns of rows, as SQLite stores the values."""
    return sum(
        count * sum(_value_bytes(value) for value in row) for (_, row), count in rows.items()
    )


def _value_bytes(value: object) -> int:
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, int):
        return 0 if value in (0, 1) else min(8, (value.bit_length() + 8) // 8)
    return 8 if isinstance(value, float) else 0
