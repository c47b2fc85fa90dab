"""One saver and many event loops, one after another and at once; sync calls inside a loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lgckpt.saver import Saver
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.graphs import Runner, chat

pytestmark = pytest.mark.anyio

LARGE = ["a large value"] * 3000
LIMIT = 60
"""Seconds after which a call that hangs is given up."""


async def _work(saver: Saver, name: str, count: int = 5) -> None:
    """Put, write, read and list one thread of one's own."""
    thread = Thread(Coloured(saver, "async"), name)
    for n in range(count):
        at = await thread.put({"n": n, "large": [*LARGE, n]})
        await saver.aput_writes(at, [("n", n)], "task")
        found = await saver.aget_tuple(at)
        assert found.checkpoint["channel_values"] == thread.values
    assert len([one async for one in saver.alist(config(name))]) == count


def test_loops_one_after_another(saver: Saver) -> None:
    for n in range(3):
        asyncio.run(asyncio.wait_for(_work(saver, f"t{n}"), LIMIT))
    assert len([*saver.list(None)]) == 15


def test_loops_at_once(saver: Saver) -> None:
    start = threading.Barrier(4)

    def run(n: int) -> None:
        start.wait(LIMIT)
        asyncio.run(asyncio.wait_for(_work(saver, f"t{n}"), LIMIT))

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(run, range(4))] == [None] * 4
    assert len([*saver.list(None)]) == 20


def test_loops_and_sync_calls_at_once(saver: Saver) -> None:
    start = threading.Barrier(4)

    def run(n: int) -> None:
        start.wait(LIMIT)
        if n % 2:
            asyncio.run(asyncio.wait_for(_work(saver, f"t{n}"), LIMIT))
            return
        for step in range(5):
            _put_sync(saver, f"t{n}", step)

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(run, range(4))] == [None] * 4
    assert len([*saver.list(None)]) == 20


def _put_sync(saver: Saver, name: str, n: int) -> None:
    coroutine = Thread(Coloured(saver, "sync"), name).put({"n": n, "large": LARGE})
    with pytest.raises(StopIteration):
        coroutine.send(None)


async def test_sync_methods_inside_a_running_loop(saver: Saver) -> None:
    async def both(n: int) -> None:
        sync, other = Coloured(saver, "sync"), Coloured(saver, "async")
        thread = Thread(sync, f"t{n}")
        for step in range(3):
            await thread.put({"n": step})
            await asyncio.sleep(0)
            assert await Thread(other, f"t{n}").state() == {"n": step}
            assert await thread.state() == {"n": step}

    await asyncio.wait_for(asyncio.gather(*(both(n) for n in range(8))), LIMIT)
    assert len(saver_list := [*saver.list(None)]) == 24
    assert len({one.config["configurable"]["thread_id"] for one in saver_list}) == 8


async def test_many_tasks_on_one_loop(saver: Saver) -> None:
    work = (_work(saver, f"t{n}", 2) for n in range(40))
    await asyncio.wait_for(asyncio.gather(*work), LIMIT)
    assert len([one async for one in saver.alist(None)]) == 80


async def test_tasks_that_share_a_thread_lose_nothing(saver: Saver) -> None:
    thread = Thread(Coloured(saver, "async"))
    at = await thread.put({"n": 0})

    async def write(n: int) -> None:
        await saver.aput_writes(at, [("n", n), ("large", [*LARGE, n])], f"task {n:02}")

    await asyncio.wait_for(asyncio.gather(*(write(n) for n in range(20))), LIMIT)
    found = (await saver.aget_tuple(at)).pending_writes
    assert found == [
        (f"task {n:02}", channel, value)
        for n in range(20)
        for channel, value in (("n", n), ("large", [*LARGE, n]))
    ]


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_a_cancelled_put_leaves_all_or_nothing_and_a_usable_saver(
    saver: Saver, after: int
) -> None:
    thread = Thread(Coloured(saver, "async"))
    before = await thread.put({"n": 0, "large": LARGE})
    for n in range(10):
        task = asyncio.create_task(_put(thread, n))
        for _ in range(after):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        found = await asyncio.wait_for(saver.aget_tuple(config("t")), LIMIT)
        values: Any = found.checkpoint["channel_values"]
        whole = {"n": values["n"], "large": [*LARGE, values["n"]]}
        assert values == whole or (values["n"], found.config) == (0, before)
    await thread.put({"n": "last"})
    assert (await thread.state())["n"] == "last"


async def _put(thread: Thread, n: int) -> None:
    await thread.put({"n": n, "large": [*LARGE, n]})


async def test_a_graph_runs_in_both_colours_on_one_saver(saver: Saver) -> None:
    sync = Runner(Coloured(saver, "sync"), chat())
    other = Runner(Coloured(saver, "async"), chat())
    for n, runner in enumerate([sync, other, sync, other]):
        turn = {"turn": n, "log": [f"user {n}"]}
        await asyncio.wait_for(runner.invoke(turn, "t"), LIMIT)
    assert await sync.state("t") == await other.state("t")
    assert len((await sync.state("t")).values["log"]) == 16
