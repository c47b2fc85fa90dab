"""What asyncpg raises: which of it may be tried again, and how it is told to the caller."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from lgckpt.errors import ConfigurationError, StorageError

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InternalClientError,
)
"""The server or the way to it is gone, or it is another server by now.

`InternalClientError` too: asyncpg raises it on a connection whose end it has half read.
"""

PASSING = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Nothing was stored, and the next attempt may well succeed."""

_PORTS = re.compile(r"(([^:,\[\]]*|\[[^\]]*\])(:\d*)?(,|$))*\Z")
"""Hosts, each with a port or without; IPv6 addresses are in brackets."""

TIMEOUTS = (asyncio.TimeoutError, TimeoutError)


def is_lost(exc: BaseException) -> bool:
    """Whether the connection failed, rather than what was asked of it."""
    if isinstance(exc, TIMEOUTS):
        return False
    if isinstance(exc, (asyncpg.DataError, asyncpg.ClientConfigurationError)):
        return False
    if isinstance(exc, asyncpg.InterfaceError):
        return "pool is" not in str(exc)  # closed or never opened: no other connection helps
    return isinstance(exc, (*LOST, OSError))


def may_pass(exc: BaseException) -> bool:
    """Whether another attempt makes sense; every verb of the storage may be repeated."""
    return is_lost(exc) or isinstance(exc, PASSING)


def server_of(url: str) -> tuple[str, str | None, int | None]:
    """Database, host and port of a URL that `place_of` takes; no host where there are several."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    database = unquote(parts.path.lstrip("/"))
    if not hosts or "," in hosts:
        return database, None, None
    return database, parts.hostname, parts.port or 5432


def place_of(url: str) -> str:
    """Hosts, ports and database of a URL, to be named in errors: no user and no password.

    Raises:
        ConfigurationError: It is no URL of Postgres, or not as asyncpg reads it.
    """
    if not isinstance(url, str) or not re.match("postgres(ql)?://", url):
        raise ConfigurationError("a Postgres saver takes a postgresql:// URL or an asyncpg.Pool")
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        parts = None  # what it says may be part of a password, and so may not be its cause either
    if parts is None:
        raise ConfigurationError("the Postgres URL is malformed")
    user, _, hosts = parts.netloc.rpartition("@")
    if "@" in user or parts.fragment or (not user and "@" in parts.path) or not _PORTS.match(hosts):
        raise ConfigurationError(
            "the Postgres URL is malformed; user and password in it are to be percent-encoded"
        )
    hosts = hosts or options.get("host", ["localhost"])[-1]
    database = unquote(parts.path.lstrip("/")) or options.get("dbname", ["the default"])[-1]
    return f"database {database!r} at {unquote(hosts)}"


def translated(exc: BaseException, place: str, timeout: float | None) -> StorageError | None:
    """The error to raise from `exc`; None if `exc` is none of the driver's."""
    if isinstance(exc, TIMEOUTS):
        return StorageError(f"{place}: no answer within {timeout} seconds")
    if isinstance(
        exc, (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
    ):
        return StorageError(f"{place}: {_reason(exc)}")
    if isinstance(exc, OSError):
        return StorageError(f"{place} cannot be reached: {_reason(exc)}")
    return None


def _reason(exc: BaseException) -> str:
    return str(exc).strip() or type(exc).__name__
