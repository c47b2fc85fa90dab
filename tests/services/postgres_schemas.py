"""A schema of its own for every test, and what the tests see of it behind the saver's back."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

import lgckpt
from lgckpt.backends.postgres import PostgresStorage
from tests.services.postgres import URL_VARIABLE, older_server, postgres_url

NO_OLDER = "no PostgreSQL of 14 to 17 in /usr/lib/postgresql"
TABLES = ("threads", "checkpoints", "writes", "chunks")

_numbers = count()
_free: dict[str, list[str]] = {}
"""Schemas by server that were made, used and emptied: making one takes longer than a test."""


@contextmanager
def schema_of(url: str) -> Iterator[str]:
    """An empty schema, with tables or without; its name needs quotes."""
    free = _free.setdefault(url, [])
    name = free.pop() if free else f'lgckpt "tests" {os.getpid()} {next(_numbers)}'
    yield name
    if _empty(url, name):
        free.append(name)


@contextmanager
def database_of(url: str) -> Iterator[str]:
    """The URL of an empty database on the server, for a block."""
    name = f"lgckpt tests {os.getpid()} {next(_numbers)}"
    connection = _connection(url)
    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(url)._replace(path=quote(f"/{name}")).geturl()
    finally:
        dropped = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(dropped)


def _empty(url: str, schema: str) -> bool:
    """Delete all rows; False if there are no tables to empty."""
    connection = _connection(url)
    qualified = sql.Identifier(schema, "lgckpt_threads").as_string(connection)
    if connection.execute("SELECT to_regclass(%s)", (qualified,)).fetchone() == (None,):
        return False
    for table in TABLES:
        name = sql.Identifier(schema, f"lgckpt_{table}")
        connection.execute(sql.SQL("DELETE FROM {}").format(name))
    return True


@cache
def _connection(url: str) -> psycopg.Connection[Any]:
    connection = psycopg.connect(url, autocommit=True)
    if os.environ.get(URL_VARIABLE) == url:
        atexit.register(_drop_all, connection)
    else:
        atexit.register(connection.close)
    return connection


def _drop_all(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE %s",
        (f'lgckpt "tests" {os.getpid()} %',),
    ).fetchall()
    for (name,) in found:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
    connection.close()


@contextmanager
def connected(storage: PostgresStorage) -> Iterator[psycopg.Connection[Any]]:
    """A connection that finds the storage's tables without their schema's name."""
    connection = _connection(storage._primary._source)
    quoted = sql.Identifier(storage._schema).as_string(connection)
    connection.execute("SELECT set_config('search_path', %s, false)", (quoted,))
    yield connection


@contextmanager
def open_postgres(**options: Any) -> Iterator[lgckpt.PostgresSaver]:
    """A saver on an empty schema."""
    url = postgres_url()
    with schema_of(url) as name, lgckpt.PostgresSaver(url, schema=name, **options) as saver:
        yield saver


@contextmanager
def open_older_postgres(**options: Any) -> Iterator[lgckpt.PostgresSaver]:
    """The same on the oldest version that the system has; skips where it has none."""
    server = older_server()
    if server is None:
        pytest.skip(NO_OLDER)
    with (
        schema_of(server.url) as name,
        lgckpt.PostgresSaver(server.url, schema=name, **options) as saver,
    ):
        yield saver


@contextmanager
def saver_beside(storage: PostgresStorage, **options: Any) -> Iterator[lgckpt.PostgresSaver]:
    """Another saver on the same tables."""
    with lgckpt.PostgresSaver(storage._primary._source, schema=storage._schema, **options) as saver:
        yield saver


def damage_postgres(
    saver: lgckpt.PostgresSaver, table: str, column: str, change: Callable[[bytes], bytes]
) -> None:
    """Apply a change to a column of every row."""
    with connected(saver._handle.storage) as connection:
        name = sql.Identifier(f"lgckpt_{table}")
        cell = sql.Identifier(column)
        rows = connection.execute(sql.SQL("SELECT ctid, {} FROM {}").format(cell, name)).fetchall()
        for place, value in rows:
            changed = change(value)
            if changed != value:
                connection.execute(
                    sql.SQL("UPDATE {} SET {} = %s WHERE ctid = %s").format(name, cell),
                    (changed, place),
                )
