"""LangGraph's own savers on databases of the tests, and their layouts as sides."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from lgckpt.bulk import Mark, Place
from lgckpt.migration.opening import open_side
from lgckpt.migration.sides import Side
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import database_of


@dataclass(frozen=True)
class Layout:
    """One of LangGraph's layouts.

    Attributes:
        database: Gives the URL of an empty database, for a block.
        saver: The official saver on one, its tables made.
    """

    name: str
    database: Callable[[], AbstractContextManager[str]]
    saver: Callable[[str], AbstractContextManager[Any]]


@contextmanager
def sqlite_database() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as directory:
        yield f"langgraph+sqlite:///{Path(directory) / 'official agents.db'}"


def path_of(url: str) -> Path:
    return Path(url.removeprefix("langgraph+sqlite:///"))


@contextmanager
def sqlite_saver(url: str, **options: Any) -> Iterator[SqliteSaver]:
    connection = sqlite3.connect(path_of(url), check_same_thread=False)
    try:
        saver = SqliteSaver(connection, **options)
        saver.setup()
        yield saver
    finally:
        connection.close()


@contextmanager
def postgres_database() -> Iterator[str]:
    with database_of(postgres_url()) as url:
        yield f"langgraph+{url}"


@contextmanager
def postgres_saver(url: str) -> Iterator[PostgresSaver]:
    with PostgresSaver.from_conn_string(url.removeprefix("langgraph+")) as saver:
        saver.setup()
        yield saver


SQLITE = Layout("sqlite", sqlite_database, sqlite_saver)
POSTGRES = Layout("postgres", postgres_database, postgres_saver)
LAYOUTS = (SQLITE, POSTGRES)


def nothing(_: bytes) -> bool:
    return False


async def every_thread(side: Side, limit: int = 100) -> list[str]:
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await side.threads(after, limit)
        assert len(page.threads) <= limit
        found += page.threads
        after = page.after
    return found


async def every_mark(side: Side, thread_id: str, limit: int = 1000) -> list[Mark]:
    found: list[Mark] = []
    while True:
        page = await side.marks(thread_id, found[-1].place if found else None, limit)
        assert len(page) <= limit
        found += page
        if not page:
            return found


async def move(source: Side, target: Side, size: int = 7) -> int:
    """Move everything, that many places a batch; gives how many checkpoints there were."""
    await target.setup()
    moved = 0
    for thread_id in await every_thread(source):
        sent: set[bytes] = set()
        known = sent.__contains__ if target.native else nothing
        after: Place | None = None
        while marks := await source.marks(thread_id, after, size):
            batch = await source.fetch(thread_id, [mark.place for mark in marks], known)
            assert set(batch.claims) <= sent
            assert sent.isdisjoint(chunk.hash for chunk in batch.chunks)
            assert await target.load(thread_id, batch)
            sent.update(chunk.hash for chunk in batch.chunks if target.native)
            moved += len(batch.rows)
            after = marks[-1].place
    return moved


class Sides:
    """`async with Sides() as side: side(url)` opens sides and closes them all."""

    def __init__(self) -> None:
        self._opened: list[Side] = []

    async def __aenter__(self) -> Sides:
        return self

    async def __aexit__(self, *_: object) -> None:
        for side in self._opened:
            await side.close()

    def __call__(self, where: Any, **options: Any) -> Side:
        side = open_side(where, **options)
        self._opened.append(side)
        return side


def tuples(saver: Any) -> dict[tuple[str, str, str], Any]:
    """All that a saver shows, by its key."""
    found = {}
    for one in saver.list(None):
        place = one.config["configurable"]
        found[place["thread_id"], place["checkpoint_ns"], place["checkpoint_id"]] = one
    return found
