"""SQLite connections that a caller made: which file they are on, and whether they are open.

A connection of aiosqlite serves its own thread and event loops, so the saver opens others
on the same file. That package is optional and is not imported: what is known of it is what
its versions from 0.20 on have in common.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeGuard

from lgckpt.errors import ConfigurationError, StorageError


class AsyncConnection(Protocol):
    """An `aiosqlite.Connection`."""

    @property
    def in_transaction(self) -> bool:
        """Whether it has work of its own; it raises `ValueError` where it is not open."""

    def cursor(self) -> Any:
        """A cursor, as an asynchronous context manager."""


class _Settings(NamedTuple):
    database: str
    uri: bool


def is_async(given: object) -> TypeGuard[AsyncConnection]:
    """Whether it is a connection of aiosqlite, by what its class has."""
    names = ("__await__", "cursor", "execute_fetchall", "in_transaction")
    return all(hasattr(type(given), name) for name in names)


def is_open(connection: sqlite3.Connection | AsyncConnection) -> bool:
    """Whether it is opened, as one of aiosqlite may not be yet, and not closed."""
    return _in_transaction(connection) is not None


def is_busy(connection: sqlite3.Connection | AsyncConnection) -> bool:
    """Whether it has a transaction open."""
    return bool(_in_transaction(connection))


def _in_transaction(connection: sqlite3.Connection | AsyncConnection) -> bool | None:
    try:
        return connection.in_transaction
    except (sqlite3.Error, ValueError):
        return None


def in_memory(name: str) -> bool:
    """Whether a path or URI names a database that only its connection knows."""
    return (
        name in (":memory:", "")
        or (name.startswith("file:") and "mode=memory" in name)
        or (name.startswith("file::memory:"))
    )


def absolute(name: str) -> str:
    """The path as it is now: connections opened later may find another working directory."""
    return name if in_memory(name) or name.startswith("file:") else os.path.abspath(name)


def file_of(connection: sqlite3.Connection) -> str:
    """The file of a connection; "" of one in memory, and where it does not say.

    A connection that is closed, or bound to another thread, does not: its use raises then.
    """
    with suppress(sqlite3.Error):
        cursor = connection.cursor()
        cursor.row_factory = None
        return _main(cursor.execute("PRAGMA database_list"))
    return ""


def database_of(connection: AsyncConnection) -> str:
    """The path or URI of a connection of aiosqlite, to open another one with.

    Raises:
        ConfigurationError: It is in memory, or does not say, as one that is made with a
            connector of its own does not before it is open.
        StorageError: It is open and cannot be asked.
    """
    settings = _settings(connection)
    if is_open(connection):
        found = _asked(connection)
        if found and settings is not None and settings.uri:
            found = settings.database
    elif settings is not None:
        found = settings.database
    else:
        raise ConfigurationError(
            "this aiosqlite connection does not say which file it is on before it is open: "
            "await it first, or pass the path in its place"
        )
    if in_memory(found):
        raise ConfigurationError(
            "what is in memory behind an aiosqlite connection cannot be opened again, as the "
            'saver would have to; pass ":memory:" or the path of a file in its place'
        )
    return found


def _settings(connection: AsyncConnection) -> _Settings | None:
    """What `aiosqlite.connect` was called with, which its connector keeps for later."""
    connector = getattr(connection, "_connector", None)
    if not inspect.isfunction(connector):
        return None
    kept = inspect.getclosurevars(connector).nonlocals
    database = kept.get("database")
    if not isinstance(database, (str, bytes, os.PathLike)):
        return None
    name = os.fsdecode(database)
    uri = bool(kept.get("kwargs", {}).get("uri")) and name.startswith("file:")
    return _Settings(name if uri or in_memory(name) else os.path.abspath(name), uri)


def _asked(connection: AsyncConnection) -> str:
    """What an open connection says itself, through a loop that may be waited for in any thread.

    It is waited for without a limit: an answer that comes to a loop that has gone ends the
    thread of aiosqlite.
    """

    async def ask() -> str:
        async with connection.cursor() as cursor:
            cursor.row_factory = None
            await cursor.execute("PRAGMA database_list")
            return _main(await cursor.fetchall())

    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(lambda: asyncio.run(ask())).result()
        except (sqlite3.Error, ValueError) as exc:
            raise StorageError(
                f"the aiosqlite connection does not say which file it is on: {exc}"
            ) from exc


def _main(databases: Iterable[Any]) -> str:
    """The file of the main database, from the rows of `PRAGMA database_list`; "" in memory."""
    for _, name, file in databases:
        if os.fsdecode(name) == "main":
            return os.fsdecode(file or "")
    return ""
