"""The one table of backends: a new backend's contract test is one entry here."""

from __future__ import annotations

import sqlite3
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lgckpt
from lgckpt.saver import Saver
from tests.services import redis_rows
from tests.services.postgres_schemas import damage_postgres, open_older_postgres, open_postgres
from tests.services.valkey import drop_prefix, shared_url


@dataclass(frozen=True)
class Backend:
    """One way to run a saver.

    Attributes:
        name: Test id.
        open: Opens a fresh, empty saver; keyword arguments go to its constructor.
        damage: Changes one stored cell: `damage(saver, table, column, change)` applies
            `change` to `column` ("state", "metadata", "refs", "value", "frame") of every row of
            `table` ("checkpoints", "writes", "chunks").
        durable: Whether what is stored outlives the saver.
        longest_key: Bytes that a checkpoint's and a task's names may have together.
    """

    name: str
    open: Callable[..., AbstractContextManager[Saver]]
    damage: Callable[[Saver, str, str, Callable[[bytes], bytes]], None]
    durable: bool
    longest_key: int | None = None


@contextmanager
def open_memory(**options: Any) -> Iterator[Saver]:
    with lgckpt.MemorySaver(**options) as saver:
        yield saver


@contextmanager
def open_sqlite_file(**options: Any) -> Iterator[Saver]:
    with (
        tempfile.TemporaryDirectory() as directory,
        lgckpt.SqliteSaver(Path(directory) / "agents.db", **options) as saver,
    ):
        yield saver


@contextmanager
def open_sqlite_memory(**options: Any) -> Iterator[Saver]:
    with lgckpt.SqliteSaver(":memory:", **options) as saver:
        yield saver


@contextmanager
def open_redis(**options: Any) -> Iterator[Saver]:
    url, prefix = shared_url(), f"test-{uuid.uuid4().hex}"
    try:
        with lgckpt.RedisSaver(url, prefix=prefix, **options) as saver:
            yield saver
    finally:
        drop_prefix(url, prefix)


def damage_memory(saver: Saver, table: str, column: str, change: Callable[[bytes], bytes]) -> None:
    for thread in saver._handle.storage._all.values():
        if table == "chunks":
            thread.chunks = {h: change(frame) for h, frame in thread.chunks.items()}
        elif table == "checkpoints":
            for place, row in thread.rows.items():
                thread.rows[place] = row._replace(**{column: change(getattr(row, column))})
        else:
            for batch in thread.writes.values():
                for name, row in batch.items():
                    batch[name] = row._replace(**{column: change(getattr(row, column))})


def damage_sqlite(saver: Saver, table: str, column: str, change: Callable[[bytes], bytes]) -> None:
    storage = saver._handle.storage
    with storage._write() as connection:
        damage_connection(connection, table, column, change)


def damage_connection(
    connection: sqlite3.Connection, table: str, column: str, change: Callable[[bytes], bytes]
) -> None:
    rows = connection.execute(f"SELECT rowid, {column} FROM lgckpt_{table}").fetchall()
    connection.executemany(
        f"UPDATE lgckpt_{table} SET {column} = ? WHERE rowid = ?",
        [(change(value), rowid) for rowid, value in rows],
    )


BACKENDS = [
    Backend("memory", open_memory, damage_memory, durable=False),
    Backend("sqlite", open_sqlite_file, damage_sqlite, durable=True),
    Backend("sqlite-memory", open_sqlite_memory, damage_sqlite, durable=False),
    Backend("postgres", open_postgres, damage_postgres, durable=True, longest_key=2500),
    Backend("redis", open_redis, redis_rows.damage, durable=True),
]
OLDER_POSTGRES = Backend(
    "postgres-older", open_older_postgres, damage_postgres, durable=True, longest_key=2500
)
"""The system's own, of an older version: for fewer tests."""
