"""Walks through a side: threads, places, and pages of rows, whatever the layout."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from lgckpt.bulk import Batch, Known, Place
from lgckpt.errors import CorruptCheckpointError, FrameError, NotFoundError, UnsupportedFormatError
from lgckpt.inspection.damage import damage
from lgckpt.migration.existing import check_there
from lgckpt.migration.marks import all_marks
from lgckpt.migration.opening import open_side
from lgckpt.migration.report import Damage
from lgckpt.migration.running import refuse_running_loop
from lgckpt.migration.sides import Side
from lgckpt.rows import HIDDEN, CheckpointRow
from lgckpt.saver import Saver

T = TypeVar("T")

THREADS, ROWS = 256, 64
"""How many of each are asked for at once."""

Where = str | Saver | Side
"""A database: its URL, or a saver or a side, which stays open."""


@asynccontextmanager
async def opened(where: Where) -> AsyncIterator[Side]:
    """A side, closed in the end if it was opened here."""
    if not isinstance(where, (str, Saver)):
        yield where
        return
    side = open_side(where)
    try:
        await check_there(side)
        yield side
    finally:
        await side.close()


async def threads(side: Side, prefix: str = "") -> AsyncIterator[str]:
    """The ids of all threads that begin so."""
    after: str | None = ""
    while after is not None:
        page = await side.threads(after, THREADS)
        for thread_id in page.threads:
            if thread_id.startswith(prefix):
                yield thread_id
        after = page.after


async def places(side: Side, thread_id: str) -> list[Place]:
    """The places of a thread's visible checkpoints.

    Raises:
        NotFoundError: There is nothing of that thread.
    """
    found = [mark async for mark in all_marks(side, thread_id)]
    if not found:
        raise NotFoundError(f"{side.name} has no thread {thread_id!r}")
    return [mark.place for mark in found if mark.etag is not None and not mark.flags & HIDDEN]


def of_namespace(found: Sequence[Place], thread_id: str, checkpoint_ns: str) -> list[Place]:
    """The places of one namespace.

    Raises:
        NotFoundError: There are none.
    """
    chosen = [place for place in found if place[0] == checkpoint_ns]
    if not chosen:
        spaces = ", ".join(map(repr, sorted({ns for ns, _ in found})))
        raise NotFoundError(
            f"thread {thread_id!r} has no checkpoint in namespace {checkpoint_ns!r}"
            + (f"; it has some in {spaces}" if spaces else "")
        )
    return chosen


async def fetch(
    side: Side, thread_id: str, wanted: Sequence[Place], known: Known
) -> tuple[Batch, list[Damage]]:
    """What is at these places; one that is damaged does not keep the others from being read."""
    try:
        return await side.fetch(thread_id, wanted, known), []
    except (CorruptCheckpointError, FrameError, UnsupportedFormatError) as exc:
        if len(wanted) == 1:
            return Batch(), [damage(exc, thread_id, wanted[0])]
    parts = [await fetch(side, thread_id, [place], known) for place in wanted]
    batch = Batch(
        [row for one, _ in parts for row in one.rows],
        [write for one, _ in parts for write in one.writes],
        [chunk for one, _ in parts for chunk in one.chunks],
    )
    return batch, [one for _, found in parts for one in found]


def by_place(rows: Sequence[CheckpointRow]) -> dict[Place, CheckpointRow]:
    """Rows by where they are."""
    return {(row.checkpoint_ns, row.checkpoint_id): row for row in rows}


def pages(found: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """A sequence in pieces."""
    return (found[i : i + size] for i in range(0, len(found), size))


def stepwise(make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
    """Iterate where no event loop runs, on a loop that ends with the iteration."""
    refuse_running_loop()
    loop = asyncio.new_event_loop()
    iterator = make()
    try:
        while True:
            try:
                yield loop.run_until_complete(iterator.__anext__())
            except StopAsyncIteration:
                return
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            loop.run_until_complete(close())
        loop.run_until_complete(loop.shutdown_asyncgens())
        # An iterator within that one may be on its way to its end still.
        while ending := asyncio.all_tasks(loop):
            loop.run_until_complete(asyncio.wait(ending))
        loop.close()
