"""Writes in one statement: stored as the long way stores them, or left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.backends.sqlite_alone import MOST_WRITES
from lgckpt.rows import PutWrites, WriteRow
from tests.checkpoints import checkpoint, config


@pytest.fixture
def saver(tmp_path: Path) -> Any:
    with lgckpt.SqliteSaver(tmp_path / "agents.db", ttl=3600) as opened:
        opened.put(config("t"), checkpoint({}, {}, id="0" * 36), {"source": "loop"}, {})
        yield opened


@pytest.fixture
def statements(saver: lgckpt.SqliteSaver) -> list[str]:
    """What the saver's writing connection runs."""
    found: list[str] = []
    with saver._handle.storage._connections.write() as connection:
        connection.set_trace_callback(found.append)
    found.clear()
    return found


def rows(count: int, value: bytes) -> list[WriteRow]:
    return [
        WriteRow("t", "", "0" * 36, "task", n, "path", f"channel {n}", "msgpack", value, b"")
        for n in range(count)
    ]


def stored(saver: lgckpt.SqliteSaver) -> list[WriteRow]:
    loaded = saver._handle.storage.get("t", "", "0" * 36)
    assert loaded is not None
    return sorted(loaded.writes, key=lambda write: write.idx)


@pytest.mark.parametrize("count", [1, 2, MOST_WRITES])
def test_few_writes_are_one_statement(
    saver: lgckpt.SqliteSaver, statements: list[str], count: int
) -> None:
    storage = saver._handle.storage
    assert storage.put_writes(PutWrites(rows(count, b"first"), upsert=False))
    assert len(statements) == 1
    assert stored(saver) == rows(count, b"first")
    assert storage.put_writes(PutWrites(rows(count, b"second"), upsert=True))
    assert stored(saver) == rows(count, b"second")
    assert storage.put_writes(PutWrites(rows(count, b"third"), upsert=False))
    assert stored(saver) == rows(count, b"second")


def test_some_that_are_there_already_stay_beside_the_new(saver: lgckpt.SqliteSaver) -> None:
    storage = saver._handle.storage
    assert storage.put_writes(PutWrites(rows(2, b"first"), upsert=False))
    assert storage.put_writes(PutWrites(rows(4, b"second"), upsert=False))
    assert stored(saver) == [*rows(2, b"first"), *rows(4, b"second")[2:]]


def test_many_writes_go_the_long_way(saver: lgckpt.SqliteSaver, statements: list[str]) -> None:
    many = rows(MOST_WRITES + 1, b"value")
    assert saver._handle.storage.put_writes(PutWrites(many, upsert=False))
    assert "COMMIT" in statements
    assert stored(saver) == many


def test_writes_before_the_thread_is_there_make_it(saver: lgckpt.SqliteSaver) -> None:
    new = [row._replace(thread_id="new") for row in rows(2, b"value")]
    assert saver._handle.storage.put_writes(PutWrites(new, upsert=False))
    saver.put(config("new"), checkpoint({}, {}, id="0" * 36), {"source": "loop"}, {})
    loaded = saver._handle.storage.get("new", "", "0" * 36)
    assert loaded is not None
    assert sorted(loaded.writes) == new


def test_a_life_that_is_short_of_its_time_is_prolonged_by_writes(
    saver: lgckpt.SqliteSaver,
) -> None:
    storage = saver._handle.storage
    with storage._connections.write() as connection:
        connection.execute("UPDATE lgckpt_threads SET expires_at = expires_at - 1800000")
        (before,) = connection.execute("SELECT expires_at FROM lgckpt_threads").fetchone()
    assert storage.put_writes(PutWrites(rows(1, b"value"), upsert=False))
    with storage._connections.read() as connection:
        (after,) = connection.execute("SELECT expires_at FROM lgckpt_threads").fetchone()
    assert after > before + 1_700_000
    assert stored(saver) == rows(1, b"value")
