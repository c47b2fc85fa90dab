"""Walks every reference in a Postgres schema, in one snapshot."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import IsolationLevel, sql

from tests.survive.checker import Row, walk


def check_postgres(url: str, schema: str, *, exact: bool = False) -> int:
    """Check a schema; gives the number of references walked.

    Args:
        url: The server.
        schema: The schema.
        exact: Also fail on chunks that nothing uses.
    """
    with psycopg.connect(url) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        quoted = sql.Identifier(schema).as_string(connection)
        connection.execute("SELECT set_config('search_path', %s, false)", (quoted,))
        known = {row[0] for row in connection.execute("SELECT tid FROM lgckpt_threads")}
        walked = 0
        for tid in _used(connection):
            assert tid in known, f"rows of thread {tid}, which has no name"
            frames = dict(
                connection.execute("SELECT hash, frame FROM lgckpt_chunks WHERE tid = %s", (tid,))
            )
            walked += walk(_rows(connection, tid), frames, exact=exact)
        return walked


def _used(connection: psycopg.Connection[Any]) -> set[Any]:
    tables = ("checkpoints", "writes", "chunks")
    found = (connection.execute(f"SELECT DISTINCT tid FROM lgckpt_{t}") for t in tables)
    return {row[0] for rows in found for row in rows}


def _rows(connection: psycopg.Connection[Any], tid: Any) -> list[Row]:
    columns = "checkpoint_ns || '/' || checkpoint_id, refs"
    return [
        (f"{table} {tid}/{name}", refs)
        for table in ("checkpoints", "writes")
        for name, refs in connection.execute(
            f"SELECT {columns} FROM lgckpt_{table} WHERE tid = %s", (tid,)
        )
    ]
