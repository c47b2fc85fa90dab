"""The schema of a database, for a person to read or run."""

from __future__ import annotations

from lgckpt.errors import ConfigurationError
from lgckpt.postgres import postgres_ddl
from lgckpt.sqlite import sqlite_ddl
from lgckpt.url import own_options

_WITHOUT = ("redis", "rediss", "unix", "memory", "file")
"""What keeps no schema; `redis+cluster` and the like are of the first."""


def ddl(url: str) -> str | None:
    """The statements that make what lgckpt keeps in a database; no connection is made.

    Args:
        url: As for `from_url`; the statements for Postgres name the schema of its
            `lgckpt_schema=`.

    Returns:
        They; None for a database without a schema.

    Raises:
        ConfigurationError: The URL names no database that is known.
    """
    rest, own = own_options(url)
    scheme = rest.partition("://")[0].lower() if "://" in rest else ""
    if scheme in ("postgresql", "postgres"):
        return postgres_ddl(own.get("schema", "public"))
    if scheme == "sqlite":
        return sqlite_ddl()
    if scheme.partition("+")[0] in _WITHOUT:
        return None
    raise ConfigurationError(
        f"no schema of lgckpt for URLs of scheme {scheme!r}; there are: postgresql, sqlite"
    )
