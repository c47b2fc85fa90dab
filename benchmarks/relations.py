"""What a Postgres database holds, seen from outside: without knowing whose tables they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

Rows = Counter[tuple[str, tuple[bytes | None, ...]]]

_TABLES = """
    SELECT c.oid, n.nspname, c.relname FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""


def fresh_database(server: str, name: str) -> str:
    """Make a database anew, without anything in it.

    Args:
        server: The URL of any other database of the server.
        name: What it is called; one of that name is dropped first.

    Returns:
        Its URL.
    """
    database = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
    return urlsplit(server)._replace(path="/" + quote(name)).geturl()


def total_bytes(url: str) -> int:
    """Sum up all tables with their indexes and TOAST tables, dead rows included."""
    with psycopg.connect(url, autocommit=True) as connection:
        question = f"SELECT sum(pg_total_relation_size(t.oid)) FROM ({_TABLES}) AS t"
        (found,) = connection.execute(question).fetchone() or (0,)
    return int(found or 0)


def rows(connection: psycopg.Connection[Any]) -> Rows:
    """Read every row of every table, its values as they travel in the binary format."""
    found: Rows = Counter()
    for _, schema, table in connection.execute(_TABLES).fetchall():
        everything = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
        result = connection.cursor(binary=True).execute(everything).pgresult
        assert result is not None
        for row in range(result.ntuples):
            values = tuple(result.get_value(row, column) for column in range(result.nfields))
            found[table, values] += 1
    return found


def content(rows: Mapping[tuple[str, tuple[bytes | None, ...]], int]) -> bytes:
    """All values of rows, one after another."""
    return b"".join(b"".join(filter(None, values)) * count for (_, values), count in rows.items())
