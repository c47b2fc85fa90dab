"""The saver for a SQLite file."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from langgraph.checkpoint.serde.base import SerializerProtocol
from typing_extensions import Self

from lgckpt import lifetimes
from lgckpt.backends import sqlite_schema
from lgckpt.backends.sqlite import SqliteStorage
from lgckpt.backends.sqlite_given import AsyncConnection
from lgckpt.errors import ConfigurationError
from lgckpt.saver import Compression, Saver


class SqliteSaver(Saver):
    """Keeps checkpoints in a SQLite file, for any number of threads and processes.

    Args:
        conn: A path, a `file:` URI, ":memory:", or a connection, which stays yours to close and
            whose file a child forked while it is open cannot use: an open
            `sqlite3.Connection` (made with `check_same_thread=False`) is used as it is; of an
            `aiosqlite.Connection`, open or not yet, the saver opens the file itself. A
            transaction of that one's own is then neither seen nor committed here.
        serde: See `Saver`.
        compression: See `Saver`.
        synchronous: "FULL" (LangGraph's own default) survives a power cut; "NORMAL" may
            lose the last checkpoints then, and nothing when only the process dies.
        busy_timeout: How long a write waits for other processes, in seconds.
        ttl: How long a thread lives after its last put, in seconds or as a timedelta; None
            for ever. A put without a `ttl` makes a thread that had one live for ever. What
            has expired is not shown any more, and is deleted in short transactions after
            puts, or by `sweep`. A release that wrote schema version 1 and still uses the file
            does not know of it: it shows a thread until it is swept, and its puts do not
            prolong the life of one that expires. Set `ttl` once the last of them has gone.
        refresh_on_read: Whether reading a thread prolongs its life too; a read then writes,
            once in a twentieth of the `ttl`.

    Raises:
        ConfigurationError: An option makes no sense, or an aiosqlite connection is in memory.

    Examples:
        >>> import lgckpt
        >>> with lgckpt.SqliteSaver.from_conn_string(":memory:") as saver:
        ...     saver.get_tuple({"configurable": {"thread_id": "1"}}) is None
        True
    """

    def __init__(
        self,
        conn: str | Path | sqlite3.Connection | AsyncConnection,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
        synchronous: Literal["FULL", "NORMAL"] = "FULL",
        busy_timeout: float = 60.0,
        ttl: float | timedelta | None = None,
        refresh_on_read: bool = False,
    ) -> None:
        self._given = None if isinstance(conn, (str, os.PathLike)) else conn
        storage = SqliteStorage(
            conn,
            synchronous=synchronous,
            busy_timeout=busy_timeout,
            ttl=lifetimes.seconds(ttl),
            refresh_on_read=refresh_on_read,
        )
        super().__init__(storage, serde=serde, compression=compression)

    @property
    def conn(self) -> Any:
        """The connection that was given, as the official saver has it.

        Raises:
            ConfigurationError: None was: the saver opens its own, and `close` closes them.
        """
        if self._given is None:
            raise ConfigurationError("this saver opens its own connections; close() closes them")
        return self._given

    @classmethod
    def from_conn_string(cls, conn_string: str) -> Self:
        """A saver on a path, a `file:` URI or ":memory:"; use it from `with` or `async with`."""
        return cls(conn_string)


class AsyncSqliteSaver(SqliteSaver):
    """The official name of the async saver: `setup` is awaitable, all else is `SqliteSaver`."""

    async def setup(self) -> None:  # type: ignore[override]
        """Create the schema if it is not there; the first use does the same."""
        await self.asetup()


def sqlite_ddl() -> str:
    """The statements that make the SQLite schema."""
    return sqlite_schema.ddl()
