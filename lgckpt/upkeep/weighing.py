"""What an edit of a thread takes away: counted and weighed before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lgckpt.bulk import Batch, Mark, Place, everything
from lgckpt.rows import (
    CheckpointRow,
    ThreadEdit,
    WriteRow,
)
from lgckpt.storage import Driver
from lgckpt.upkeep.choosing import all_marks
from lgckpt.upkeep.trees import Trees

ROWS = 64
"""Rows that are held at once."""


@dataclass(frozen=True)
class Weight:
    """How much of a thread there is.

    Attributes:
        checkpoints: Those that are in sight.
        hidden: Those that go out of sight and stay for a DeltaChannel that is rebuilt from them.
        writes: Pending writes.
        chunks: Pieces of large values.
        bytes: Of all of them: serialized values and metadata, as they are stored.
    """

    checkpoints: int = 0
    hidden: int = 0
    writes: int = 0
    chunks: int = 0
    bytes: int = 0

    def __add__(self, other: Weight) -> Weight:
        return Weight(
            self.checkpoints + other.checkpoints,
            self.hidden + other.hidden,
            self.writes + other.writes,
            self.chunks + other.chunks,
            self.bytes + other.bytes,
        )


async def pages(driver: Driver, thread_id: str, marks: Sequence[Mark]) -> list[Batch]:
    """All rows and writes at these places, without chunks, in small parts."""
    places = [mark.place for mark in marks]
    return [
        await driver("fetch", thread_id, places[at : at + ROWS], everything)
        for at in range(0, len(places), ROWS)
    ]


async def weigh(driver: Driver, thread_id: str, edit: ThreadEdit) -> Weight:
    """What an edit takes away from a thread as it is now, chunks that nothing else needs too."""
    scale = _Scale(edit, Trees(driver, thread_id), Trees(driver, thread_id))
    async for marks in all_marks(driver, thread_id):
        for batch in await pages(driver, thread_id, marks):
            await scale.add(batch)
    return await scale.total()


class _Scale:
    """Rows of a thread that stay on one side, those that go on the other."""

    def __init__(self, edit: ThreadEdit, staying: Trees, going: Trees) -> None:
        self._deleted = set(edit.delete)
        self._dropped = set(edit.drop_namespaces)
        self._replaced = {(r.checkpoint_ns, r.checkpoint_id): r for r in edit.replace}
        self._trimmed = edit.trim_writes
        self._staying, self._going = staying, going
        self._weight = Weight()

    async def add(self, batch: Batch) -> None:
        staying: list[bytes] = []
        going: list[bytes] = []
        for row in batch.rows:
            self._row(row, staying, going)
        for write in batch.writes:
            goes = self._loses((write.checkpoint_ns, write.checkpoint_id), write.channel)
            (going if goes else staying).append(write.refs)
            if goes:
                self._weight += Weight(writes=1, bytes=_write_size(write))
        await self._staying.walk(b"".join(staying))
        await self._going.walk(b"".join(going))

    def _row(self, row: CheckpointRow, staying: list[bytes], going: list[bytes]) -> None:
        place = (row.checkpoint_ns, row.checkpoint_id)
        if place in self._deleted or place[0] in self._dropped:
            shown = 0 if row.flags else 1
            self._weight += Weight(checkpoints=shown, bytes=_row_size(row))
            going.append(row.refs)
        elif place in self._replaced:
            new = self._replaced[place]
            hides = bool(new.flags and not row.flags)
            lost = _row_size(row) - _row_size(new)
            self._weight += Weight(checkpoints=int(hides), hidden=int(hides), bytes=lost)
            staying.append(new.refs)
            going.append(row.refs)
        else:
            staying.append(row.refs)

    def _loses(self, place: Place, channel: str) -> bool:
        if place in self._deleted or place[0] in self._dropped:
            return True
        kept = self._trimmed.get(place)
        return kept is not None and channel not in kept

    async def total(self) -> Weight:
        unused = sorted(self._going.reached - self._staying.reached)
        for at in range(0, len(unused), ROWS):
            frames = await self._going.frames(unused[at : at + ROWS])
            sizes = [len(frames[name]) for name in unused[at : at + ROWS] if name in frames]
            self._weight += Weight(chunks=len(sizes), bytes=sum(sizes))
        return self._weight


def _row_size(row: CheckpointRow) -> int:
    return len(row.metadata) + len(row.state) + len(row.refs)


def _write_size(row: WriteRow) -> int:
    return len(row.value) + len(row.refs)
