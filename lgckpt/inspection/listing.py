"""`list_threads`: what threads there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from lgckpt.bulk import everything
from lgckpt.errors import CorruptCheckpointError
from lgckpt.inspection.checkpoints import open_row, time_of
from lgckpt.inspection.damage import DAMAGED, damage
from lgckpt.inspection.reading import Where, fetch, opened, stepwise, threads
from lgckpt.migration.marks import all_marks
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side
from lgckpt.rows import HIDDEN


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """One thread.

    Attributes:
        checkpoints: How many it has, in all namespaces.
        namespaces: In how many namespaces.
        writes: How many pending writes it has.
        updated: When its latest checkpoint was made, in ISO form; None if that is not known.
        damage: What could not be read.
    """

    thread_id: str
    checkpoints: int
    namespaces: int
    writes: int
    updated: str | None
    damage: Damage | None = None


def list_threads(
    where: Where, *, prefix: str = "", limit: int | None = None
) -> Iterator[ThreadSummary]:
    """List threads, in the order of the database; a page of them is held at once.

    Args:
        where: The database.
        prefix: Only threads whose ids begin so.
        limit: How many at most.

    Yields:
        The threads.

    Raises:
        StorageError: The database cannot be used.
    """
    return stepwise(lambda: alist_threads(where, prefix=prefix, limit=limit))


async def alist_threads(
    where: Where, *, prefix: str = "", limit: int | None = None
) -> AsyncIterator[ThreadSummary]:
    """Async version of `list_threads`."""
    count = 0
    async with opened(where) as side:
        if limit == 0:
            return
        async for thread_id in threads(side, prefix):
            yield await _summary(side, thread_id)
            count += 1
            if count == limit:
                return


async def _summary(side: Side, thread_id: str) -> ThreadSummary:
    checkpoints = writes = 0
    namespaces: set[str] = set()
    latest = ("", "")
    try:
        async for mark in all_marks(side, thread_id):
            writes += mark.writes
            if mark.etag is None or mark.flags & HIDDEN:
                continue
            checkpoints += 1
            namespaces.add(mark.checkpoint_ns)
            latest = max(latest, (mark.checkpoint_id, mark.checkpoint_ns))
    except CorruptCheckpointError as exc:
        found = damage(exc, thread_id, latest[::-1])
        return ThreadSummary(thread_id, checkpoints, len(namespaces), writes, None, found)
    updated, fault = time_of(latest[0]), None
    if updated is None and checkpoints:
        updated, fault = await _written(side, thread_id, latest[::-1])
    return ThreadSummary(thread_id, checkpoints, len(namespaces), writes, updated, fault)


async def _written(
    side: Side, thread_id: str, place: tuple[str, str]
) -> tuple[str | None, Damage | None]:
    """The time that a checkpoint says, where its id says none."""
    batch, faults = await fetch(side, thread_id, [place], everything)
    if faults or not batch.rows:
        return None, faults[0] if faults else None
    try:
        return open_row(batch.rows[0]).time, None
    except DAMAGED as exc:
        return None, damage(exc, thread_id, place)
