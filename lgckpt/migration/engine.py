"""Goes through all threads with several workers: as often as asked for, or until stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from lgckpt.migration.bundle import THREADS as BUNDLE
from lgckpt.migration.bundle import bundling
from lgckpt.migration.marks import all_marks
from lgckpt.migration.progress import Progress
from lgckpt.migration.sides import Side
from lgckpt.migration.thread import How, Pace, ThreadCopy

THREADS = 500
"""Threads listed at once."""

Work = Callable[[str], Awaitable[None]]
Bundles = Callable[[Sequence[str]], Awaitable[Sequence[str]]]
"""Works on several threads at once; gives those that are left to be worked on one by one."""


@dataclass(frozen=True)
class Follow:
    """How to go on after the first pass.

    Attributes:
        interval: Seconds between two passes.
        until_idle: Ends after so many passes in a row that moved nothing; None for never.
        stop: Once it is set, ends after one pass more: that carries all that was stored before.
    """

    interval: float
    until_idle: int | None
    stop: asyncio.Event


async def names(side: Side) -> AsyncIterator[str]:
    """All threads of a side."""
    after: str | None = ""
    while after is not None:
        page = await side.threads(after, THREADS)
        for thread_id in page.threads:
            yield thread_id
        after = page.after


async def bundles(side: Side, most: int, workers: int) -> AsyncIterator[list[str]]:
    """All threads of a side, so many at a time, fewer where they are few for all workers."""
    after: str | None = ""
    while after is not None:
        page = await side.threads(after, THREADS)
        found = list(dict.fromkeys(page.threads))
        size = max(1, min(most, len(found) // (2 * workers)))
        for start in range(0, len(found), size):
            yield found[start : start + size]
        after = page.after


async def each_thread(
    side: Side, work: Work, workers: int, together: Bundles | None = None
) -> None:
    """Have each thread worked on, several at a time; the first failure ends it all.

    Args:
        side: Whose threads.
        work: What is done with each.
        workers: How many are worked on at a time.
        together: What is tried first, with several.
    """
    queue: asyncio.Queue[list[str] | None] = asyncio.Queue(2 * workers)

    async def give() -> None:
        async for some in bundles(side, 1 if together is None else BUNDLE, workers):
            await queue.put(some)
        for _ in range(workers):
            await queue.put(None)

    async def take() -> None:
        while (some := await queue.get()) is not None:
            for thread_id in some if together is None else await together(some):
                await work(thread_id)

    tasks = [asyncio.create_task(one) for one in (give(), *(take() for _ in range(workers)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def one_pass(
    source: Side, target: Side, how: How, workers: int, progress: Progress, *, count: bool
) -> None:
    """Move what the target has not.

    Args:
        source: From where.
        target: Where to.
        how: How each thread is copied.
        workers: How many threads are copied at a time.
        progress: Counts.
        count: Whether to count all places of the source meanwhile, to tell the time left.
    """
    progress.begin("migrate")

    pace = Pace()

    async def work(thread_id: str) -> None:
        await ThreadCopy(source, target, thread_id, how, progress, pace).run()

    async with counting(source, progress, count=count):
        bundle = bundling(source, target, how, progress)
        await each_thread(source, work, workers, None if bundle is None else bundle.run)


@asynccontextmanager
async def counting(side: Side, progress: Progress, *, count: bool) -> AsyncIterator[None]:
    """Meanwhile count all places of a side, for the time left; a failure shows in the work."""

    async def count_all() -> None:
        found = 0
        async for thread_id in names(side):
            async for _ in all_marks(side, thread_id):
                found += 1
        progress.places_in_all = found

    task = asyncio.create_task(count_all()) if count else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def passes(
    source: Side,
    target: Side,
    how: How,
    workers: int,
    progress: Progress,
    follow: Follow | None,
    *,
    count: bool,
) -> None:
    """Go through the source once, or with `follow` again and again."""
    idle = 0
    while True:
        last = follow is None or follow.stop.is_set()
        before = progress.checkpoints, progress.writes
        await one_pass(source, target, how, workers, progress, count=count)
        if follow is None or last:
            return
        idle = idle + 1 if (progress.checkpoints, progress.writes) == before else 0
        still = follow.until_idle is not None and idle >= follow.until_idle
        if still and not follow.stop.is_set():
            return
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(follow.stop.wait(), follow.interval)
