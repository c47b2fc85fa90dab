"""Small threads that the target has nothing of, several at a time from one side to the other."""

from __future__ import annotations

from collections.abc import Sequence

from lgckpt.bulk import Batch, Room
from lgckpt.migration.compare import places_of
from lgckpt.migration.damage import sound
from lgckpt.migration.progress import Progress
from lgckpt.migration.recode import recoded
from lgckpt.migration.sides import Many, many_of
from lgckpt.migration.thread import LARGEST_FIRST, How

THREADS = 32
"""Threads of a bundle, at most."""

BUNDLE_BYTES = 1 << 19
"""About how much of several threads is fetched at once."""


class BundleCopy:
    """Copies threads as wholes, those that can be.

    What is larger, damaged, there already, or refused is left to `ThreadCopy`, which goes place
    by place and can tell what is wrong.

    Args:
        source: From where.
        target: Where to.
        how: How threads are copied.
        progress: Counts.
    """

    def __init__(self, source: Many, target: Many, how: How, progress: Progress) -> None:
        self._source, self._target = source, target
        self._how, self._progress = how, progress

    async def run(self, thread_ids: Sequence[str]) -> list[str]:
        """Move what the target has nothing of; gives the threads that are left to do."""
        vacant = await self._target.vacant(thread_ids)
        left = [name for name, free in zip(thread_ids, vacant, strict=True) if not free]
        wanted = [name for name, free in zip(thread_ids, vacant, strict=True) if free]
        while wanted:
            room = Room(LARGEST_FIRST, BUNDLE_BYTES)
            found = await self._source.fetch_threads(wanted, room)
            left += await self._take(list(zip(wanted, found, strict=False)))
            wanted = wanted[len(found) :]
        return left

    async def _take(self, found: Sequence[tuple[str, Batch | None]]) -> list[str]:
        left: list[str] = []
        loads: list[tuple[str, Batch]] = []
        for thread_id, batch in found:
            if batch is None or sound(batch).damage:
                left.append(thread_id)
            else:
                loads.append((thread_id, self._coded(batch)))
        for (thread_id, batch), stored in zip(loads, await self._stored(loads), strict=True):
            if stored:
                self._count(batch)
            else:
                left.append(thread_id)
        return left

    def _coded(self, batch: Batch) -> Batch:
        return recoded(batch, self._how.codec) if self._how.recode else batch

    async def _stored(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        if self._how.dry or not loads:
            return [True] * len(loads)
        return await self._target.load_threads(loads)

    def _count(self, batch: Batch) -> None:
        places = len(places_of(batch))
        self._progress.places += places
        self._progress.threads += 1
        if places:
            self._progress.threads_moved += 1
            self._progress.moved(batch)


def bundling(source: object, target: object, how: How, progress: Progress) -> BundleCopy | None:
    """What copies several threads at once between two sides; None where one cannot do that."""
    ours, theirs = many_of(source), many_of(target)
    if ours is None or theirs is None:
        return None
    return BundleCopy(ours, theirs, how, progress)
