"""A source of which only some threads and checkpoints are shown: a side over a side."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from lgckpt import retention
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage, everything
from lgckpt.errors import ConfigurationError
from lgckpt.migration.damage import needed
from lgckpt.migration.filters import Threads
from lgckpt.migration.marks import all_marks
from lgckpt.migration.sides import Many, Side, many_of
from lgckpt.migration.times import is_since
from lgckpt.migration.view import SideView
from lgckpt.packing import Packer
from lgckpt.rows import HIDDEN, CheckpointRow, ThreadEdit

HELD = 16
"""Threads whose choice is held, at least; it is made again if it is needed later."""

_CHANGED = bytes(8)
"""The etag in the mark of a row that is not shown as it is stored: never a row's own."""


@dataclass(frozen=True)
class Choice:
    """What of one thread is shown.

    Attributes:
        marks: The places, in their order.
        rows: Rows in place of those that are stored.
        trims: For some places, the only channels whose writes are shown.
    """

    marks: list[Mark]
    rows: dict[Place, CheckpointRow] = field(default_factory=dict)
    trims: dict[Place, frozenset[str]] = field(default_factory=dict)


Choose = Callable[[Side, str, list[Mark]], Awaitable[Choice]]
"""Decides what of a thread is shown, from all its places."""


class Selected:
    """A side that shows a part of another, and cannot be written to.

    Args:
        side: The whole.
        threads: Which threads.
        choose: What of each; None for all of it.
        readers: How many threads are read at a time.
    """

    def __init__(
        self, side: Side, threads: Threads, choose: Choose | None, readers: int = 1
    ) -> None:
        self.name = side.name
        self.native = side.native
        self._side = side
        self._threads = threads
        self._choose = choose
        # With room for who counts all places meanwhile, ahead of the readers.
        self._held = max(HELD, 2 * readers)
        self._choices: OrderedDict[str, Choice] = OrderedDict()

    @property
    def many(self) -> Many | None:
        """The whole's, where all of each thread is shown."""
        return many_of(self._side) if self._choose is None else None

    async def setup(self) -> None:
        """Nothing: this is a source."""

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of the chosen threads."""
        return await self._threads.page(self._side, after, limit)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of what is shown of a thread; its first page decides on that anew."""
        if self._choose is None:
            return await self._side.marks(thread_id, after, limit)
        if after is None:
            self._choices.pop(thread_id, None)
        marks = (await self._chosen(thread_id, self._choose)).marks
        at = 0 if after is None else bisect_right(marks, after, key=lambda mark: mark.place)
        return marks[at : at + limit]

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """What is shown at these places."""
        batch = await self._side.fetch(thread_id, places, known)
        if self._choose is None:
            return batch
        choice = await self._chosen(thread_id, self._choose)
        if not choice.rows and not choice.trims:
            return batch
        rows = [choice.rows.get((r.checkpoint_ns, r.checkpoint_id), r) for r in batch.rows]
        writes = [
            write
            for write in batch.writes
            if (trim := choice.trims.get((write.checkpoint_ns, write.checkpoint_id))) is None
            or write.channel in trim
        ]
        return needed(batch._replace(rows=rows, writes=writes))

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Not possible.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError("a part of a database is not written to")

    async def close(self) -> None:
        """Nothing: the whole stays its owner's."""

    async def _chosen(self, thread_id: str, choose: Choose) -> Choice:
        found = self._choices.get(thread_id)
        if found is None:
            marks = [mark async for mark in all_marks(self._side, thread_id)]
            found = self._choices[thread_id] = await choose(self._side, thread_id, marks)
            while len(self._choices) > self._held:
                self._choices.popitem(last=False)
        else:
            self._choices.move_to_end(thread_id)
        return found


def latest(marks: list[Mark]) -> set[Place]:
    """The last checkpoint of each namespace that is not hidden."""
    found: dict[str, str] = {}
    for mark in marks:
        if mark.etag is not None and not mark.flags & HIDDEN:
            found[mark.checkpoint_ns] = mark.checkpoint_id
    return set(found.items())


def latest_only(packer: Packer) -> Choose:
    """What `prune("keep_latest")` would leave, decided by its own rules."""

    async def choose(side: Side, thread_id: str, marks: list[Mark]) -> Choice:
        view = SideView(side, thread_id, marks, latest(marks))
        return await _edited(side, thread_id, marks, await retention.keep_latest(view, packer))

    return choose


def since(packer: Packer, least: str) -> Choose:
    """The checkpoints not before a time, and what they need.

    They need the latest checkpoint of each namespace, since a run goes on from there, but for
    subgraph calls that ended before; and see `retention.keep_where`.
    """

    async def choose(side: Side, thread_id: str, marks: list[Mark]) -> Choice:
        fresh = {mark.place for mark in marks if is_since(mark.checkpoint_id, least)}
        if not fresh:
            return Choice([])
        shown = [mark for mark in marks if mark.etag is not None or mark.place in fresh]
        kept = fresh | latest(marks)
        view = SideView(side, thread_id, shown, kept)
        edit = await retention.keep_where(view, packer, lambda _: kept)
        return await _edited(side, thread_id, shown, edit)

    return choose


async def _edited(side: Side, thread_id: str, marks: list[Mark], edit: ThreadEdit) -> Choice:
    """What an edit would leave of a thread."""
    gone, dropped = set(edit.delete), set(edit.drop_namespaces)
    rows = {(row.checkpoint_ns, row.checkpoint_id): row for row in edit.replace}
    left: list[Mark] = []
    for mark in marks:
        place = mark.place
        if place in gone or mark.checkpoint_ns in dropped:
            continue
        writes, row = mark.writes, rows.get(place)
        if (trim := edit.trim_writes.get(place)) is not None and writes:
            batch = await side.fetch(thread_id, [place], everything)
            writes = sum(write.channel in trim for write in batch.writes)
        if row is not None and side.native:
            left.append(Mark(*place, _CHANGED, row.flags, writes))
        else:
            left.append(mark._replace(writes=writes))
    return Choice(left, rows, dict(edit.trim_writes))
