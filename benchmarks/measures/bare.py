"""The least that storing the same bytes costs: plain INSERTs over asyncpg, and no saver."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import NamedTuple

import asyncpg
import psycopg

from benchmarks.measures.chats import CLIENTS, MESSAGES, Chat
from benchmarks.relations import content, rows
from benchmarks.server_savers import AsyncOpener

_TABLE = """
    CREATE TABLE {0} (
        thread_id text, checkpoint_id text, payload bytea, PRIMARY KEY (thread_id, checkpoint_id)
    );
    ALTER TABLE {0} ALTER COLUMN payload SET STORAGE EXTERNAL
"""
_TABLES = ("puts", "writes")
_PUT, _WRITE = (f"INSERT INTO {table} VALUES ($1, $2, $3)" for table in _TABLES)

_THREAD, _CHECKPOINT = "chat-{:04d}-{:04d}", "{:036d}"
_KEY_BYTES = len(_THREAD.format(0, 0) + _CHECKPOINT.format(0))


class Stored(NamedTuple):
    """The bytes of the rows that one superstep of a saver adds or changes."""

    put: bytes
    writes: bytes


async def stored_by(opener: AsyncOpener, url: str, length: int) -> list[Stored]:
    """Run one chat of a saver, and see what each superstep stores.

    Args:
        opener: Opens the saver.
        url: A database of its own, or one that nobody else uses meanwhile.
        length: Of the chat, in messages.
    """
    found = []
    async with opener(url) as saver:
        chat = Chat(saver, "bytes", seed=0, length=length)
        # The tables are there, but nothing in them yet.
        await saver.aget_tuple(chat.thread.latest)
        with psycopg.connect(url, autocommit=True) as connection:
            before = rows(connection)
            for superstep in chat.supersteps:
                config = await saver.aput(*superstep.put)
                middle = rows(connection)
                await saver.aput_writes(config, superstep.writes, superstep.task_id)
                after = rows(connection)
                found.append(Stored(content(middle - before), content(after - middle)))
                before = after
    return found


class Bare:
    """A side of the comparison: two statements a superstep, each its own transaction.

    asyncpg at its best: prepared statements, a connection for the whole superstep, and no
    reset of connections that go back to the pool. Values are stored as they are.

    Args:
        pool: On an empty database.
        plan: What a chat stores, every client the same; keys take as much less of it as they
            are long.
        count: Of clients.
    """

    def __init__(self, pool: asyncpg.Pool, plan: Sequence[Stored], count: int = CLIENTS) -> None:
        self._pool = pool
        self._plan = [Stored(*(payload[_KEY_BYTES:] for payload in stored)) for stored in plan]
        self._count = count

    async def setup(self) -> None:
        """Create the tables."""
        for table in _TABLES:
            await self._pool.execute(_TABLE.format(table))

    async def rate(self, number: int, length: int = MESSAGES) -> float:
        """Store all chats at once, and read them back.

        Args:
            number: Of the round: threads are others in each.
            length: Of each client's chat, in messages.

        Returns:
            Supersteps a second.

        Raises:
            AssertionError: What is stored is not what was inserted.
        """
        plan = self._plan[:length]
        threads = [_THREAD.format(number, client) for client in range(self._count)]
        start = perf_counter()
        await asyncio.gather(*(self._insert(thread_id, plan) for thread_id in threads))
        seconds = perf_counter() - start
        for table, payloads in zip(_TABLES, zip(*plan, strict=True), strict=True):
            for thread_id in threads:
                await self._check(table, thread_id, payloads)
        return self._count * len(plan) / seconds

    async def _insert(self, thread_id: str, plan: Sequence[Stored]) -> None:
        for step, stored in enumerate(plan):
            key = _CHECKPOINT.format(step)
            async with self._pool.acquire() as connection:
                await connection.execute(_PUT, thread_id, key, stored.put)
                await connection.execute(_WRITE, thread_id, key, stored.writes)

    async def _check(self, table: str, thread_id: str, payloads: Sequence[bytes]) -> None:
        question = f"SELECT payload FROM {table} WHERE thread_id = $1 ORDER BY checkpoint_id"
        found = await self._pool.fetch(question, thread_id)
        if [record["payload"] for record in found] != list(payloads):
            raise AssertionError(f"{table} of {thread_id} holds other bytes than were inserted")
