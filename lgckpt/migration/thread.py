"""One thread from one side to the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from lgckpt.bulk import Batch, nothing, size_of
from lgckpt.errors import CorruptCheckpointError, StorageError
from lgckpt.migration.compare import places_of
from lgckpt.migration.damage import Sound
from lgckpt.migration.doubts import unsettled
from lgckpt.migration.fetching import fetch_sound
from lgckpt.migration.marks import Step, steps
from lgckpt.migration.progress import Progress
from lgckpt.migration.recode import recoded
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side

FIRST, LARGEST_FIRST, MOST = 16, 64, 256
"""Places fetched at once: at first, at first in later threads at most, and at most."""

BATCH_BYTES = 1 << 20
"""About how much is fetched at once."""

KNOWN = 50_000
"""Hashes of sent chunks that are remembered; with more all are forgotten, and sent again."""


@dataclass(frozen=True)
class How:
    """How threads are copied.

    Attributes:
        dry: Only counts.
        skip_corrupt: Leaves out what is damaged, instead of stopping there.
        codec: What frames are sealed anew with, if `recode`.
    """

    dry: bool = False
    skip_corrupt: bool = False
    recode: bool = False
    codec: str | None = None


@dataclass
class Pace:
    """How many places a thread begins with: as many as made a batch of the last one."""

    at_once: int = field(default_factory=lambda: FIRST)

    def adapt(self, size: int, count: int) -> int:
        """How many places make a batch of about the size wanted, now that so many had a size."""
        fitting = count * BATCH_BYTES // max(size, 1)
        self.at_once = max(1, min(MOST, 2 * max(count, FIRST), fitting))
        return self.at_once


class ThreadCopy:
    """Copies one thread, once.

    While one batch is stored, the next is fetched. It takes the chunks of that one for stored:
    if they are not in the end, the target says that a claim does not hold.
    """

    def __init__(
        self,
        source: Side,
        target: Side,
        thread_id: str,
        how: How,
        progress: Progress,
        pace: Pace | None = None,
    ) -> None:
        self._source, self._target = source, target
        self._thread_id = thread_id
        self._how, self._progress = how, progress
        self._known: set[bytes] = set()
        self._pace = pace or Pace()
        self._at_once = min(self._pace.at_once, LARGEST_FIRST)
        self._storing: asyncio.Task[None] | None = None
        self._moved = False

    async def run(self) -> None:
        """Move what the target has not.

        Raises:
            CorruptCheckpointError: Something is damaged, and is not to be skipped.
        """
        try:
            async for page in self._pages():
                await self._move(page)
            await self._stored()
        except CorruptCheckpointError as exc:
            # Of the thread's own list of places: all others were set aside where they were met.
            await self._stored()
            if not self._how.skip_corrupt:
                raise
            reason = f"{exc.reason}; what comes after it in the thread is left out"
            self._progress.skip([replace(Damage.of(exc), reason=reason)])
        finally:
            if self._storing is not None:
                self._storing.cancel()
                await asyncio.gather(self._storing, return_exceptions=True)
        self._progress.threads += 1
        self._progress.threads_moved += self._moved

    async def _pages(self) -> AsyncIterator[list[Step]]:
        page: list[Step] = []
        try:
            async for step in steps(self._source, self._target, self._thread_id):
                if step is None:
                    self._progress.places += 1
                    continue
                page.append(step)
                if len(page) >= self._at_once:
                    yield page
                    page = []
        except CorruptCheckpointError:
            # What is listed before is moved still.
            if page:
                yield page
            raise
        if page:
            yield page

    async def _move(self, page: list[Step]) -> None:
        fresh = [step.place for step in page if not step.doubtful]
        doubtful = [step.place for step in page if step.doubtful]
        if fresh:
            found = await fetch_sound(self._source, self._thread_id, fresh, self._has)
            self._at_once = self._pace.adapt(size_of(found.batch), len(fresh))
            await self._take(found)
        if doubtful:
            await self._stored()
            for found in await unsettled(self._source, self._target, self._thread_id, doubtful):
                await self._take(found)
        self._progress.places += len(page)

    def _has(self, hashed: bytes) -> bool:
        return hashed in self._known

    async def _take(self, found: Sound) -> None:
        if found.damage:
            if not self._how.skip_corrupt:
                await self._stored()
                raise found.damage[0].error()
            self._progress.skip(found.damage)
        batch = found.batch
        if not batch.rows and not batch.writes:
            return
        if self._how.recode:
            batch = recoded(batch, self._how.codec)
        self._remember(batch)
        await self._stored()
        if self._how.dry:
            self._count(batch)
            return
        self._storing = asyncio.create_task(self._store(batch))

    def _remember(self, batch: Batch) -> None:
        if len(self._known) + len(batch.chunks) > KNOWN:
            self._known.clear()
        self._known.update(chunk.hash for chunk in batch.chunks)

    async def _stored(self) -> None:
        """Wait until the batch under way is stored."""
        storing, self._storing = self._storing, None
        if storing is not None:
            await storing

    async def _store(self, batch: Batch) -> None:
        if not await self._target.load(self._thread_id, batch):
            batch = await self._whole(batch)
            if not await self._target.load(self._thread_id, batch):
                raise StorageError(
                    f"{self._target.name} takes chunks for missing that were just sent to it "
                    f"(thread {self._thread_id!r})"
                )
        self._count(batch)

    async def _whole(self, batch: Batch) -> Batch:
        """The same rows and writes with every chunk that they need: some had gone meanwhile."""
        self._known.clear()
        places = places_of(batch)
        found = await fetch_sound(self._source, self._thread_id, places, nothing)
        if found.damage:
            if not self._how.skip_corrupt:
                raise found.damage[0].error()
            self._progress.skip(found.damage)
        return recoded(found.batch, self._how.codec) if self._how.recode else found.batch

    def _count(self, batch: Batch) -> None:
        self._moved = True
        self._progress.moved(batch)
