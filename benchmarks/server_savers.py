"""The savers that need a server: the official ones and ours, each opened at its best settings.

What was tried for the official ones, and made no difference beyond the noise: one connection,
one connection in pipeline mode for as long as the saver is open, and transactions instead of
pipelines (slower) for Postgres; the hiredis parser for Redis. AsyncPostgresSaver holds a lock
around its pool, so a pool does not make one saver faster than a connection does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import redis.asyncio
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

import lgckpt
from benchmarks.savers import Saver, SaverKind

if TYPE_CHECKING:
    from langgraph.checkpoint.redis import RedisSaver
    from langgraph.checkpoint.redis.aio import AsyncRedisSaver

AsyncOpener = Callable[[str], AbstractAsyncContextManager[Saver]]

POOL = 10
"""Connections that each side may have."""


@contextmanager
def _postgres(url: str) -> Iterator[PostgresSaver]:
    # Autocommit, every statement prepared, and a pipeline in every put: what it chooses itself.
    with PostgresSaver.from_conn_string(url) as saver:
        saver.setup()
        yield saver


@asynccontextmanager
async def _async_postgres(url: str) -> AsyncIterator[AsyncPostgresSaver]:
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    async with AsyncConnectionPool(
        url, min_size=POOL, max_size=POOL, kwargs=options, open=False
    ) as pool:
        await pool.wait()
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver


def beside(saver: Saver, count: int) -> Sequence[AsyncPostgresSaver]:
    """Make official savers on one's pool: each has a lock of its own."""
    assert isinstance(saver, AsyncPostgresSaver)
    return [AsyncPostgresSaver(saver.conn) for _ in range(count)]


def _our_postgres(url: str) -> lgckpt.PostgresSaver:
    return lgckpt.PostgresSaver(url, min_size=POOL, max_size=POOL)


@contextmanager
def hasty_postgres(url: str) -> Iterator[lgckpt.PostgresSaver]:
    """Open ours for filling tables: what the server acknowledges, it may still lose."""
    settings = {"synchronous_commit": "off"}
    with lgckpt.PostgresSaver(url, server_settings=settings) as saver:
        yield saver


@asynccontextmanager
async def native_postgres(url: str) -> AsyncIterator[lgckpt.PostgresSaver]:
    """Open ours on a pool of the running event loop's: no call changes threads."""
    async with asyncpg.create_pool(url, min_size=POOL, max_size=POOL, reset=keep) as pool:
        saver = lgckpt.PostgresSaver(pool)
        await saver.asetup()
        yield saver


async def keep(_: Any) -> None:
    """Reset nothing when a connection returns to a pool: asyncpg's reset is a round trip."""


@contextmanager
def _redis(url: str) -> Iterator[RedisSaver]:
    from langgraph.checkpoint.redis import RedisSaver  # noqa: PLC0415 - for benchmarks alone

    with RedisSaver.from_conn_string(url) as saver:
        saver.setup()
        yield saver


@asynccontextmanager
async def _async_redis(url: str) -> AsyncIterator[AsyncRedisSaver]:
    from langgraph.checkpoint.redis.aio import AsyncRedisSaver  # noqa: PLC0415

    # With its own pool of 100, more clients than that are told "Too many connections".
    pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=64, timeout=None)
    client = redis.asyncio.Redis.from_pool(pool)
    async with client, AsyncRedisSaver.from_conn_string(redis_client=client) as saver:
        await saver.asetup()
        yield saver


def _our_redis(url: str) -> lgckpt.RedisSaver:
    return lgckpt.RedisSaver(url)


@asynccontextmanager
async def native_redis(url: str) -> AsyncIterator[lgckpt.RedisSaver]:
    """Open ours on a client of the running event loop's: no call changes threads."""
    async with redis.asyncio.Redis.from_url(url) as client:
        yield lgckpt.RedisSaver(redis_client=client)


OFFICIAL: dict[str, SaverKind[str]] = {
    "postgres": SaverKind("PostgresSaver", _postgres, _async_postgres),
    "redis": SaverKind("RedisSaver", _redis, _async_redis),
}
OURS: dict[str, SaverKind[str]] = {
    "postgres": SaverKind("lgckpt.PostgresSaver", _our_postgres, _our_postgres),
    "redis": SaverKind("lgckpt.RedisSaver", _our_redis, _our_redis),
}

# Ours where the caller made the connections, on the running event loop.
NATIVE: dict[str, AsyncOpener] = {"postgres": native_postgres, "redis": native_redis}


def sides(backend: str, *, self_check: bool) -> dict[str, SaverKind[str]]:
    """Both sides of a comparison; the official saver twice for a self-check."""
    official = OFFICIAL[backend]
    return {"ours": official if self_check else OURS[backend], "official": official}
