"""LangGraph's own savers by `langgraph+…` URLs, opened as their documentation says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from langgraph.checkpoint.base import BaseCheckpointSaver

from lgckpt.errors import ConfigurationError
from lgckpt.url import without_password

PREFIX = "langgraph+"

Opened = AbstractAsyncContextManager[BaseCheckpointSaver[Any]]


def open_official(url: str, connections: int) -> Opened:
    """Open one.

    Args:
        url: `langgraph+memory://`, `langgraph+sqlite:///path`, `langgraph+postgresql://…` or
            `langgraph+redis://…`.
        connections: Of a pool, where the saver takes one.

    Raises:
        ConfigurationError: There is no such saver.
    """
    scheme = urlsplit(url).scheme.removeprefix(PREFIX)
    if scheme not in _SAVERS:
        raise ConfigurationError(
            f"no saver of LangGraph's for URLs of scheme {PREFIX + scheme!r}; there are: "
            + ", ".join(PREFIX + known for known in ("memory", "sqlite", "postgresql", "redis"))
        )
    return _SAVERS[scheme](url.removeprefix(PREFIX), connections)


def _missing(url: str, package: str) -> ConfigurationError:
    return ConfigurationError(
        f"{PREFIX}{without_password(url)} needs the {package} package: pip install {package}"
    )


@asynccontextmanager
async def _memory(_: str, __: int) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    from langgraph.checkpoint.memory import InMemorySaver  # noqa: PLC0415

    yield InMemorySaver()


@asynccontextmanager
async def _sqlite(url: str, _: int) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver  # noqa: PLC0415
    except ImportError as exc:
        raise _missing(url, "langgraph-checkpoint-sqlite") from exc
    async with AsyncSqliteSaver.from_conn_string(unquote(urlsplit(url).path[1:])) as saver:
        await saver.setup()
        yield saver


@asynccontextmanager
async def _postgres(url: str, connections: int) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver  # noqa: PLC0415
        from psycopg import AsyncConnection  # noqa: PLC0415
        from psycopg.rows import DictRow, dict_row  # noqa: PLC0415
        from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415
    except ImportError as exc:
        raise _missing(url, "langgraph-checkpoint-postgres") from exc
    options: dict[str, Any] = {
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
    }
    async with AsyncConnectionPool(
        url,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=connections,
        kwargs=options,
        open=False,
    ) as pool:
        saver = AsyncPostgresSaver(pool)
        await saver.setup()
        yield saver


@asynccontextmanager
async def _redis(url: str, _: int) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    try:
        from langgraph.checkpoint.redis.aio import AsyncRedisSaver  # noqa: PLC0415
    except ImportError as exc:
        raise _missing(url, "langgraph-checkpoint-redis") from exc
    async with AsyncRedisSaver.from_conn_string(url) as saver:
        await saver.asetup()
        yield saver


_SAVERS: dict[str, Callable[[str, int], Opened]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
    "redis": _redis,
    "rediss": _redis,
}
