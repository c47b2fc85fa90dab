"""A connection of aiosqlite given, as the official async saver takes it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import aiosqlite
import pytest

import lgckpt
from lgckpt.errors import ClosedError, ConfigurationError, StorageError
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured
from tests.contract.graphs import Runner, chat

pytestmark = pytest.mark.anyio

Connect = Callable[[Path], aiosqlite.Connection]

CONNECTS: dict[str, Connect] = {
    "str": lambda path: aiosqlite.connect(str(path)),
    "path": aiosqlite.connect,
    "bytes": lambda path: aiosqlite.connect(os.fsencode(path)),
    "uri": lambda path: aiosqlite.connect(f"file:{path}?psow=1", uri=True),
    "options": lambda path: aiosqlite.connect(path, timeout=9, isolation_level=None),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents.db"


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=[lgckpt.AsyncSqliteSaver, lgckpt.SqliteSaver])
def cls(request: pytest.FixtureRequest) -> Any:
    return request.param


async def use(saver: lgckpt.SqliteSaver, colour: str) -> None:
    thread = Thread(Coloured(saver, colour))
    await thread.put({"n": 1, "large": ["x" * 100] * 100})
    await thread.put({"n": 2})
    assert await thread.state() == {"n": 2, "large": ["x" * 100] * 100}


def assert_stored(path: Path) -> None:
    """Both checkpoints of `use` are in this very file."""
    with closing(sqlite3.connect(path)) as connection:
        count = connection.execute("SELECT count(*) FROM lgckpt_checkpoints").fetchone()
    assert count == (2,)


@pytest.mark.parametrize("connect", CONNECTS.values(), ids=CONNECTS)
async def test_an_open_one(cls: Any, path: Path, colour: str, connect: Connect) -> None:
    async with connect(path) as connection:
        saver = cls(connection)
        await use(saver, colour)
        assert saver.conn is connection
        await saver.aclose()
        cursor = await connection.execute("SELECT count(*) FROM lgckpt_checkpoints")
        assert await cursor.fetchone() == (2,), "it is open, and on the same file"
    assert_stored(path)


@pytest.mark.parametrize("connect", CONNECTS.values(), ids=CONNECTS)
async def test_one_that_is_not_open_yet(
    cls: Any, path: Path, colour: str, connect: Connect
) -> None:
    connection = connect(path)
    saver = cls(connection)
    await use(saver, colour)
    async with connection:
        cursor = await connection.execute("SELECT count(*) FROM lgckpt_checkpoints")
        assert await cursor.fetchone() == (2,)
    await use(saver, colour)
    saver.close()
    with pytest.raises(ClosedError):
        await Coloured(saver, colour).get_tuple(config("t"))


def test_one_that_is_not_open_yet_needs_no_event_loop(cls: Any, path: Path) -> None:
    with cls(aiosqlite.connect(path)) as saver:
        assert not path.exists()
        asyncio.run(use(saver, "async"))
    assert_stored(path)


def test_an_open_one_can_be_given_from_another_thread(cls: Any, path: Path, colour: str) -> None:
    async def main() -> None:
        async with aiosqlite.connect(path) as connection:
            saver = await asyncio.to_thread(cls, connection)
            await use(saver, colour)
            saver.close()

    asyncio.run(main())
    assert_stored(path)


@pytest.mark.parametrize("opened", [True, False])
async def test_a_relative_path_is_of_the_directory_it_was_given_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: bool
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    connection = aiosqlite.connect("agents.db")
    if opened:
        await connection
        monkeypatch.chdir("sub")
    saver = lgckpt.AsyncSqliteSaver(connection)
    monkeypatch.chdir(tmp_path / "sub")
    await use(saver, "async")
    await saver.aclose()
    await connection.close()
    assert_stored(tmp_path / "agents.db")


MEMORY = {
    ":memory:": {},
    "": {},
    "file::memory:": {"uri": True},
    "file:shared?mode=memory&cache=shared": {"uri": True},
}


@pytest.mark.parametrize("opened", [True, False])
@pytest.mark.parametrize("database", MEMORY)
async def test_one_in_memory_is_refused(cls: Any, database: str, opened: bool) -> None:
    connection = aiosqlite.connect(database, **MEMORY[database])
    if opened:
        await connection
    with pytest.raises(ConfigurationError, match=r'pass ":memory:" or the path of a file'):
        cls(connection)
    await connection.close()


async def test_a_file_whose_name_looks_like_a_uri(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with lgckpt.AsyncSqliteSaver(aiosqlite.connect("file:agents.db")) as saver:
        await use(saver, "async")
    assert_stored(tmp_path / "file:agents.db")


async def test_one_with_a_connector_of_its_own(path: Path, colour: str) -> None:
    connection = aiosqlite.Connection(lambda: sqlite3.connect(path), 64)
    with pytest.raises(ConfigurationError, match="await it first, or pass the path"):
        lgckpt.AsyncSqliteSaver(connection)
    async with connection:
        await use(lgckpt.AsyncSqliteSaver(connection), colour)
    assert_stored(path)


async def test_one_that_is_busy_is_waited_for(path: Path, colour: str) -> None:
    async with aiosqlite.connect(path) as connection:
        await connection.create_function("nap", 0, lambda: time.sleep(0.2))
        busy = [asyncio.create_task(_nap(connection)) for _ in range(3)]
        await asyncio.sleep(0)
        saver = lgckpt.AsyncSqliteSaver(connection)
        assert await asyncio.gather(*busy) == [[(None,)]] * 3
        await use(saver, colour)
    assert_stored(path)


async def _nap(connection: aiosqlite.Connection) -> Any:
    return await connection.execute_fetchall("SELECT nap()")


async def test_one_that_cannot_answer_says_why(path: Path) -> None:
    async with aiosqlite.connect(path) as connection:
        await connection._execute(connection._conn.set_authorizer, lambda *_: sqlite3.SQLITE_DENY)
        with pytest.raises(StorageError, match="which file it is on: not authorized"):
            lgckpt.AsyncSqliteSaver(connection)


async def test_its_row_factory_is_its_own(path: Path, colour: str) -> None:
    async with aiosqlite.connect(path) as connection:
        connection.row_factory = lambda cursor, row: {"row": row}
        await use(lgckpt.AsyncSqliteSaver(connection), colour)
    assert_stored(path)


async def test_its_open_transaction_is_named_where_it_is_in_the_way(
    path: Path, colour: str
) -> None:
    async with aiosqlite.connect(path) as connection:
        saver = lgckpt.AsyncSqliteSaver(connection, busy_timeout=0.05)
        await saver.setup()
        await connection.execute("CREATE TABLE mine (x)")
        await connection.execute("INSERT INTO mine VALUES (1)")
        with pytest.raises(StorageError, match="given is in a transaction: commit that first"):
            await use(saver, colour)
        await connection.rollback()
        await use(saver, colour)


async def test_a_graph_runs_on_it(path: Path) -> None:
    async with aiosqlite.connect(path) as connection:
        saver = lgckpt.AsyncSqliteSaver(conn=connection)
        await saver.setup()
        runner = Runner(Coloured(saver, "async"), chat())
        told = await runner.invoke({"turn": 1, "log": []}, "t")
        assert (await runner.state("t")).values == told
        assert len(await runner.history("t")) > 1


async def test_from_conn_string_is_an_async_context_manager(path: Path) -> None:
    async with lgckpt.AsyncSqliteSaver.from_conn_string(str(path)) as saver:
        await use(saver, "async")
    assert_stored(path)


async def test_what_is_no_connection_is_refused(cls: Any) -> None:
    for given in (7, None, object(), asyncio.sleep):
        with pytest.raises(ConfigurationError, match=r"or an aiosqlite\.Connection, not a"):
            cls(given)


async def test_an_error_names_the_file(tmp_path: Path, colour: str) -> None:
    saver = lgckpt.AsyncSqliteSaver(aiosqlite.connect(tmp_path))
    with pytest.raises(StorageError, match=str(tmp_path)):
        await Coloured(saver, colour).put(config("t"), checkpoint({}), {}, {})


def test_the_package_does_not_import_it() -> None:
    code = (
        "import lgckpt, sys; lgckpt.AsyncSqliteSaver(':memory:').close();"
        "assert 'aiosqlite' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
