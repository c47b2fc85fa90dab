"""Pass after pass, with what was written meanwhile; and what is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

import lgckpt
from lgckpt.migration.engine import Follow, passes
from lgckpt.migration.progress import Progress
from lgckpt.migration.thread import How
from tests.checkpoints import config
from tests.colours import Coloured
from tests.migrate.sides import Watched, assert_same, fill

pytestmark = pytest.mark.anyio


async def until(there: Callable[[], bool]) -> None:
    """Let the passes go on until they have carried something."""
    for _ in range(2000):
        if there():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("not within 10 s")


async def test_it_ends_when_nothing_was_moved_so_many_times() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        await fill(source, "a")
        done = await lgckpt.amigrate(source, target, follow=0.0, until_idle=3)
        assert (done.passes, done.checkpoints) == (4, 4)
        assert (done.threads, done.threads_moved) == (1, 1)
        assert_same(source, target)


async def test_each_pass_carries_what_was_written_meanwhile() -> None:
    source, target = Watched(), Watched()
    stop = asyncio.Event()
    follow = Follow(0.01, None, stop)
    progress = Progress()
    await fill(source.saver, "a", 2)
    work = asyncio.create_task(passes(source, target, How(), 2, progress, follow, count=False))
    for n in range(3):
        await until(lambda n=n: progress.checkpoints >= 2 * (n + 1))
        await fill(source.saver, f"{n}", 2)
    await until(lambda: progress.checkpoints >= 8)
    coloured = Coloured(source.saver, "async")
    await coloured.put_writes(config("early", "x"), [("w", 1)], "task")
    await until(lambda: progress.writes >= 25)
    stop.set()
    await asyncio.wait_for(work, 5)
    assert_same(source.saver, target.saver)
    assert progress.passes >= 5


async def test_what_was_stored_before_the_stop_is_carried() -> None:
    stop = asyncio.Event()

    class Stopping(Watched):
        async def load(self, thread_id, batch):
            if thread_id == "b" and not stop.is_set():
                # Of a thread that this pass has gone by.
                await fill(source.saver, "a", 1)
                stop.set()
            return await super().load(thread_id, batch)

    source, target = Watched(), Stopping()
    for name in "abcdefgh":
        await fill(source.saver, name, 1)
    progress = Progress()
    await passes(source, target, How(), 1, progress, Follow(60.0, 2, stop), count=False)
    assert (progress.passes, progress.threads) == (2, 8)
    assert_same(source.saver, target.saver)


async def test_a_stop_in_the_last_idle_pass_has_one_more() -> None:
    stop, progress = asyncio.Event(), Progress()

    class Stopping(Watched):
        async def marks(self, thread_id, *args):
            if thread_id == "b" and progress.passes == 2 and not stop.is_set():
                # Of a thread that this pass has gone by.
                await fill(source.saver, "a", 1)
                stop.set()
            return await super().marks(thread_id, *args)

    source, target = Stopping(), Watched()
    for name in "ab":
        await fill(source.saver, name, 1)
    await passes(source, target, How(), 1, progress, Follow(0.0, 1, stop), count=False)
    assert (progress.passes, progress.checkpoints) == (3, 3)
    assert_same(source.saver, target.saver)


async def test_a_stop_between_passes_has_one_more() -> None:
    source, target, stop = Watched(), Watched(), asyncio.Event()
    await fill(source.saver, "a", 1)
    progress = Progress()
    follow = Follow(60.0, None, stop)
    work = asyncio.create_task(passes(source, target, How(), 1, progress, follow, count=False))
    await until(lambda: progress.checkpoints == 1)
    await asyncio.sleep(0.05)
    await fill(source.saver, "b", 1)
    stop.set()
    await asyncio.wait_for(work, 5)
    assert progress.passes == 2
    assert_same(source.saver, target.saver)


async def test_what_is_watched_adds_up() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        for name in "abc":
            await fill(source, name, 5)
        seen: list[tuple[str, int, int | None, int]] = []

        def watch(progress: Progress) -> None:
            told = (progress.stage, progress.places, progress.places_in_all, progress.threads)
            seen.append(told)
            assert progress.rate >= 0
            assert progress.seconds_left is None or progress.seconds_left >= 0

        await lgckpt.amigrate(source, target, watch=watch, verify=True)
        assert seen[0][:2] == ("migrate", 0)
        assert seen[-1] == ("verify", 15, 15, 3)


async def test_a_pass_begins_to_count_anew() -> None:
    progress = Progress()
    progress.begin("migrate")
    progress.places, progress.places_in_all = 10, 40
    progress.pass_started -= 2.0
    assert progress.rate == pytest.approx(5, rel=0.1)
    assert progress.seconds_left == pytest.approx(6, rel=0.1)
    progress.begin("migrate")
    assert (progress.passes, progress.places, progress.seconds_left) == (2, 0, None)
