"""The Postgres schema: made once, race-free, and recognised by its version.

`lgckpt_meta` holds two numbers: `schema`, the version that made the tables, and
`min_reader`, the oldest release format that can still work with them. A newer
release that only adds leaves `min_reader` as it is, and both work side by side.
"""

from __future__ import annotations

import logging
from hashlib import blake2b
from importlib import resources
from typing import Any

from lgckpt.backends.postgres_names import quoted
from lgckpt.errors import ConfigurationError, UnsupportedFormatError
from lgckpt.telling import tell

SCHEMA = 1
"""The schema version that this release makes and understands: its migrations are 1 to this."""

MIN_READER = 1
"""The oldest schema version whose releases can work with what this one makes."""

_META = """\
CREATE TABLE {schema}.lgckpt_meta (
    key text PRIMARY KEY,
    value integer NOT NULL
);
"""
_VERSION = """\
INSERT INTO {schema}.lgckpt_meta (key, value)
VALUES ('schema', {version}), ('min_reader', {min_reader})
ON CONFLICT (key) DO UPDATE SET value = excluded.value;
"""

logger = logging.getLogger(__name__)


def ddl(schema: str) -> str:
    """The statements that make the tables in a schema, for a person to read or run."""
    name = quoted(schema)
    made = f"CREATE SCHEMA IF NOT EXISTS {name};\n"
    return "\n".join([made, _META.replace("{schema}", name), *_steps(name, 0)])


def _steps(name: str, since: int) -> list[str]:
    """The migrations after a version, each with a record of it."""
    steps = []
    for version in range(since + 1, SCHEMA + 1):
        path = f"sql/postgres_{version}.sql"
        text = resources.files("lgckpt.backends").joinpath(path).read_text("utf-8")
        record = _VERSION.replace("{version}", str(version))
        record = record.replace("{min_reader}", str(min(version, MIN_READER)))
        steps.append(f"{text}\n{record}".replace("{schema}", name))
    return steps


async def prepare(connection: Any, schema: str) -> None:
    """Make or extend the tables unless they are there; needs no right when they are.

    Safe from many processes at once: all but one wait, then find the work done.

    Raises:
        UnsupportedFormatError: A newer release made them and this one cannot work with them.
        ConfigurationError: The database keeps no Unicode.
    """
    if await stored_version(connection, schema) >= SCHEMA:
        return
    encoding = await connection.fetchval("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise ConfigurationError(f"the database has encoding {encoding}; lgckpt needs UTF8")
    name = quoted(schema)
    lock = blake2b(f"lgckpt migrations of {schema}".encode(), digest_size=8).digest()
    async with connection.transaction(isolation="read_committed"):
        await connection.execute(
            "SELECT pg_catalog.pg_advisory_xact_lock($1)", int.from_bytes(lock, "big", signed=True)
        )
        version = await stored_version(connection, schema)
        if version >= SCHEMA:
            return
        if version == 0:
            found = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"
            if await connection.fetchval(found, schema) is None:
                await connection.execute(f"CREATE SCHEMA {name}")
            if not await _exists(connection, schema, "lgckpt_meta"):
                await connection.execute(_META.replace("{schema}", name))
        for step in _steps(name, version):
            await connection.execute(step)
        if version == 0:
            await _mention_official_tables(connection, schema)


async def _exists(connection: Any, schema: str, table: str) -> bool:
    found = await connection.fetchval(
        "SELECT 1 FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n"
        " ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2",
        schema,
        table,
    )
    return found is not None


async def stored_version(connection: Any, schema: str) -> int:
    """The version that is there, 0 if none is."""
    if not await _exists(connection, schema, "lgckpt_meta"):
        return 0
    rows = await connection.fetch(f"SELECT key, value FROM {quoted(schema)}.lgckpt_meta")
    meta: dict[str, int] = dict(rows)
    if meta.get("min_reader", 0) > SCHEMA:
        raise UnsupportedFormatError(
            f"schema {schema!r} has lgckpt tables of version {meta.get('schema')}, which need a "
            f"release that reads version {meta['min_reader']}; this one reads version {SCHEMA}"
        )
    return meta.get("schema", 0)


async def _mention_official_tables(connection: Any, schema: str) -> None:
    """Say it if LangGraph's own saver used this schema: its checkpoints are not read from here."""
    if await _exists(connection, schema, "checkpoint_blobs"):
        tell(
            logger,
            logging.WARNING,
            "other_tables",
            "schema %r holds checkpoints of LangGraph's own saver; "
            "lgckpt keeps its own beside them and does not read those",
            schema,
            database=schema,
        )
