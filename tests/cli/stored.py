"""A database for the commands that look inside, made once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

import lgckpt
from tests.inspection.conversations import talk


@dataclass(frozen=True)
class Stored:
    """Two threads, "talk" and "talk [red]2[/red]", each with five checkpoints."""

    url: str
    path: Path
    ids: list[str]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    path = tmp_path_factory.mktemp("stored") / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        ids = asyncio.run(talk(saver))
        asyncio.run(talk(saver, "talk [red]2[/red]"))
    return Stored(f"sqlite:///{path}", path, ids)


@pytest.fixture
def damaged(stored: Stored, tmp_path: Path) -> Stored:
    """The same with the chunks of both threads damaged: those of the channel "document"."""
    import sqlite3  # noqa: PLC0415

    path = tmp_path / "damaged.db"
    with lgckpt.SqliteSaver(path) as saver:
        ids = asyncio.run(talk(saver))
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT rowid, frame FROM lgckpt_chunks").fetchall()
    changed = [(frame[:-1] + bytes([frame[-1] ^ 1]), rowid) for rowid, frame in rows]
    connection.executemany("UPDATE lgckpt_chunks SET frame = ? WHERE rowid = ?", changed)
    connection.commit()
    connection.close()
    return Stored(f"sqlite:///{path}", path, ids)
