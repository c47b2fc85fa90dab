"""The one table of savers: the official ones and ours, each opened at its best settings."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

import lgckpt

Saver = BaseCheckpointSaver[str]


@dataclass(frozen=True)
class SaverKind:
    """How to open one saver.

    Attributes:
        name: Shown in tables.
        open: Opens it on a file; backends without files ignore the path.
        aopen: Opens it for its async methods, on the running event loop.
    """

    name: str
    open: Callable[[Path], AbstractContextManager[Saver]]
    aopen: Callable[[Path], AbstractAsyncContextManager[Saver]]


OFFICIAL = {
    "memory": SaverKind("InMemorySaver", lambda _: InMemorySaver(), lambda _: InMemorySaver()),
    # Its own setup() puts the file into WAL mode; it has nothing else to set.
    "sqlite": SaverKind(
        "SqliteSaver",
        lambda path: SqliteSaver.from_conn_string(str(path)),
        lambda path: AsyncSqliteSaver.from_conn_string(str(path)),
    ),
}
OURS = {
    "memory": SaverKind(
        "lgckpt.MemorySaver", lambda _: lgckpt.MemorySaver(), lambda _: lgckpt.MemorySaver()
    ),
    "sqlite": SaverKind(
        "lgckpt.SqliteSaver",
        lambda path: lgckpt.SqliteSaver.from_conn_string(str(path)),
        lambda path: lgckpt.SqliteSaver.from_conn_string(str(path)),
    ),
}


def sides(backend: str, *, self_check: bool) -> dict[str, SaverKind]:
    """Both sides of a comparison; the official saver twice for a self-check."""
    official = OFFICIAL[backend]
    return {"ours": official if self_check else OURS[backend], "official": official}
