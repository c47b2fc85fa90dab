"""A foreign process holds the write lock: we wait for it, and say so when that is too long."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.colours import COLOURS
from tests.survive.harness import started
from tests.survive.states import Conversation, assert_whole


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    with started("foreigner", path, seconds) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield
        process.wait(30)


def put(saver: Saver, conversation: Conversation, colour: str) -> str:
    if colour == "sync":
        return conversation.put(saver)
    return asyncio.run(conversation.aput(saver))


@pytest.mark.slow
@pytest.mark.parametrize("colour", COLOURS)
def test_a_put_waits_for_a_foreign_transaction(tmp_path: Path, colour: str) -> None:
    path = tmp_path / "agents.db"
    conversation = Conversation("large-1")
    with lgckpt.SqliteSaver(path) as saver:
        conversation.put(saver)
        with locked(path, 2):
            started_at = time.monotonic()
            stored = put(saver, conversation, colour)
            assert time.monotonic() - started_at > 1
        found = saver.get_tuple(config("large-1"))
        assert found is not None
        assert found.checkpoint["id"] == stored
        assert_whole(found)


@pytest.mark.slow
@pytest.mark.parametrize("colour", COLOURS)
def test_a_put_that_waits_too_long_stores_nothing(tmp_path: Path, colour: str) -> None:
    path = tmp_path / "agents.db"
    conversation = Conversation("large-1")
    with lgckpt.SqliteSaver(path, busy_timeout=0.3) as saver:
        conversation.put(saver)
        with locked(path, 2):
            started_at = time.monotonic()
            with pytest.raises(StorageError, match="locked") as caught:
                put(saver, conversation, colour)
            assert time.monotonic() - started_at < 1.5
            assert str(path) in str(caught.value)
            assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        (found,) = saver.list(config("large-1"))
        assert_whole(found)
        put(saver, conversation, colour)
        assert len(list(saver.list(config("large-1")))) == 2


@pytest.mark.slow
def test_first_use_waits_for_a_foreign_transaction(tmp_path: Path) -> None:
    """Another program made the file, in SQLite's default journal mode, and is at work in it."""
    path = tmp_path / "agents.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with locked(path, 1), lgckpt.SqliteSaver(path) as saver:
        Conversation("large-1").put(saver)
    with locked(path, 1), lgckpt.SqliteSaver(path, busy_timeout=0.1) as saver:
        found = saver.get_tuple(config("large-1"))
    assert found is not None
    assert_whole(found)


@pytest.mark.slow
def test_reads_do_not_wait_while_a_put_does(tmp_path: Path) -> None:
    """Not even the first one of a saver, whose reading connections are yet to be opened."""
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        Conversation("large-1").put(saver)

    async def main() -> tuple[float, float]:
        with lgckpt.SqliteSaver(path) as saver:
            putting = asyncio.create_task(Conversation("large-2").aput(saver))
            await asyncio.sleep(0.2)
            began = time.monotonic()
            first = await saver.aget_tuple(config("large-1"))
            took = time.monotonic() - began
            assert first is not None
            await putting
            return took, time.monotonic() - began

    with locked(path, 3):
        took, waited = asyncio.run(main())
    assert waited > 1, "the put did not wait, so that this shows nothing"
    assert took < waited / 2, f"a read took {took:.2f} s behind a put that waits"
