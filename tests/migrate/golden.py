"""The databases of older releases, in the schema that each had."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import sql

from tests.migrate.layouts import path_of, postgres_database, sqlite_database

HERE = Path(__file__).parent.parent / "golden" / "langgraph"
NAMES = ("1.0", "2.0.0", "2.0-last", "3.0")


@contextmanager
def golden_sqlite(name: str) -> Iterator[str]:
    with sqlite_database() as url:
        shutil.copy(HERE / f"{name}.db", path_of(url))
        yield url


@contextmanager
def golden_postgres(name: str) -> Iterator[str]:
    tables = json.loads((HERE / f"{name}.json").read_text())
    done = [row[0] for row in tables.get("checkpoint_migrations", {"rows": [[4]]})["rows"]]
    with postgres_database() as url:
        with connected(url) as connection:
            migrate(connection, max(done))
            for table, content in tables.items():
                if table != "checkpoint_migrations":
                    insert(connection, table, content["columns"], content["rows"])
        yield url


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url.removeprefix("langgraph+"), autocommit=True) as connection:
        yield connection


def migrate(connection: psycopg.Connection[Any], version: int) -> None:
    """Make the tables as they were at that version."""
    for number, statement in enumerate(PostgresSaver.MIGRATIONS[: version + 1]):
        connection.execute(statement)  # type: ignore[call-overload]
        connection.execute("INSERT INTO checkpoint_migrations VALUES (%s)", (number,))


def insert(
    connection: psycopg.Connection[Any], table: str, columns: list[str], rows: list[list[Any]]
) -> None:
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
    )
    for row in rows:
        connection.execute(statement, list(map(_cell, columns, row)))


def _cell(column: str, value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"base64"}:
        return base64.b64decode(value["base64"])
    return json.dumps(value) if column in ("checkpoint", "metadata") else value
