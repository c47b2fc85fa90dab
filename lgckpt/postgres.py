"""The savers for Postgres."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from typing_extensions import Self

from lgckpt import lifetimes
from lgckpt.backends import postgres_schema
from lgckpt.errors import ConfigurationError
from lgckpt.saver import Compression, Saver

if TYPE_CHECKING:
    import asyncpg

Password = str | Callable[[], str] | Callable[[], Awaitable[str]]


class PostgresSaver(Saver):
    """Keeps checkpoints in Postgres (14 or later), for any number of threads and processes.

    A put, a `put_writes` and a get of a small state are one statement and one round trip
    each; a large state adds one for each level of its chunk trees. Puts that come while
    others are being committed share a transaction (group commit); each returns only once
    its own data is committed. An operation whose connection was lost is tried again.

    Args:
        conn: A `postgresql://` URL, with several hosts and `target_session_attrs` if you
            like, as asyncpg reads it; or an `asyncpg.Pool`, which stays yours to close and
            lives on its own event loop, where only the async methods can be called.
        serde: See `Saver`.
        compression: See `Saver`.
        schema: The schema of the tables, made if it is not there.
        read_url: Another URL, of a replica, to list from and to read checkpoints by their
            id; it may lag behind. The latest checkpoint is never read from there, nor is
            what a put or a resume relies on.
        min_size: Connections kept open.
        max_size: Connections at most.
        max_inactive_connection_lifetime: Seconds after which an idle one is closed.
        max_lifetime: Seconds after which connections are replaced; None for never.
        timeout: Seconds that a statement, or getting a connection, may take; None for ever.
        retry_for: Seconds in which an operation that lost its connection is tried again.
        password: A password, or a function that gives the one to connect with now.
        statement_cache_size: Named statements kept on each connection; 0 behind a pooler in
            transaction mode that does not know them (PgBouncer before 1.21).
        group_commit: Whether concurrent puts may share a transaction.
        ttl: How long a thread lives after its last put, in seconds or as a timedelta; None
            for ever. A put without a `ttl` makes a thread that had one live for ever.
        refresh_on_read: Whether reading a thread prolongs its life too.
        **connect: What else `asyncpg.connect` takes: `ssl`, `server_settings`, ...

    Raises:
        ConfigurationError: An option makes no sense, or asyncpg is not installed.
    """

    def __init__(
        self,
        conn: str | asyncpg.Pool,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
        schema: str = "public",
        read_url: str | None = None,
        min_size: int = 1,
        max_size: int = 10,
        max_inactive_connection_lifetime: float = 300.0,
        max_lifetime: float | None = None,
        timeout: float | None = 60.0,
        retry_for: float = 30.0,
        password: Password | None = None,
        statement_cache_size: int = 100,
        group_commit: bool = True,
        ttl: float | timedelta | None = None,
        refresh_on_read: bool = False,
        **connect: Any,
    ) -> None:
        try:
            from lgckpt.backends.postgres import PostgresStorage  # noqa: PLC0415
            from lgckpt.backends.postgres_pool import PoolOptions  # noqa: PLC0415
        except ImportError as exc:
            raise ConfigurationError(
                "a Postgres saver needs asyncpg: pip install 'lgckpt[postgres]'"
            ) from exc
        if max_size < 1 or min_size < 0:
            raise ConfigurationError("a pool has one connection at least")
        connect["statement_cache_size"] = statement_cache_size
        if password is not None:
            connect["password"] = password
        storage = PostgresStorage(
            conn,
            schema=schema,
            pool=PoolOptions(
                min_size=min_size,
                max_size=max_size,
                max_inactive_connection_lifetime=max_inactive_connection_lifetime,
                max_lifetime=max_lifetime,
                timeout=timeout,
                retry_for=retry_for,
                connect=connect,
            ),
            replica=read_url,
            group_commit=group_commit,
            ttl=lifetimes.seconds(ttl),
            refresh_on_read=refresh_on_read,
        )
        super().__init__(storage, serde=serde, compression=compression)

    @classmethod
    def from_conn_string(cls, conn_string: str, *, pipeline: bool = False, **options: Any) -> Self:
        """A saver on a URL; use it from `with` or `async with`.

        Args:
            conn_string: See `conn` of the class.
            pipeline: Taken as the official saver takes it; what can share a round trip does.
            **options: What else the class takes.
        """
        return cls(conn_string, **options)


class AsyncPostgresSaver(PostgresSaver):
    """The official name of the async saver: `setup` is awaitable, all else is `PostgresSaver`."""

    async def setup(self) -> None:  # type: ignore[override]
        """Create the schema if it is not there; the first use does the same."""
        await self.asetup()


def postgres_ddl(schema: str = "public") -> str:
    """The statements that make the Postgres tables.

    Args:
        schema: Where they are to be.

    Raises:
        ConfigurationError: No schema can have that name.
    """
    return postgres_schema.ddl(schema)
