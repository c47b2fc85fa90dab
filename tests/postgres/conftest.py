"""An empty schema for each test, and a connection to it that is not the saver's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

import lgckpt
from tests.services.postgres import older_server, postgres_url
from tests.services.postgres_schemas import NO_OLDER, schema_of


@dataclass(frozen=True)
class Place:
    """A schema on a server."""

    url: str
    schema: str

    def saver(self, **options: Any) -> lgckpt.PostgresSaver:
        """A saver on it."""
        return lgckpt.PostgresSaver(self.url, schema=self.schema, **options)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection that finds its tables without the schema's name."""
        connection = psycopg.connect(self.url, autocommit=True)
        quoted = sql.Identifier(self.schema).as_string(connection)
        connection.execute("SELECT set_config('search_path', %s, false)", (quoted,))
        return connection


@pytest.fixture(params=["newest", "older"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    older = older_server() if request.param == "older" else None
    if request.param == "older" and older is None:
        pytest.skip(NO_OLDER)
    url = postgres_url() if older is None else older.url
    with schema_of(url) as schema:
        yield Place(url, schema)


@pytest.fixture
def connection(place: Place) -> Iterator[psycopg.Connection[Any]]:
    with place.connect() as opened:
        yield opened


@pytest.fixture
def pg_saver(place: Place) -> Iterator[lgckpt.PostgresSaver]:
    with place.saver() as opened:
        opened.setup()
        yield opened
