"""The one table of savers: the official ones and ours, each opened at its best settings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, Literal, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

import lgckpt

Saver = BaseCheckpointSaver[str]
Where = TypeVar("Where", Path, str)

# The value of PRAGMA synchronous that syncs the write-ahead log at every commit.
_FULL = 2


@dataclass(frozen=True)
class SaverKind(Generic[Where]):
    """How to open one saver.

    Attributes:
        name: Shown in tables.
        open: Opens it on a file, or on a server's URL; who has neither ignores it.
        aopen: Opens it for its async methods, on the running event loop.
    """

    name: str
    open: Callable[[Where], AbstractContextManager[Saver]]
    aopen: Callable[[Where], AbstractAsyncContextManager[Saver]]


@cache
def synchronous() -> Literal["NORMAL", "FULL"]:
    """How durable the official saver's commits are: what SQLite was built to do by default."""
    with TemporaryDirectory() as directory:
        saver = SqliteSaver(sqlite3.connect(Path(directory) / "probe.db"))
        saver.setup()
        (level,) = saver.conn.execute("PRAGMA synchronous").fetchone()
        saver.conn.close()
    return "FULL" if level >= _FULL else "NORMAL"


def _ours(path: Path) -> lgckpt.SqliteSaver:
    return lgckpt.SqliteSaver(path, synchronous=synchronous())


OFFICIAL: dict[str, SaverKind[Path]] = {
    "memory": SaverKind("InMemorySaver", lambda _: InMemorySaver(), lambda _: InMemorySaver()),
    # Its own setup() puts the file into WAL mode; it has nothing else to set.
    "sqlite": SaverKind(
        "SqliteSaver",
        lambda path: SqliteSaver.from_conn_string(str(path)),
        lambda path: AsyncSqliteSaver.from_conn_string(str(path)),
    ),
}
OURS: dict[str, SaverKind[Path]] = {
    "memory": SaverKind(
        "lgckpt.MemorySaver", lambda _: lgckpt.MemorySaver(), lambda _: lgckpt.MemorySaver()
    ),
    "sqlite": SaverKind("lgckpt.SqliteSaver", _ours, _ours),
}


def sides(backend: str, *, self_check: bool) -> dict[str, SaverKind[Path]]:
    """Both sides of a comparison; the official saver twice for a self-check."""
    official = OFFICIAL[backend]
    return {"ours": official if self_check else OURS[backend], "official": official}
