"""A connection of the caller's on a file is refused to a forked child, as SQLite asks for."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import aiosqlite
import pytest

import lgckpt
from lgckpt.errors import StorageError
from tests.checkpoints import config
from tests.survive.checker import check_file
from tests.survive.states import Conversation, assert_whole

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

NAME = "large-1"


def in_a_child(*calls: Callable[[], object]) -> list[str]:
    """What each call gives in one forked child: "done", or the message of its `StorageError`."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, "\n".join(map(_said, calls)).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read().split("\n")
    os.waitpid(child, 0)
    assert len(said) == len(calls), said
    return said


def _said(call: Callable[[], object]) -> str:
    try:
        call()
    except StorageError as exc:
        return str(exc)
    except BaseException as exc:
        return f"escaped: {exc!r}"
    return "done"


def calls(saver: lgckpt.SqliteSaver) -> list[Callable[[], object]]:
    """Reads and writes in both colours."""
    return [
        lambda: saver.get_tuple(config(NAME)),
        lambda: list(saver.list(None)),
        lambda: Conversation(NAME).put(saver),
        lambda: asyncio.run(saver.aget_tuple(config(NAME))),
        lambda: asyncio.run(Conversation(NAME).aput(saver)),
        saver.setup,
    ]


def assert_goes_on(saver: lgckpt.SqliteSaver, conversation: Conversation) -> None:
    """What the children tried did not disturb the parent."""
    before = len(list(saver.list(config(NAME))))
    conversation.put(saver)
    found = list(saver.list(config(NAME)))
    assert len(found) == before + 1
    for one in found:
        assert_whole(one)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents.db"


@pytest.fixture
def given(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        yield connection


@pytest.mark.parametrize("used", [True, False], ids=["after use", "after construction"])
def test_a_child_is_refused_the_file(path: Path, given: sqlite3.Connection, used: bool) -> None:
    saver = lgckpt.SqliteSaver(given)
    conversation = Conversation(NAME)
    if used:
        conversation.put(saver)
    others = calls(lgckpt.SqliteSaver(path))[:2]
    for said in in_a_child(*calls(saver), *others):
        assert str(path) in said
        assert "forked while a connection given to a saver was open" in said
    assert_goes_on(saver, conversation)
    check_file(path)


def test_so_is_its_own_child(path: Path, given: sqlite3.Connection) -> None:
    saver = lgckpt.SqliteSaver(given)
    saver.setup()

    def grandchild() -> None:
        said = in_a_child(lambda: saver.get_tuple(config(NAME)))
        raise StorageError(said[0])

    (said,) = in_a_child(grandchild)
    assert str(path) in said


def test_a_connection_that_was_closed_before_refuses_nothing(path: Path) -> None:
    given = sqlite3.connect(path, check_same_thread=False)
    saver = lgckpt.SqliteSaver(given)
    Conversation(NAME).put(saver)
    given.close()
    said = in_a_child(*calls(lgckpt.SqliteSaver(path)))
    assert said == ["done"] * len(said)


@pytest.mark.parametrize("opened", [True, False])
def test_a_connection_of_aiosqlite_refuses_it_while_it_is_open(path: Path, opened: bool) -> None:
    async def main() -> list[str]:
        connection = aiosqlite.connect(path)
        if opened:
            await connection
        saver = lgckpt.AsyncSqliteSaver(connection)
        Conversation(NAME).put(saver)
        said = in_a_child(lambda: saver.get_tuple(config(NAME)))
        assert_whole(await saver.aget_tuple(config(NAME)))
        await connection.close()
        return [*said, *in_a_child(lambda: saver.get_tuple(config(NAME)))]

    first, after_closing = asyncio.run(main())
    assert after_closing == "done"
    if opened:
        assert str(path) in first
        assert "forked while" in first
    else:
        assert first == "done"


@pytest.mark.parametrize("database", [":memory:", "", "file:shared?mode=memory&cache=shared"])
def test_a_child_has_its_copy_of_what_is_in_memory(database: str) -> None:
    with closing(sqlite3.connect(database, check_same_thread=False, uri=True)) as given:
        saver = lgckpt.SqliteSaver(given)
        conversation = Conversation(NAME)
        conversation.put(saver)
        said = in_a_child(*calls(saver))
        assert said == ["done"] * len(said)
        assert_goes_on(saver, conversation)


def test_errors_of_a_given_connection_name_its_file(path: Path, given: sqlite3.Connection) -> None:
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StorageError, match=str(path)):
        lgckpt.SqliteSaver(given).setup()


def test_a_connection_bound_to_another_thread_is_known_by_its_use(path: Path) -> None:
    """Made and used in one thread, given to a saver and forked in another."""
    made, used, done = Queue[Any](), Event(), Event()

    def own() -> None:
        with closing(sqlite3.connect(path)) as given:
            made.put(given)
            saver = savers.get(timeout=10)
            Conversation(NAME).put(saver)
            used.set()
            done.wait(10)

    savers = Queue[Any]()
    owner = Thread(target=own)
    owner.start()
    saver = lgckpt.SqliteSaver(made.get(timeout=10))
    savers.put(saver)
    assert used.wait(10)
    (said,) = in_a_child(lambda: saver.get_tuple(config(NAME)))
    done.set()
    owner.join()
    assert str(path) in said
    assert "forked while" in said


def test_rows_of_another_kind_do_not_hide_the_file(path: Path) -> None:
    with closing(sqlite3.connect(path, check_same_thread=False)) as given:
        given.row_factory = lambda cursor, row: dict(enumerate(row))
        given.text_factory = bytes
        saver = lgckpt.SqliteSaver(given)
        (said,) = in_a_child(lambda: saver.get_tuple(config(NAME)))
    assert str(path) in said
