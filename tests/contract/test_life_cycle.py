"""Opening and closing: `with`, `async with`, or plain, and what a closed saver does."""

from __future__ import annotations

import asyncio
import inspect
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.errors import ClosedError, LgckptError
from lgckpt.saver import Saver
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured

pytestmark = pytest.mark.anyio

MAKERS: dict[str, Callable[[Path], Saver]] = {
    "memory": lambda path: lgckpt.MemorySaver(),
    "sqlite": lambda path: lgckpt.SqliteSaver(path / "agents.db"),
    "sqlite from_conn_string": lambda path: lgckpt.SqliteSaver.from_conn_string(
        str(path / "agents.db")
    ),
    "sqlite memory": lambda path: lgckpt.SqliteSaver(":memory:"),
    "async sqlite": lambda path: lgckpt.AsyncSqliteSaver.from_conn_string(str(path / "agents.db")),
    "official name": lambda path: lgckpt.InMemorySaver(),
}

CALLS: dict[str, Callable[[Coloured], Any]] = {
    "get_tuple": lambda c: c.get_tuple(config("t")),
    "get": lambda c: c.get(config("t")),
    "list": lambda c: c.list(None),
    "put": lambda c: c.put(config("t"), checkpoint({}), {}, {}),
    "put_writes": lambda c: c.put_writes(config("t", "i"), [("a", 1)], "task"),
    "delete_thread": lambda c: c.delete_thread("t"),
    "delete_for_runs": lambda c: c.delete_for_runs(["r"]),
    "copy_thread": lambda c: c.copy_thread("t", "u"),
    "prune": lambda c: c.prune(["t"]),
    "delta": lambda c: c.get_delta_channel_history(config=config("t"), channels=["a"]),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Saver]:
    return lambda: MAKERS[request.param](tmp_path)


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def _use(saver: Saver, colour: str) -> None:
    thread = Thread(Coloured(saver, colour))
    await thread.put({"n": 1})
    assert await thread.state() == {"n": 1}


async def _assert_closed(saver: Saver) -> None:
    for colour in COLOURS:
        for call in CALLS.values():
            with pytest.raises(ClosedError):
                await call(Coloured(saver, colour))


async def test_with_opens_and_closes(make: Callable[[], Saver], colour: str) -> None:
    with make() as saver:
        await _use(saver, colour)
    await _assert_left(saver)


async def test_async_with_opens_and_closes(make: Callable[[], Saver], colour: str) -> None:
    async with make() as saver:
        await _use(saver, colour)
    await _assert_left(saver)


async def _assert_left(saver: Saver) -> None:
    """Closed, but for `InMemorySaver`: the official one keeps its data after the block."""
    if isinstance(saver, lgckpt.InMemorySaver):
        assert saver.get_tuple(config("t")) is not None
        saver.close()
    await _assert_closed(saver)


async def test_plain_construction_needs_only_a_close(
    make: Callable[[], Saver], colour: str
) -> None:
    saver = make()
    await _use(saver, colour)
    if colour == "sync":
        saver.close()
    else:
        await saver.aclose()
    await _assert_closed(saver)


async def test_a_saver_that_was_never_used_can_be_closed(make: Callable[[], Saver]) -> None:
    saver = make()
    saver.close()
    await _assert_closed(saver)


async def test_closing_twice_is_no_error(make: Callable[[], Saver]) -> None:
    with make() as saver:
        await _use(saver, "async")
        saver.close()
        await saver.aclose()
    async with make() as saver:
        await saver.aclose()
        saver.close()


async def test_an_error_in_the_block_comes_through(make: Callable[[], Saver]) -> None:
    with pytest.raises(ZeroDivisionError), make() as saver:
        raise ZeroDivisionError
    if not isinstance(saver, lgckpt.InMemorySaver):
        await _assert_closed(saver)
    with pytest.raises(ZeroDivisionError):
        async with make() as saver:
            raise ZeroDivisionError
    if not isinstance(saver, lgckpt.InMemorySaver):
        await _assert_closed(saver)


async def test_a_list_that_is_closed_half_way_says_so(saver: Saver) -> None:
    thread = Thread(Coloured(saver, "sync"))
    for n in range(60):
        await thread.put({"n": n})
    found = saver.list(None)
    next(found)
    afound = saver.alist(None)
    await anext(afound)
    saver.close()
    with pytest.raises(ClosedError):
        list(found)
    with pytest.raises(ClosedError):
        [one async for one in afound]


async def test_what_is_under_way_when_it_closes_ends(saver: Saver) -> None:
    """Each call either did its work or says that the saver was closed."""
    thread = Thread(Coloured(saver, "sync"))
    await thread.put({"n": 0})
    jobs = [asyncio.create_task(saver.aget_tuple(config("t"))) for _ in range(20)]
    jobs += [asyncio.create_task(saver.adelete_thread("u")) for _ in range(20)]
    await asyncio.sleep(0)
    await saver.aclose()
    done = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), 30)
    errors = [one for one in done if isinstance(one, BaseException)]
    assert all(isinstance(error, LgckptError) for error in errors), errors


def test_construction_needs_no_event_loop_and_opens_nothing(
    make: Callable[[], Saver], tmp_path: Path
) -> None:
    saver = make()
    assert list(tmp_path.iterdir()) == []
    asyncio.run(_use(saver, "async"))
    saver.close()


def test_what_was_stored_outlives_the_saver(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    for n, cls in enumerate([lgckpt.SqliteSaver, lgckpt.AsyncSqliteSaver] * 2):
        with cls(path) as saver:
            asyncio.run(_continue(saver, n))


async def _continue(saver: Saver, n: int) -> None:
    thread = Thread(Coloured(saver, "async"))
    found = await saver.aget_tuple(config("t"))
    assert (found is None) == (n == 0)
    if found is not None:
        assert found.checkpoint["channel_values"] == {"n": n - 1, "large": ["x" * 100] * 100}
        thread.config, thread.versions = found.config, found.checkpoint["channel_versions"]
    await thread.put({"n": n, "large": ["x" * 100] * 100})


@pytest.mark.parametrize("name", ["", "deep/directory/agents.db", "."])
async def test_a_path_that_cannot_be_opened_is_an_error(tmp_path: Path, name: str) -> None:
    if not name:
        (tmp_path / "not a database").write_bytes(b"something else entirely" * 100)
        name = "not a database"
    with lgckpt.SqliteSaver(tmp_path / name) as saver:
        for colour in COLOURS:
            with pytest.raises(lgckpt.errors.StorageError, match=name.split("/")[0]):
                await Coloured(saver, colour).list(None)


def test_setup_is_made_once_and_can_be_repeated(saver: Saver) -> None:
    assert saver.setup() is None
    assert saver.setup() is None
    assert [*saver.list(None)] == []


async def test_the_setup_of_the_async_name_is_awaitable(tmp_path: Path) -> None:
    async with lgckpt.AsyncSqliteSaver.from_conn_string(str(tmp_path / "agents.db")) as saver:
        waiting = saver.setup()
        assert inspect.isawaitable(waiting)
        assert await waiting is None
        assert (tmp_path / "agents.db").stat().st_size > 0
        await saver.setup()
        await _use(saver, "async")
        await _use(saver, "sync")


async def test_a_connection_that_is_given_stays_open(tmp_path: Path, colour: str) -> None:
    connection = sqlite3.connect(tmp_path / "agents.db", check_same_thread=False)
    with lgckpt.SqliteSaver(connection) as saver:
        await _use(saver, colour)
    assert connection.execute("SELECT count(*) FROM lgckpt_checkpoints").fetchone() == (1,)
    connection.close()
