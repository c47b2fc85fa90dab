"""`from_url`: a saver from one string."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from lgckpt.errors import ConfigurationError
from lgckpt.memory import MemorySaver
from lgckpt.postgres import PostgresSaver
from lgckpt.redis import RedisSaver
from lgckpt.saver import Saver
from lgckpt.sqlite import SqliteSaver


def from_url(url: str, **options: Any) -> Saver:
    """Make a saver.

    Args:
        url: `memory://`, `sqlite:///relative.db`, `sqlite:////absolute.db`,
            `sqlite:///:memory:`, `postgresql://user@host:5432/database` with the parameters
            that asyncpg knows; for Redis see `RedisSaver`.
        **options: Passed to the saver.

    Raises:
        ConfigurationError: The URL names no backend or no database.
    """
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise ConfigurationError("not a URL") from exc
    if parts.scheme in ("postgresql", "postgres"):
        return PostgresSaver(url, **options)
    if parts.scheme.startswith(("redis", "unix")):
        return RedisSaver(url, **options)
    if parts.query or parts.fragment:
        raise ConfigurationError("options are keyword arguments, not part of the URL")
    if parts.scheme == "memory":
        if parts.netloc or parts.path:
            raise ConfigurationError("an in-memory saver has no name: memory://")
        return MemorySaver(**options)
    if parts.scheme == "sqlite":
        if parts.netloc or not parts.path.strip("/"):
            raise ConfigurationError(
                "a SQLite URL has three slashes before a relative path and four before an "
                "absolute one: sqlite:///agents.db, sqlite:////var/lib/agents.db"
            )
        return SqliteSaver(unquote(parts.path[1:]), **options)
    raise ConfigurationError(
        f"no backend for URLs of scheme {parts.scheme!r}; there are: "
        "memory, sqlite, postgresql, redis"
    )
