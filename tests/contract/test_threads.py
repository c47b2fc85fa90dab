"""One saver, used from many threads of the process at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lgckpt.saver import Saver
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing

THREADS = 16
LARGE = [{"id": i, "content": f"message {i} " * 6} for i in range(100)]


def _at_once(run: Callable[[int], Any], count: int = THREADS) -> list[Any]:
    """Run in that many threads, begun together."""
    start = threading.Barrier(count)

    def begin(n: int) -> Any:
        start.wait(60)
        return run(n)

    with ThreadPoolExecutor(count) as pool:
        return [*pool.map(begin, range(count))]


def _sync(coroutine: Any) -> Any:
    """Drive a coroutine that only calls sync methods."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a sync method waited")


def test_threads_of_their_own(saver: Saver) -> None:
    def run(n: int) -> None:
        thread = Thread(Coloured(saver, "sync"), f"t{n}")
        for step in range(6):
            at = _sync(thread.put({"n": step, "large": [*LARGE[step:], n]}))
            saver.put_writes(at, [("n", step)], "task")
            assert _sync(thread.state()) == thread.values
        assert len([*saver.list(config(f"t{n}"))]) == 6

    _at_once(run)
    assert len([*saver.list(None)]) == 6 * THREADS
    assert_nothing_missing(saver)


def test_forks_of_one_checkpoint(saver: Saver) -> None:
    root = saver.put(config("t"), checkpoint({"large": LARGE}), {}, {"large": 1})

    def run(n: int) -> Any:
        at, values = root, list(LARGE)
        for step in range(4):
            values = [*values, {"id": n, "step": step}]
            made = checkpoint({"large": values}, {"large": step + 2})
            at = saver.put(at, made, {}, {"large": step + 2})
        return at, values

    for at, values in _at_once(run):
        assert saver.get_tuple(at).checkpoint["channel_values"] == {"large": values}
    assert len([*saver.list(config("t"))]) == 1 + 4 * THREADS
    assert_nothing_missing(saver)


def test_writes_to_one_checkpoint(saver: Saver) -> None:
    at = saver.put(config("t"), checkpoint({}), {}, {})

    def run(n: int) -> None:
        saver.put_writes(at, [("c", n), ("large", [*LARGE, n])], f"task {n:02}")
        saver.put_writes(at, [("__resume__", n)], "shared")
        saver.put_writes(at, [("first", n)], "shared first")

    _at_once(run)
    found = saver.get_tuple(at).pending_writes
    own = [one for one in found if not one[0].startswith("shared")]
    assert own == [
        (f"task {n:02}", channel, value)
        for n in range(THREADS)
        for channel, value in (("c", n), ("large", [*LARGE, n]))
    ]
    assert [one[:2] for one in found if one[0] == "shared"] == [("shared", "__resume__")]
    assert len([one for one in found if one[0] == "shared first"]) == 1


def test_readers_beside_a_writer_see_whole_checkpoints(saver: Saver) -> None:
    thread = Thread(Coloured(saver, "sync"))
    _sync(thread.put({"n": 0, "large": [*LARGE, 0]}))
    done = threading.Event()

    def run(n: int) -> int:
        if n == 0:
            for step in range(1, 30):
                _sync(thread.put({"n": step, "large": [*LARGE, step]}))
                if step % 10 == 0:
                    saver.prune(["t"])
            done.set()
            return 0
        reads = 0
        while not (done.is_set() and reads):
            values = saver.get_tuple(config("t")).checkpoint["channel_values"]
            assert values["large"] == [*LARGE, values["n"]]
            reads += 1
        return reads

    reads = _at_once(run, 5)
    assert all(reads[1:])


def test_sync_and_async_from_many_threads(saver: Saver) -> None:
    def run(n: int) -> None:
        colour = ("sync", "async")[n % 2]
        thread = Thread(Coloured(saver, colour), f"t{n}")

        async def work() -> None:
            for step in range(4):
                await thread.put({"n": step, "large": [*LARGE, n]})
                assert await thread.state() == thread.values

        asyncio.run(work())

    _at_once(run)
    assert len([*saver.list(None)]) == 4 * THREADS


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_the_first_use_from_many_threads_at_once(saver: Saver, colour: str) -> None:
    def run(n: int) -> None:
        asyncio.run(_first(saver, colour, n))

    _at_once(run)
    assert len([*saver.list(None)]) == THREADS


async def _first(saver: Saver, colour: str, n: int) -> None:
    coloured = Coloured(saver, colour)
    assert await coloured.get_tuple(config(f"t{n}")) is None
    await Thread(coloured, f"t{n}").put({"n": n})
