"""A thread's places on both sides, side by side: what decides what has to be moved."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from lgckpt.bulk import Mark, Place
from lgckpt.errors import CorruptCheckpointError
from lgckpt.migration.sides import Side

PAGE = 1000
"""Marks read at once."""


async def all_marks(side: Side, thread_id: str) -> AsyncIterator[Mark]:
    """The places of a thread, a page at a time.

    Raises:
        CorruptCheckpointError: What comes next has no name; all before it was given.
    """
    after: Place | None = None
    limit = PAGE
    while True:
        try:
            page = await side.marks(thread_id, after, limit)
        except CorruptCheckpointError:
            if limit == 1:
                raise
            limit = max(1, limit // 10)
            continue
        for mark in page:
            yield mark
        if len(page) < limit:
            return
        after = page[-1].place


async def is_any(side: Side, thread_id: str) -> bool:
    """Whether there is anything of a thread, damaged or not."""
    try:
        return bool(await side.marks(thread_id, None, 1))
    except CorruptCheckpointError:
        return True


class Pair(NamedTuple):
    """One place on both sides; at least one is there."""

    source: Mark | None
    target: Mark | None


async def pairs(source: Side, target: Side, thread_id: str) -> AsyncIterator[Pair]:
    """The places of a thread on both sides, merged in their order."""
    ours, theirs = all_marks(source, thread_id), all_marks(target, thread_id)
    a, b = await anext(ours, None), await anext(theirs, None)
    while a is not None or b is not None:
        if b is None or (a is not None and a.place < b.place):
            yield Pair(a, None)
            a = await anext(ours, None)
        elif a is None or b.place < a.place:
            yield Pair(None, b)
            b = await anext(theirs, None)
        else:
            yield Pair(a, b)
            a, b = await anext(ours, None), await anext(theirs, None)


class Step(NamedTuple):
    """A place that may have to be moved.

    Attributes:
        doubtful: Whether the target has something there, to be compared first.
    """

    place: Place
    doubtful: bool


async def steps(source: Side, target: Side, thread_id: str) -> AsyncIterator[Step | None]:
    """The places of a thread that may have to be moved, oldest first within a namespace.

    A place in doubt is one whose row or number of writes differs, and the latest of each
    namespace: there a write may have taken another's place, and where a side is not native a
    checkpoint may have, without a trace in the marks.

    Yields:
        None for a place that is the same on both sides.
    """
    if not await target.marks(thread_id, None, 1):
        async for mark in all_marks(source, thread_id):
            yield Step(mark.place, False)
        return
    native = source.native and target.native
    held: Mark | None = None
    async for mine, other in pairs(source, target, thread_id):
        if mine is None:
            continue
        if held is not None:
            latest = held.checkpoint_ns != mine.checkpoint_ns
            yield Step(held.place, True) if latest else None
            held = None
        if other is None:
            yield Step(mine.place, False)
        elif _differ(mine, other, native=native) or mine.etag is None:
            yield Step(mine.place, True)
        elif mine.writes or not native:
            held = mine
        else:
            yield None
    if held is not None:
        yield Step(held.place, True)


def _differ(mine: Mark, other: Mark, *, native: bool) -> bool:
    if mine.writes != other.writes or (mine.etag is None) != (other.etag is None):
        return True
    return native and (mine.etag, mine.flags) != (other.etag, other.flags)
