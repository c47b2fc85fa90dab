"""What a database says of itself: its version, and how many bytes it holds."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.official import PREFIX
from lgckpt.migration.native import NativeSide
from lgckpt.url import from_url, own_options, without_password

LIMIT = 5.0
"""Seconds that a question may take."""

Asked = tuple[str, int | None]
"""The server's name and version, and its bytes; None where it does not tell."""


async def probe(url: str) -> Asked:
    """Ask a database.

    It is asked on a connection of its own each time: it may have been killed meanwhile. What does
    not answer tells nothing.
    """
    plain, _ = own_options(url.removeprefix(PREFIX))
    scheme = urlsplit(plain).scheme
    ask = _PROBES.get(scheme, _nothing)
    try:
        return await asyncio.wait_for(ask(plain), LIMIT)
    except Exception:
        return "", None


async def reach(url: str) -> None:
    """Ask a server once whether it is there: a saver goes on asking for half a minute.

    Raises:
        StorageError: It cannot be reached.
    """
    plain = url.removeprefix(PREFIX)
    if _PROBES.get(urlsplit(plain).scheme) not in (_postgres, _redis):
        return
    try:
        saver = from_url(plain)
    except ConfigurationError:
        # Another saver's driver may be the one that is installed.
        return
    side = NativeSide(saver, without_password(plain), owned=True)
    try:
        await side.facts()
    finally:
        await side.close()


async def _nothing(url: str) -> Asked:
    return urlsplit(url).scheme, None


async def _memory(_: str) -> Asked:
    return "memory of the process", None


async def _sqlite(url: str) -> Asked:
    path = unquote(urlsplit(url).path[1:])
    return f"SQLite {sqlite3.sqlite_version}", await asyncio.to_thread(_pages, path)


def _pages(path: str) -> int | None:
    """Bytes of the pages in use: the write-ahead log is made longer than what is in it."""
    if path == ":memory:":
        return None
    connection = sqlite3.connect(Path(path).absolute().as_uri() + "?mode=ro", uri=True, timeout=1)
    try:
        used, free, size = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count", "page_size")
        )
    finally:
        connection.close()
    return (used - free) * size


_SIZE = "SELECT current_setting('server_version'), pg_database_size(current_database())"


async def _postgres(url: str) -> Asked:
    try:
        import asyncpg  # noqa: PLC0415 - an extra
    except ImportError:
        import psycopg  # noqa: PLC0415 - what the official saver brings with it

        async with await psycopg.AsyncConnection.connect(url) as other:
            row: Any = await (await other.execute(_SIZE)).fetchone()
    else:
        connection = await asyncpg.connect(url)
        try:
            row = await connection.fetchrow(_SIZE)
        finally:
            await connection.close()
    return f"PostgreSQL {row[0].split()[0]}", int(row[1])


async def _redis(url: str) -> Asked:
    from redis.asyncio import Redis  # noqa: PLC0415 - an extra

    async with Redis.from_url(url) as client:
        server, memory = await client.info("server"), await client.info("memory")
    name = "Valkey" if "valkey_version" in server else "Redis"
    version = server.get("valkey_version") or server["redis_version"]
    return f"{name} {version}", int(memory["used_memory"])


_PROBES: dict[str, Callable[[str], Awaitable[Asked]]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
    "redis": _redis,
    "rediss": _redis,
    "unix": _redis,
}
