"""What a migration is held against: a loop over the public saver API, and plain inserts."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import asyncpg
import redis

import lgckpt
from benchmarks.measures.chats import Chat
from lgckpt.bulk import Batch
from lgckpt.migration.native import NativeSide
from lgckpt.saver import Saver

WORKERS = 4

TABLES = ("lgckpt_threads", "lgckpt_checkpoints", "lgckpt_writes", "lgckpt_chunks")

Rows = dict[str, list[tuple[object, ...]]]
"""Rows by table."""


class Item(NamedTuple):
    """One row to insert: its table, its key after the thread's, and all its bytes."""

    table: str
    key: tuple[str, str, str]
    payload: bytes


async def fill(saver: Saver, threads: int, length: int) -> None:
    """Store chats as an agent does, superstep by superstep."""
    for number in range(threads):
        await Chat(saver, f"chat {number}", seed=number, length=length).run()


def loop(source: Saver, target: Saver, threads: int) -> None:
    """Copy by `list`, `put` and `put_writes`, oldest first."""
    for number in range(threads):
        named = {"configurable": {"thread_id": f"chat {number}"}}
        for found in reversed(list(source.list(named))):
            at = found.parent_config or {
                "configurable": {
                    "thread_id": f"chat {number}",
                    "checkpoint_ns": found.config["configurable"]["checkpoint_ns"],
                }
            }
            versions = found.checkpoint["channel_versions"]
            config = target.put(at, found.checkpoint, found.metadata, versions)
            for task, writes in groupby(found.pending_writes or [], key=lambda w: w[0]):
                target.put_writes(config, [(channel, value) for _, channel, value in writes], task)


async def rows_of(source: Saver, threads: int) -> list[list[Item]]:
    """All that is stored, thread by thread, as bytes to be inserted."""
    side = NativeSide(source, "source", owned=False)
    found = []
    for number in range(threads):
        name = f"chat {number}"
        marks = await side.marks(name, None, 100_000)
        batch = await side.fetch(name, [mark.place for mark in marks], lambda _: False)
        found.append(_items(batch))
    return found


def _items(batch: Batch) -> list[Item]:
    items = [
        Item(
            "checkpoints",
            (row.checkpoint_ns, row.checkpoint_id, ""),
            row.etag + row.metadata + row.state + row.refs,
        )
        for row in batch.rows
    ]
    items += [
        Item(
            "writes",
            (write.checkpoint_ns, write.checkpoint_id, f"{write.task_id} {write.idx}"),
            f"{write.task_path} {write.channel} {write.tag}".encode() + write.value + write.refs,
        )
        for write in batch.writes
    ]
    return items + [
        Item("chunks", ("", chunk.hash.hex(), ""), chunk.frame) for chunk in batch.chunks
    ]


def _by_thread(found: Rows) -> list[Rows]:
    """The thread's number is the first column of every table."""
    threads: dict[object, Rows] = {}
    for table, rows in found.items():
        for row in rows:
            threads.setdefault(row[0], {}).setdefault(table, []).append(row)
    return list(threads.values())


def from_sqlite(path: Path) -> list[Rows]:
    """All rows of a migrated file, thread by thread."""
    with closing(sqlite3.connect(path)) as connection:
        return _by_thread({t: connection.execute(f"SELECT * FROM {t}").fetchall() for t in TABLES})


def into_sqlite(path: Path, threads: Sequence[Rows]) -> None:
    """Into the tables of a saver: a transaction a thread, one statement prepared for each table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(lgckpt.sqlite_ddl())
        for thread in threads:
            connection.execute("BEGIN IMMEDIATE")
            for table, rows in thread.items():
                marks = ",".join("?" * len(rows[0]))
                connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            connection.execute("COMMIT")


async def from_postgres(url: str) -> list[Rows]:
    """All rows of a migrated database, thread by thread."""
    connection = await asyncpg.connect(url)
    try:
        found: Rows = {}
        for table in TABLES:
            rows = await connection.fetch(f"SELECT * FROM {table}")
            found[table] = [tuple(row.values()) for row in rows]
        return _by_thread(found)
    finally:
        await connection.close()


async def into_postgres(url: str, threads: Sequence[Rows]) -> None:
    """Into the tables of a saver: a transaction a thread on each of a few connections."""
    async with asyncpg.create_pool(url, min_size=WORKERS, max_size=WORKERS) as pool:
        await pool.execute(lgckpt.postgres_ddl())
        limit = asyncio.Semaphore(WORKERS)

        async def store(thread: Rows) -> None:
            async with limit, pool.acquire() as connection, connection.transaction():
                for table, rows in thread.items():
                    marks = ",".join(f"${n + 1}" for n in range(len(rows[0])))
                    await connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)

        await asyncio.gather(*map(store, threads))


def into_redis(url: str, threads: Sequence[Sequence[Item]]) -> None:
    """A MULTI a thread, one HSET a row."""
    with redis.Redis.from_url(url) as client:
        for number, items in enumerate(threads):
            pipeline = client.pipeline(transaction=True)
            for item in items:
                name = f"bare:{number}:{item.table}"
                pipeline.hset(name, "\0".join(item.key), item.payload)  # type: ignore[arg-type]
            pipeline.execute()


def migrate(source: str, target: str) -> None:
    """What is measured.

    Raises:
        AssertionError: Nothing was moved.
    """
    done = lgckpt.migrate(source, target, workers=WORKERS)
    if not done.ok or not done.checkpoints:
        raise AssertionError(f"nothing was moved: {done}")
