"""Compares both sides: every checkpoint, every write and every chunk below them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from time import monotonic

from lgckpt.bulk import Batch, Mark, Place, nothing, size_of
from lgckpt.errors import CorruptCheckpointError
from lgckpt.migration.compare import (
    row_differences,
    rows_by_place,
    same_row,
    same_write,
    write_differs,
    writes_by_name,
)
from lgckpt.migration.damage import Sound
from lgckpt.migration.engine import counting, each_thread
from lgckpt.migration.fetching import fetch_sound
from lgckpt.migration.marks import Pair, is_any, pairs
from lgckpt.migration.progress import Progress
from lgckpt.migration.report import LISTED, Damage, Difference, Kind, Verification
from lgckpt.migration.sides import Side
from lgckpt.migration.thread import BATCH_BYTES, FIRST, KNOWN, MOST
from lgckpt.rows import WriteRow


@dataclass
class _Found:
    checkpoints: int = 0
    writes: int = 0
    threads: int = 0
    different: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, difference: Difference) -> None:
        self.different += 1
        if len(self.differences) < LISTED:
            self.differences.append(difference)


class _Reader:
    """One thread of one side, of which each chunk is read and checked once."""

    def __init__(self, side: Side, thread_id: str) -> None:
        self._side, self._thread_id = side, thread_id
        self._known: set[bytes] = set()

    async def read(self, places: list[Place]) -> Sound:
        found = await fetch_sound(self._side, self._thread_id, places, self._known.__contains__)
        if len(self._known) > KNOWN:
            self._known.clear()
        if not found.damage:
            self._known.update(chunk.hash for chunk in found.batch.chunks)
        return found

    async def whole(self, place: Place) -> Batch:
        return (await fetch_sound(self._side, self._thread_id, [place], nothing)).batch


class _Thread:
    """The comparison of one thread."""

    def __init__(self, source: Side, target: Side, thread_id: str, found: _Found) -> None:
        self._source, self._target, self._thread_id = source, target, thread_id
        self._found = found
        self._native = source.native and target.native
        self._ours = _Reader(source, thread_id)
        self._theirs = _Reader(target, thread_id)
        self._at_once = FIRST

    async def run(self, progress: Progress) -> None:
        self._found.threads += 1
        try:
            async for page in self._pages():
                await self._compare([place for pair in page for place in _both(pair)])
                progress.places += len(page)
        except CorruptCheckpointError as exc:
            # Of the list of places of one of the sides: all else is noted where it is met.
            what = f"the thread from a place on that cannot be listed ({exc.reason})"
            self._note("changed", (exc.checkpoint_ns, exc.checkpoint_id or ""), what)
        progress.threads += 1

    async def _pages(self) -> AsyncIterator[list[Pair]]:
        page: list[Pair] = []
        try:
            async for pair in pairs(self._source, self._target, self._thread_id):
                self._note_absent(pair)
                page.append(pair)
                if len(page) >= self._at_once:
                    yield page
                    page = []
        except CorruptCheckpointError:
            # What is listed before is compared still.
            if page:
                yield page
            raise
        if page:
            yield page

    def _note_absent(self, pair: Pair) -> None:
        mine, other = pair
        if mine is None and other is not None:
            self._note("extra", other.place, _what(other))
        elif mine is not None and other is None:
            self._note("missing", mine.place, _what(mine))

    async def _compare(self, places: list[Place]) -> None:
        if not places:
            return
        mine = await self._ours.read(places)
        other = await self._theirs.read(places)
        fitting = len(places) * BATCH_BYTES // max(size_of(mine.batch) + size_of(other.batch), 1)
        self._at_once = max(1, min(MOST, 2 * len(places), fitting))
        damaged = self._note_damage(mine.damage, "source")
        damaged |= self._note_damage(other.damage, "target")
        self._found.checkpoints += len(mine.batch.rows)
        self._found.writes += len(mine.batch.writes)
        suspect = dict.fromkeys(_unlike(mine.batch, other.batch))
        for place in suspect:
            if place not in damaged:
                await self._contents(place)

    async def _contents(self, place: Place) -> None:
        """Compare one place by content."""
        mine, other = await self._ours.whole(place), await self._theirs.whole(place)
        ours = {chunk.hash: chunk.frame for chunk in mine.chunks}
        theirs = {chunk.hash: chunk.frame for chunk in other.chunks}
        row, twin = rows_by_place(mine).get(place), rows_by_place(other).get(place)
        if row is not None and twin is not None:
            for what in row_differences(row, ours, twin, theirs, native=self._native):
                self._note("changed", place, what)
        elif row is not None or twin is not None:
            self._note("extra" if row is None else "missing", place, "checkpoint")
        writes, doubles = writes_by_name(mine), writes_by_name(other)
        for name in dict.fromkeys([*writes, *doubles]):
            write, double = writes.get(name), doubles.get(name)
            if write is not None and double is not None:
                if write_differs(write, ours, double, theirs):
                    self._note("changed", place, _named(write))
            elif write is not None:
                self._note("missing", place, _named(write))
            elif double is not None:
                self._note("extra", place, _named(double))

    def _note(self, kind: Kind, place: Place, what: str) -> None:
        self._found.add(Difference(kind, self._thread_id, *place, what))

    def _note_damage(self, damage: list[Damage], side: str) -> set[Place]:
        for one in damage:
            what = "checkpoint" if one.channel is None else f"channel {one.channel}"
            place = (one.checkpoint_ns, one.checkpoint_id or "")
            self._note("changed", place, f"{what} is damaged on the {side}: {one.reason}")
        return {(one.checkpoint_ns, one.checkpoint_id or "") for one in damage}


def _both(pair: Pair) -> list[Place]:
    return [] if pair.source is None or pair.target is None else [pair.source.place]


def _what(mark: Mark) -> str:
    return "pending writes" if mark.etag is None else "checkpoint"


def _named(write: WriteRow) -> str:
    return f"write {write.idx} of task {write.task_id} to {write.channel}"


def _unlike(mine: Batch, other: Batch) -> Iterator[Place]:
    """The places where the two are not stored alike."""
    rows, twins = rows_by_place(mine), rows_by_place(other)
    for place in rows.keys() | twins.keys():
        row, twin = rows.get(place), twins.get(place)
        if row is None or twin is None or not same_row(row, twin):
            yield place
    writes, doubles = writes_by_name(mine), writes_by_name(other)
    for name in writes.keys() | doubles.keys():
        write, double = writes.get(name), doubles.get(name)
        if write is None or double is None or not same_write(write, double):
            yield name[0], name[1]


async def verify(
    source: Side, target: Side, workers: int, progress: Progress, *, extra: Side, count: bool
) -> Verification:
    """Compare all threads.

    Args:
        source: What should be there.
        target: What is.
        workers: How many threads are compared at a time.
        progress: Counts.
        extra: The part of the target in which there should be nothing else.
        count: Whether to count all places of the source meanwhile, to tell the time left.
    """
    began = monotonic()
    progress.begin("verify")
    found = _Found()

    async def compare(thread_id: str) -> None:
        await _Thread(source, target, thread_id, found).run(progress)

    async def look_for(thread_id: str) -> None:
        if not await is_any(source, thread_id):
            found.add(Difference("extra", thread_id, None, None, "thread"))

    async with counting(source, progress, count=count):
        await each_thread(source, compare, workers)
    await each_thread(extra, look_for, workers)
    return Verification(
        found.threads,
        found.checkpoints,
        found.writes,
        found.different,
        tuple(sorted(found.differences, key=str)),
        round(monotonic() - began, 3),
    )
