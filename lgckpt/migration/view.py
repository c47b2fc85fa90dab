"""One thread of a side, as the rules of `lgckpt.retention` read it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from lgckpt.bulk import Batch, Mark, Place, everything
from lgckpt.migration.marks import all_marks
from lgckpt.migration.sides import Side
from lgckpt.rows import CheckpointRow, Entry

_PAGE = 64
"""Rows read at once where they are asked for in their order."""


class SideView:
    """A `lgckpt.storage.ThreadView` that changes nothing and holds one page of rows.

    Args:
        side: Where the thread is.
        thread_id: The thread.
        marks: All its places, in their order.
        seeds: The places that may be kept: these and their parents have their parent and
            their run in `entries`; to read those of all would be to read the whole thread.
    """

    def __init__(
        self, side: Side, thread_id: str, marks: Sequence[Mark], seeds: Iterable[Place]
    ) -> None:
        self.thread_id = thread_id
        self._side = side
        self._marks = [mark for mark in marks if mark.etag is not None]
        self._places = [mark.place for mark in self._marks]
        self._seeds = sorted(seeds)
        self._page: dict[Place, CheckpointRow] = {}
        self._next: Place | None = None

    @classmethod
    async def of_all(cls, side: Side, thread_id: str) -> SideView:
        """A view of a thread of which any checkpoint may be kept."""
        marks = [mark async for mark in all_marks(side, thread_id)]
        return cls(side, thread_id, marks, [mark.place for mark in marks if mark.etag is not None])

    async def entries(self) -> list[Entry]:
        """Every checkpoint of the thread, hidden ones too."""
        known: dict[Place, tuple[str | None, str | None]] = {}
        await self._learn(self._seeds, known)
        parents = {(ns, parent) for (ns, _), (parent, _) in known.items() if parent is not None}
        await self._learn(sorted(parents - known.keys()), known)
        return [
            Entry(*mark.place, *known.get(mark.place, (None, None)), mark.flags)
            for mark in self._marks
        ]

    async def _learn(
        self, places: Sequence[Place], known: dict[Place, tuple[str | None, str | None]]
    ) -> None:
        for at in range(0, len(places), _PAGE):
            for row in (await self._fetch(places[at : at + _PAGE])).rows:
                known[row.checkpoint_ns, row.checkpoint_id] = row.parent_id, row.run_id

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        """One checkpoint."""
        place = (checkpoint_ns, checkpoint_id)
        if place not in self._page:
            at = bisect_left(self._places, place)
            wanted = self._places[at : at + (_PAGE if self._next == place else 1)]
            rows = (await self._fetch(wanted)).rows
            self._page = {(row.checkpoint_ns, row.checkpoint_id): row for row in rows}
            end = at + len(wanted)
            self._next = self._places[end] if end < len(self._places) else None
        return self._page.get(place)

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        """Whether the checkpoint has pending writes to the channel."""
        batch = await self._fetch([(checkpoint_ns, checkpoint_id)])
        return any(write.channel == channel for write in batch.writes)

    async def _fetch(self, places: Sequence[Place]) -> Batch:
        return await self._side.fetch(self.thread_id, places, everything)
