"""Event loops and exits: no deadlock, no hang, nothing left open, whoever calls or ends."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import config
from tests.survive.checker import check_file
from tests.survive.crowd import threads
from tests.survive.exits import SCENARIOS
from tests.survive.harness import run, scaled
from tests.survive.states import WRITERS, Conversation, assert_whole

STRICT = ("-W", "error", "-X", "dev")


async def converse(saver: Saver, name: str, steps: int) -> None:
    """A thread written and read in the async colour."""
    conversation = Conversation(name)
    for _ in range(steps):
        await conversation.aput(saver)
        for task in WRITERS:
            await saver.aput_writes(*conversation.writes(task))
    found = [one async for one in saver.alist(config(name))]
    assert [one.metadata["step"] for one in found] == list(reversed(range(steps)))
    for one in found:
        assert_whole(one)


def test_sync_methods_inside_a_running_loop(backend: Backend) -> None:
    """On the loop's own thread, beside async calls that are under way."""

    async def main(saver: Saver) -> None:
        saver.setup()
        others = [asyncio.ensure_future(converse(saver, f"large-{i}", 5)) for i in range(4)]
        conversation = Conversation("large-sync")
        for _ in range(5):
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))
            assert_whole(saver.get_tuple(config("large-sync")))
            await asyncio.sleep(0)
        assert len(list(saver.list(config("large-sync")))) == 5
        saver.copy_thread("large-sync", "copy")
        saver.prune(["copy"])
        saver.delete_thread("copy")
        await asyncio.gather(*others)

    with backend.open() as saver:
        asyncio.run(main(saver))


def test_event_loops_one_after_another(backend: Backend) -> None:
    with backend.open() as saver:
        for i in range(scaled(20)):
            asyncio.run(converse(saver, f"large-{i}", 2))
        assert len(list(saver.list(None))) == scaled(20) * 2


def test_event_loops_at_once_in_threads(backend: Backend) -> None:
    with backend.open() as saver:
        crowd(saver, 4)
        for number in range(4):
            assert_whole(saver.get_tuple(config(f"large-{number}-0")))


def crowd(saver: Saver, loops: int) -> None:
    """Each thread runs a loop of its own, and all begin at the same moment."""
    gate = threading.Barrier(loops)

    async def several(number: int) -> None:
        gate.wait()
        await asyncio.gather(*(converse(saver, f"large-{number}-{i}", 3) for i in range(3)))

    threads([lambda n=n: asyncio.run(several(n)) for n in range(loops)])  # type: ignore[misc]


@pytest.mark.slow
def test_the_first_use_by_many_event_loops_at_once(tmp_path: Path) -> None:
    """Each file anew: the worker threads and the schema are made but once."""
    for i in range(scaled(30)):
        with lgckpt.SqliteSaver(tmp_path / f"{i}.db") as saver:
            first_use(saver)


def first_use(saver: Saver) -> None:
    gate = threading.Barrier(8)

    async def put(number: int) -> None:
        gate.wait()
        await Conversation(f"small-{number}").aput(saver)
        assert_whole(await saver.aget_tuple(config(f"small-{number}")))

    threads([lambda n=n: asyncio.run(put(n)) for n in range(8)])  # type: ignore[misc]


def test_workers_are_made_once_however_many_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held up where they are made: whoever asks meanwhile waits, and gets the same."""
    from lgckpt import bridges  # noqa: PLC0415

    made: list[Any] = []
    executor = bridges.ThreadPoolExecutor

    class Slow(executor):  # type: ignore[misc, valid-type]
        def __init__(self, *args: Any) -> None:
            made.append(self)
            threading.Event().wait(0.05)
            super().__init__(*args)

    monkeypatch.setattr(bridges, "ThreadPoolExecutor", Slow)
    with lgckpt.SqliteSaver(":memory:") as saver:
        first_use(saver)
    assert len(made) == 2, "one executor writes and one reads"


def test_a_cancelled_loop_does_not_harm_the_next(backend: Backend) -> None:
    async def cut_short(saver: Saver, name: str) -> None:
        tasks = [asyncio.ensure_future(converse(saver, f"{name}-{i}", 50)) for i in range(4)]
        await asyncio.sleep(0.02)
        del tasks

    with backend.open() as saver:
        for i in range(5):
            asyncio.run(cut_short(saver, f"large-cut-{i}"))
            asyncio.run(converse(saver, f"large-{i}", 3))


def test_closing_while_others_use_it(backend: Backend) -> None:
    """Whoever comes too late is told so; nobody hangs."""

    async def go_on(saver: Saver, name: str) -> None:
        conversation = Conversation(name)
        while True:
            await conversation.aput(saver)

    def use(saver: Saver, name: str) -> None:
        with pytest.raises(lgckpt.ClosedError):
            asyncio.run(go_on(saver, name))

    def close(saver: Saver) -> None:
        threading.Event().wait(0.05)
        saver.close()

    for _ in range(5):
        with backend.open() as saver:
            users = [partial(use, saver, f"small-{i}") for i in range(3)]
            threads([*users, partial(close, saver)])


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_interpreter_ends_in_peace(tmp_path: Path, scenario: str) -> None:
    """With every warning an error; what was acknowledged is in the file afterwards."""
    path = tmp_path / "agents.db"
    out = run("exits", scenario, path, limit=30, flags=STRICT)
    if not path.exists():
        return
    check_file(path)
    with lgckpt.SqliteSaver(path) as saver:
        for name, step in (line.split() for line in out.splitlines()):
            found = saver.get_tuple(config(name))
            assert found is not None
            assert found.metadata["step"] == int(step)
            assert_whole(found)
