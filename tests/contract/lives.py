"""Places whose savers take a `ttl`, and what lets time pass there behind their backs."""

from __future__ import annotations

import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest
import redis

import lgckpt
from lgckpt.backends.redis_keys import thread_keys
from lgckpt.saver import Saver
from tests.postgres.conftest import Place as Schema
from tests.services.postgres import older_server, postgres_url
from tests.services.postgres_schemas import NO_OLDER, schema_of
from tests.services.valkey import drop_prefix, shared_url


class Place(Protocol):
    """Where savers share what they store.

    Attributes:
        coarse: Whether a life is prolonged only by a twentieth of it or more.
        frees: Whether a put without a `ttl` makes a thread live for ever.
        sweeps: Whether what has expired is there until it is swept.
    """

    coarse: bool
    frees: bool
    sweeps: bool

    def saver(self, **options: Any) -> Saver:
        """Another saver here."""

    def age(self, thread_id: str, seconds: float) -> None:
        """Let a thread that expires do so that much earlier."""

    def left(self, thread_id: str) -> float | None:
        """Seconds that a thread has left; None for ever."""


class SqlitePlace:
    coarse = frees = sweeps = True

    def __init__(self, target: Path | sqlite3.Connection, connection: sqlite3.Connection) -> None:
        self._target, self._connection = target, connection

    def saver(self, **options: Any) -> Saver:
        return lgckpt.SqliteSaver(self._target, **options)

    def age(self, thread_id: str, seconds: float) -> None:
        done = self._connection.execute(
            "UPDATE lgckpt_threads SET expires_at = expires_at - ? WHERE thread_id = ?"
            " AND expires_at IS NOT NULL",
            (round(seconds * 1000), thread_id),
        )
        assert done.rowcount == 1

    def left(self, thread_id: str) -> float | None:
        ((found,),) = self._connection.execute(
            "SELECT expires_at FROM lgckpt_threads WHERE thread_id = ?", (thread_id,)
        )
        return None if found is None else found / 1000 - time.time()


class PostgresPlace:
    coarse = frees = sweeps = True

    def __init__(self, schema: Schema, connection: psycopg.Connection[Any]) -> None:
        self.saver = schema.saver
        self._connection = connection

    def age(self, thread_id: str, seconds: float) -> None:
        done = self._connection.execute(
            "UPDATE lgckpt_threads SET expires_at = expires_at - make_interval(secs => %s)"
            " WHERE thread_id = %s AND expires_at IS NOT NULL",
            (seconds, thread_id),
        )
        assert done.rowcount == 1

    def left(self, thread_id: str) -> float | None:
        (found,) = self._connection.execute(
            "SELECT extract(epoch FROM expires_at - now())::float8 FROM lgckpt_threads"
            " WHERE thread_id = %s",
            (thread_id,),
        ).fetchone()
        return found


class RedisPlace:
    coarse = frees = sweeps = False

    def __init__(self, url: str, prefix: str, client: redis.Redis) -> None:
        self._url, self._prefix, self._client = url, prefix, client

    def saver(self, **options: Any) -> Saver:
        return lgckpt.RedisSaver(self._url, prefix=self._prefix, **options)

    def _lives(self, thread_id: str) -> dict[str, int]:
        keys = [*thread_keys(self._prefix, thread_id)]
        return {key: self._client.pttl(key) for key in keys if self._client.exists(key)}

    def age(self, thread_id: str, seconds: float) -> None:
        lives = self._lives(thread_id)
        assert lives
        for key, left in lives.items():
            assert left > 0
            self._client.pexpire(key, left - round(seconds * 1000))

    def left(self, thread_id: str) -> float | None:
        left = min(self._lives(thread_id).values())
        return None if left < 0 else left / 1000


@contextmanager
def sqlite_file() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "agents.db"
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
            yield SqlitePlace(path, connection)


@contextmanager
def sqlite_memory() -> Iterator[Place]:
    """Savers on one given connection: a database in memory has no other."""
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(connection):
        yield SqlitePlace(connection, connection)


@contextmanager
def _postgres(url: str) -> Iterator[Place]:
    with schema_of(url) as schema:
        place = Schema(url, schema)
        with place.connect() as connection:
            yield PostgresPlace(place, connection)


def postgres() -> AbstractContextManager[Place]:
    return _postgres(postgres_url())


def postgres_older() -> AbstractContextManager[Place]:
    server = older_server()
    if server is None:
        pytest.skip(NO_OLDER)
    return _postgres(server.url)


@contextmanager
def redis_prefix() -> Iterator[Place]:
    url, prefix = shared_url(), f"test-{uuid.uuid4().hex}"
    try:
        with redis.Redis.from_url(url) as client:
            yield RedisPlace(url, prefix, client)
    finally:
        drop_prefix(url, prefix)


PLACES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "sqlite": sqlite_file,
    "sqlite-memory": sqlite_memory,
    "postgres": postgres,
    "postgres-older": postgres_older,
    "redis": redis_prefix,
}
