"""From a URL to one of LangGraph's own layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.errors import ConfigurationError
from lgckpt.migration.langgraph.sqlite import SqliteLayout
from lgckpt.migration.sides import Side
from lgckpt.saver import Compression
from lgckpt.url import without_password

PREFIX = "langgraph+"


def open_layout(
    url: str,
    *,
    serde: SerializerProtocol | None = None,
    compression: Compression | None = "lz4",
) -> Side:
    """Open LangGraph's own tables, or keys.

    Args:
        url: `langgraph+sqlite:///path`, `langgraph+postgresql://…` or `langgraph+redis://…`.
        serde: What reads what cannot be moved as it is: whole checkpoints that are encrypted.
        compression: Of the chunks that values read from here are cut into.

    Raises:
        ConfigurationError: There is no such layout, or its driver is not installed.
    """
    scheme = urlsplit(url).scheme.removeprefix(PREFIX)
    base = scheme.partition("+")[0]
    if base not in _LAYOUTS:
        raise ConfigurationError(
            f"no layout of LangGraph's for URLs of scheme {PREFIX + scheme!r}; there are: "
            + ", ".join(PREFIX + known for known in ("sqlite", "postgresql", "redis"))
        )
    options = {"serde": serde, "compression": compression}
    return _LAYOUTS[base](url.removeprefix(PREFIX), without_password(url), options)


def _sqlite(url: str, name: str, options: dict[str, Any]) -> Side:
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment or not parts.path.strip("/"):
        raise ConfigurationError(
            f"{name}: a SQLite URL has three slashes before a relative path and four before an "
            "absolute one, and nothing after it: langgraph+sqlite:///agents.db"
        )
    return SqliteLayout(unquote(parts.path[1:]), name, **options)


def _postgres(url: str, name: str, options: dict[str, Any]) -> Side:
    try:
        from lgckpt.migration.langgraph.postgres import PostgresLayout  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(
            f"{name} needs the asyncpg package: pip install 'lgckpt[postgres]'"
        ) from exc
    return PostgresLayout(url, name, **options)


def _redis(url: str, name: str, options: dict[str, Any]) -> Side:
    try:
        from lgckpt.migration.langgraph.redis import RedisLayout  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(
            f"{name} needs the redis package: pip install 'lgckpt[redis]'"
        ) from exc
    return RedisLayout(url, name, **options)


_LAYOUTS: dict[str, Callable[[str, str, dict[str, Any]], Side]] = {
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "postgres": _postgres,
    "redis": _redis,
    "rediss": _redis,
}
