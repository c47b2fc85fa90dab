"""Many processes, threads and tasks at once: no lock error, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import lgckpt
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import config
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import database_of
from tests.survive import replacing
from tests.survive.checker import check_file
from tests.survive.crowd import threads
from tests.survive.harness import run, scaled
from tests.survive.places import check_place, open_place, place_on
from tests.survive.states import WRITERS, Conversation, assert_whole, batch, put_args
from tests.survive.writers import AT_ONCE, PROCESSES, names

THREADS = 10_000
STEPS = 25
FILES = 8
STATES = 120
"""Replacements of one checkpoint that each of its readers has to see."""
SCHEMAS = 3


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with place_on(request.param, tmp_path) as made:
        yield made


@pytest.mark.slow
def test_eight_processes_and_32_threads_write_one_place(place: str) -> None:
    steps = scaled(STEPS)
    run("writers", "write", place, steps, limit=100)
    check_place(place)
    with open_place(place) as saver:
        for name in (name for process in range(PROCESSES) for name in names(process)):
            found = list(saver.list(config(name)))
            assert [one.metadata["step"] for one in found] == list(reversed(range(steps))), name
            for one in found:
                assert_whole(one)
                assert {task for task, _, _ in one.pending_writes} == set(WRITERS), one.config


@pytest.mark.slow
def test_twenty_processes_start_at_once_on_a_new_file(tmp_path: Path) -> None:
    files = scaled(FILES)
    run("writers", "setup", tmp_path, files, limit=100)
    for i in range(files):
        assert_all_came(f"{tmp_path}/{i}.db")


def assert_all_came(place: str) -> None:
    """Each of the twenty left one checkpoint."""
    check_place(place)
    with open_place(place) as saver:
        found = {one.metadata["name"] for one in saver.list(None)}
    assert found == {f"small-{n}" for n in range(AT_ONCE)}


@pytest.mark.slow
def test_twenty_processes_start_at_once_on_an_empty_database() -> None:
    """None of its schemas is there, nor a table, nor a function."""
    schemas = scaled(SCHEMAS)
    with database_of(postgres_url()) as url:
        run("writers", "setup", f"{url}#new schema", schemas, limit=100)
        for i in range(schemas):
            assert_all_came(f"{url}#new schema {i}")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_ten_thousand_threads_written_concurrently_from_asyncio(
    tmp_path: Path, backend: str
) -> None:
    count = scaled(THREADS)
    saver: Saver = lgckpt.MemorySaver()
    if backend == "sqlite":
        saver = lgckpt.SqliteSaver(tmp_path / "agents.db", synchronous="NORMAL")
    with saver:
        asyncio.run(_write_all(saver, count))
        found = asyncio.run(_read_all(saver, count))
    assert found == count


def _name(number: int) -> str:
    """Every hundredth thread is a large one."""
    return f"{'large' if number % 100 == 0 else 'small'}-{number}"


async def _write_all(saver: Saver, count: int) -> None:
    async def one(number: int) -> None:
        conversation = Conversation(_name(number))
        await conversation.aput(saver)
        await saver.aput_writes(*conversation.writes("task-a"))

    await asyncio.gather(*(one(number) for number in range(count)))


async def _read_all(saver: Saver, count: int) -> int:
    async def one(number: int) -> bool:
        found = await saver.aget_tuple(config(_name(number)))
        assert found is not None, f"thread {number} is lost"
        assert_whole(found)
        written = [(channel, value) for _, channel, value in found.pending_writes]
        return written == batch(_name(number), 0, "task-a")

    return sum(await asyncio.gather(*(one(number) for number in range(count))))


def test_many_threads_put_the_same_checkpoint_at_once(backend: Backend) -> None:
    """One row comes of it, whole: a put repeated with the same id replaces."""
    args = put_args("t", "large-same", 0, {}, None)

    async def main(saver: Saver) -> None:
        sync = (asyncio.to_thread(saver.put, *args) for _ in range(16))
        await asyncio.gather(*sync, *(saver.aput(*args) for _ in range(16)))

    with backend.open() as saver:
        asyncio.run(main(saver))
        (found,) = saver.list(config("t"))
        assert_whole(found)


@pytest.mark.slow
def test_the_latest_is_whole_while_it_is_replaced(backend: Backend, seed: int) -> None:
    """By threads on one saver: each read is one of the states put, never a mix of two."""
    enough, seen = scaled(STATES), replacing.counters()
    with backend.open() as saver:
        replacing.put(saver, 0)
        readers = [partial(replacing.read, saver, i, seen, enough) for i in range(len(seen))]
        threads([partial(replacing.write, saver, seen, enough, seed), *readers])


@pytest.mark.slow
def test_the_latest_is_whole_while_another_process_replaces_it(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "agents.db"
    run("replacing", path, scaled(STATES), seed)
    check_file(path)
