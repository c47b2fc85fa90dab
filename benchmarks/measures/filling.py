"""Fills databases with many small threads, sooner than a saver in use does.

All but one way go through a saver, with commits that need not be on the disk. The official
Postgres saver would take minutes for 100,000 threads: rows that it put are copied within the
database, under other thread ids.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import asyncpg
import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

import lgckpt
from benchmarks.savers import Saver
from benchmarks.server_savers import keep
from benchmarks.workloads.thread import PutArguments, Thread
from benchmarks.workloads.values import scalars

_AT_ONCE = 512

Fill = Callable[[Any, int, int], None]
"""Adds the threads from one number up to another to what is at a path or a URL."""


def _first(saver: Saver, index: int) -> PutArguments:
    return Thread(saver, f"thread-{index}").advance(scalars(0))


def _our_sqlite(path: Any, begin: int, end: int) -> None:
    with lgckpt.SqliteSaver(path, synchronous="OFF") as saver:
        for index in range(begin, end):
            saver.put(*_first(saver, index))


def _official_sqlite(path: Any, begin: int, end: int) -> None:
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        saver = SqliteSaver(connection)
        for index in range(begin, end):
            saver.put(*_first(saver, index))


def _our_postgres(url: Any, begin: int, end: int) -> None:
    asyncio.run(_fill_postgres(url, begin, end))


async def _fill_postgres(url: str, begin: int, end: int) -> None:
    hasty = {"synchronous_commit": "off"}
    async with asyncpg.create_pool(url, server_settings=hasty, reset=keep) as pool:
        saver = lgckpt.PostgresSaver(pool)
        for start in range(begin, end, _AT_ONCE):
            indexes = range(start, min(start + _AT_ONCE, end))
            await asyncio.gather(*(saver.aput(*_first(saver, index)) for index in indexes))


def _official_postgres(url: Any, begin: int, end: int) -> None:
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        if begin == 0:
            saver.put(*Thread(saver, "copied").advance(scalars(0)))
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _COPY:
            connection.execute(statement, {"begin": begin, "end": end})
        connection.execute("ANALYZE")


_COPY = tuple(
    f"INSERT INTO {table} SELECT copied.* FROM generate_series(%(begin)s, %(end)s - 1) AS n,"
    f" LATERAL (SELECT (jsonb_populate_record(original, jsonb_build_object('thread_id',"
    f" 'thread-' || n))).* FROM {table} AS original WHERE thread_id = 'copied') AS copied"
    for table in ("checkpoints", "checkpoint_blobs")
)

FILL: dict[tuple[str, str], Fill] = {
    ("sqlite", "ours"): _our_sqlite,
    ("sqlite", "official"): _official_sqlite,
    ("postgres", "ours"): _our_postgres,
    ("postgres", "official"): _official_postgres,
}
"""By backend and side."""
