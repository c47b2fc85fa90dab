"""One thread looked at from end to end: every row, every write and every chunk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from lgckpt.bulk import Batch, Mark, Place, everything
from lgckpt.core import core
from lgckpt.errors import CorruptCheckpointError, FrameError, UnsupportedFormatError
from lgckpt.migration.times import time_of
from lgckpt.packing import State, check_write
from lgckpt.reading import DAMAGE, read_checkpoint, read_metadata, read_state
from lgckpt.rows import ROOT_LEVEL, CheckpointRow, Entry, ThreadEdit, WriteRow
from lgckpt.storage import ThreadView
from lgckpt.upkeep.choosing import PAGE, all_marks
from lgckpt.upkeep.findings import Chart, Finding
from lgckpt.upkeep.lineage import Lineage
from lgckpt.upkeep.opening import Database
from lgckpt.upkeep.trees import Trees
from lgckpt.upkeep.weighing import ROWS

_RESTORE = (
    "bring it back from a backup or a copy of the database (lgckpt migrate --threads), or go on "
    "from another checkpoint of the thread"
)
_LEVELS = (0, ROOT_LEVEL, *range(1, 33))


class Checkup:
    """A look at one thread.

    Args:
        database: Where it is.
        thread_id: The thread.
        chart: Where findings go.
        grace: How long writes may be there before their checkpoint.
        repair: Whether to delete what nothing needs.
    """

    def __init__(
        self, database: Database, thread_id: str, chart: Chart, grace: timedelta, repair: bool
    ) -> None:
        self._database = database
        self._driver = database.driver
        self._thread_id = thread_id
        self._chart = chart
        self._grace = grace
        self._repair = repair
        self._trees = Trees(database.driver, thread_id)
        self._lineage = Lineage(thread_id)
        self._there: dict[bytes, int] = {}
        self._orphans: list[Mark] = []
        self._whole = True
        self._whole_after_all: set[Place] = set()

    async def run(self) -> None:
        """Look at all of it."""
        self._chart.threads += 1
        await self._chunks()
        async for marks in all_marks(self._driver, self._thread_id):
            self._orphans += [mark for mark in marks if mark.etag is None]
            for at in range(0, len(marks), ROWS):
                for batch in await self._fetched([m.place for m in marks[at : at + ROWS]]):
                    await self._batch(batch)
        self._chart.add(self._lineage.findings())
        await self._orphan_writes()
        await self._orphan_chunks()

    def _finding(self, kind: str, what: str, mend: str, place: Place = ("", "")) -> Finding:
        found = Finding("error", kind, what, mend, self._thread_id)
        return replace(found, checkpoint_ns=place[0], checkpoint_id=place[1]) if place[1] else found

    async def _chunks(self) -> None:
        """Every chunk: its checksum, and whether it is what its name says."""
        after: str | None = ""
        while after is not None:
            page = await self._driver("chunk_page", self._thread_id, after, PAGE)
            for chunk in page.chunks:
                if chunk.hash not in self._there:
                    self._chart.chunks += 1
                self._there[chunk.hash] = len(chunk.frame)
                if why := _damage(chunk.hash, chunk.frame):
                    self._trees.mark(chunk.hash, why)
                    self._chart.add([self._finding("damaged-chunk", why, _RESTORE)])
            after = page.after

    async def _fetched(self, places: Sequence[Place]) -> list[Batch]:
        """What is at these places; of what cannot be read, place by place."""
        try:
            return [await self._driver("fetch", self._thread_id, places, everything)]
        except (CorruptCheckpointError, UnsupportedFormatError) as exc:
            if len(places) == 1:
                self._whole = False
                self._lineage.add_unreadable(places[0])
                self._chart.add([_unreadable(self._thread_id, places[0], exc)])
                return []
        return [batch for place in places for batch in await self._fetched([place])]

    async def _batch(self, batch: Batch) -> None:
        self._chart.checkpoints += len(batch.rows)
        self._chart.writes += len(batch.writes)
        await self._trees.walk(batch.refs)
        await self._note_missing()
        batch = await self._second_look(batch)
        for row in batch.rows:
            self._chart.add(self._row(row))
        for write in batch.writes:
            self._chart.add(self._write(write))

    async def _second_look(self, batch: Batch) -> Batch:
        """The batch, what seems to lack chunks read again: it may have been pruned meanwhile."""
        both: list[CheckpointRow | WriteRow] = [*batch.rows, *batch.writes]
        suspects = {_place(o) for o in both if "missing" in (self._trees.trouble(o.refs) or "")}
        if not suspects:
            return batch
        rows = [row for row in batch.rows if _place(row) not in suspects]
        writes = [write for write in batch.writes if _place(write) not in suspects]
        for again in await self._fetched(sorted(suspects)):
            await self._trees.walk(again.refs)
            fresh = Trees(self._driver, self._thread_id)
            await fresh.walk(again.refs)
            await _mark_missing(fresh, fresh.reached)
            both = [*again.rows, *again.writes]
            places = {_place(one) for one in both if fresh.trouble(one.refs)}
            self._whole_after_all |= suspects - places
            rows += again.rows
            writes += again.writes
        return Batch(rows, writes)

    async def _note_missing(self) -> None:
        """Chunks that were put since this began are there now, though they were not listed."""
        # Of those that the walk went to, all that are not yet known to be there or not.
        unknown = sorted(self._trees.fresh() - self._there.keys())
        for at in range(0, len(unknown), PAGE):
            self._there.update(await _mark_missing(self._trees, unknown[at : at + PAGE]))

    def _trouble(self, place: Place, refs: bytes) -> str | None:
        why = self._trees.trouble(refs)
        if why is not None and "missing" in why and place in self._whole_after_all:
            return None
        return why

    def _row(self, row: CheckpointRow) -> Iterator[Finding]:
        place = (row.checkpoint_ns, row.checkpoint_id)
        serde = self._database.packer.serde
        try:
            state = read_state(row)
            read_checkpoint(serde, row, state)
            metadata = read_metadata(serde, row.key, row.metadata)
            if row.etag != core.etag(row.state, row.refs, row.metadata):
                raise FrameError("its etag is not that of its content")
        except DAMAGE as exc:
            self._whole = False
            self._lineage.add_unreadable(place)
            yield _unreadable(self._thread_id, place, exc)
            return
        yield from self._values(row, state)
        hidden = bool(row.flags)
        self._lineage.add(place, row.parent_id, state.values, dict(metadata), hidden)

    def _values(self, row: CheckpointRow, state: State) -> Iterator[Finding]:
        place = (row.checkpoint_ns, row.checkpoint_id)
        for channel, value in state.values.items():
            why = self._trouble(place, value.refs)
            if why is not None:
                self._whole = False
                kind = "dangling-reference" if "missing" in why else "damaged-value"
                what = f"the value of the channel cannot be read: {why}"
                yield replace(self._finding(kind, what, _RESTORE, place), channel=channel)

    def _write(self, write: WriteRow) -> Iterator[Finding]:
        place = (write.checkpoint_ns, write.checkpoint_id)
        try:
            check_write(write)
            core.unseal(write.value)
        except DAMAGE as exc:
            self._whole = False
            what = f"a pending write of task {write.task_id} cannot be read: {exc}"
            found = self._finding("damaged-write", what, _RESTORE, place)
            yield replace(found, channel=str(write.channel))
            return
        why = self._trouble(place, write.refs)
        if why is not None:
            self._whole = False
            kind = "dangling-reference" if "missing" in why else "damaged-value"
            what = f"a pending write of task {write.task_id} cannot be read: {why}"
            yield replace(self._finding(kind, what, _RESTORE, place), channel=write.channel)

    async def _orphan_writes(self) -> None:
        """Writes whose checkpoint did not come; those of a parent that never was are read."""
        parents = self._lineage.parents
        before = datetime.now(timezone.utc) - self._grace
        for mark in self._orphans:
            made = time_of(mark.checkpoint_id)
            if mark.place in parents or (made is not None and made > before):
                continue
            old = made is not None
            repaired = old and self._repair and await self._drop_writes(mark.place)
            self._chart.add(
                [
                    Finding(
                        "warning" if old else "note", "orphan-writes",
                        f"{mark.writes} pending writes have no checkpoint"
                        + ("" if old else ", and how old they are is not known"),
                        "--repair deletes them" if old else "nothing need be done; they take room",
                        self._thread_id, *mark.place, repaired=repaired,
                    )
                ]
            )  # fmt: skip

    async def _drop_writes(self, place: Place) -> bool:
        """Delete the writes of a place, unless its checkpoint or a child of that has come."""
        dropped: list[bool] = []

        async def decide(view: ThreadView) -> ThreadEdit:
            entries = await view.entries()
            dropped[:] = [not any(_needs(entry, place) for entry in entries)]
            return ThreadEdit(delete=[place] if dropped[0] else [])

        self._database.forget(self._thread_id)
        await self._driver("edit_thread", self._thread_id, decide)
        return dropped == [True]

    async def _orphan_chunks(self) -> None:
        unused = self._there.keys() - self._trees.reached
        if not unused:
            return
        # Of a row that cannot be read it is not known what it leads to.
        size = sum(self._there[name] for name in unused)
        repaired = False
        if self._repair and self._whole:
            repaired = await self._driver("reclaim", self._thread_id) > 0
        mend = "--repair or `lgckpt vacuum` drops them"
        if not self._whole:
            mend = "mend what is damaged first: they may be part of it"
        what = f"{len(unused)} chunks of {size} bytes in all are referred to by nothing"
        found = Finding("warning", "orphan-chunks", what, mend, self._thread_id)
        self._chart.add([replace(found, repaired=repaired)])


def _place(one: CheckpointRow | WriteRow) -> Place:
    return one.checkpoint_ns, one.checkpoint_id


async def _mark_missing(trees: Trees, names: Collection[bytes]) -> dict[bytes, int]:
    """Mark those chunks that are not there; gives the sizes of those that are."""
    found = await trees.frames(list(names)) if names else {}
    for name in names:
        if name not in found:
            trees.mark(name, f"chunk {name.hex()} is missing")
    trees.spread()
    return {name: len(found[name]) for name in names if name in found}


def _needs(entry: Entry, place: Place) -> bool:
    return entry.checkpoint_ns == place[0] and place[1] in (entry.checkpoint_id, entry.parent_id)


def _unreadable(thread_id: str, place: Place, exc: Exception) -> Finding:
    if isinstance(exc, UnsupportedFormatError):
        return Finding(
            "warning", "newer-format", f"a newer release of lgckpt wrote it: {exc}",
            "update lgckpt here", thread_id, *place,
        )  # fmt: skip
    what = exc.reason if isinstance(exc, CorruptCheckpointError) else f"cannot be read: {exc}"
    return Finding("error", "damaged-checkpoint", what, _RESTORE, thread_id, *place)


def _damage(name: bytes, frame: bytes) -> str | None:
    """What is wrong with a chunk: its checksum, or that its content has another name."""
    try:
        plain = core.unseal(frame)
    except (FrameError, UnsupportedFormatError) as exc:
        return f"chunk {name.hex()}: {exc}"
    if any(core.hash_chunk(level, plain) == name for level in _LEVELS):
        return None
    return f"chunk {name.hex()}: its content is that of another chunk"
