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

_SQL = (
    "CREATE TABLE {name} (thread_id text, ns text, id text, part text, payload {blob},"
    " PRIMARY KEY (thread_id, ns, id, part))"
)
_TABLES = ("checkpoints", "writes", "chunks")


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


def _by_table(number: int, items: Sequence[Item]) -> list[tuple[str, list[tuple[object, ...]]]]:
    return [
        (table, [(f"chat {number}", *i.key, i.payload) for i in items if i.table == table])
        for table in _TABLES
    ]


def into_sqlite(path: Path, threads: Sequence[Sequence[Item]]) -> None:
    """A transaction a thread, one statement prepared for each table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        for table in _TABLES:
            connection.execute(_SQL.format(name=table, blob="blob"))
        for number, items in enumerate(threads):
            connection.execute("BEGIN IMMEDIATE")
            for table, values in _by_table(number, items):
                connection.executemany(f"INSERT INTO {table} VALUES (?,?,?,?,?)", values)
            connection.execute("COMMIT")


async def into_postgres(url: str, threads: Sequence[Sequence[Item]]) -> None:
    """A transaction a thread on each of a few connections."""
    async with asyncpg.create_pool(url, min_size=WORKERS, max_size=WORKERS) as pool:
        for table in _TABLES:
            await pool.execute(_SQL.format(name=table, blob="bytea"))
        limit = asyncio.Semaphore(WORKERS)

        async def store(number: int, items: Sequence[Item]) -> None:
            async with limit, pool.acquire() as connection, connection.transaction():
                for table, values in _by_table(number, items):
                    statement = f"INSERT INTO {table} VALUES ($1,$2,$3,$4,$5)"
                    await connection.executemany(statement, values)

        await asyncio.gather(*(store(*each) for each in enumerate(threads)))


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
