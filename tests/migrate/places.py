"""The one table of what migrations read from and write to: a new side's tests are one entry."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import lgckpt
from lgckpt.migration.api import Where
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import database_of
from tests.services.valkey import drop_prefix, shared_url

Keep = Callable[[], AbstractContextManager[Any]]
"""Opens a saver on the place."""


@dataclass(frozen=True)
class Place:
    """An empty database for a block.

    Attributes:
        where: What `lgckpt.migrate` is given.
        saver: Opens a saver on it: the layout's own.
    """

    where: Where
    saver: Keep


@contextmanager
def memory() -> Iterator[Place]:
    with lgckpt.MemorySaver() as saver:

        @contextmanager
        def keep() -> Iterator[Any]:
            yield saver

        yield Place(saver, keep)


@contextmanager
def sqlite() -> Iterator[Place]:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "agents.db"
        yield Place(f"sqlite:///{path}", lambda: lgckpt.SqliteSaver(path))


@contextmanager
def postgres() -> Iterator[Place]:
    with database_of(postgres_url()) as url:
        yield Place(url, lambda: lgckpt.PostgresSaver(url))


@contextmanager
def redis() -> Iterator[Place]:
    url, prefix = shared_url(), f"test-{uuid.uuid4().hex}"
    try:
        yield Place(f"{url}?lgckpt_prefix={prefix}", lambda: lgckpt.RedisSaver(url, prefix=prefix))
    finally:
        drop_prefix(url, prefix)


@contextmanager
def file() -> Iterator[Place]:
    """A portable file: a graph runs on memory, which is dumped to it and restored from it."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "agents.lgckpt"
        url = f"file://{path}"

        @contextmanager
        def keep() -> Iterator[Any]:
            with lgckpt.MemorySaver() as saver:
                if path.exists():
                    lgckpt.migrate(url, saver)
                yield saver
                lgckpt.migrate(saver, url)

        yield Place(url, keep)


@contextmanager
def official_sqlite() -> Iterator[Place]:
    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415

    with TemporaryDirectory() as directory:
        path = Path(directory) / "official.db"
        yield Place(f"langgraph+sqlite:///{path}", lambda: SqliteSaver.from_conn_string(str(path)))


@contextmanager
def official_postgres() -> Iterator[Place]:
    from langgraph.checkpoint.postgres import PostgresSaver  # noqa: PLC0415

    with database_of(postgres_url()) as url:

        @contextmanager
        def keep() -> Iterator[Any]:
            with PostgresSaver.from_conn_string(url) as saver:
                saver.setup()
                yield saver

        yield Place(f"langgraph+{url}", keep)


SOURCES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "memory": memory,
    "file": file,
    "sqlite": sqlite,
    "postgres": postgres,
    "redis": redis,
    "langgraph+sqlite": official_sqlite,
    "langgraph+postgresql": official_postgres,
}
TARGETS = dict(SOURCES)
