"""`read_history`: every checkpoint of a thread, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lgckpt.bulk import Batch, Place, everything
from lgckpt.inspection.checkpoints import Opened, open_row
from lgckpt.inspection.damage import DAMAGED, damage
from lgckpt.inspection.nodes import changed_channels, next_nodes
from lgckpt.inspection.reading import (
    ROWS,
    Where,
    by_place,
    fetch,
    of_namespace,
    opened,
    pages,
    places,
    stepwise,
)
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side


@dataclass(frozen=True, slots=True)
class Step:
    """One checkpoint of a history.

    Attributes:
        time: When it was made, in ISO form.
        step: LangGraph's number of the superstep; -1 for the input.
        source: "input", "loop", "update" or "fork".
        next: The nodes that would run next, as far as the checkpoint tells.
        changed: The channels that the step updated.
        writes: How many pending writes there are, by channel.
        children: How many checkpoints of this history were made from it; from two on it is a fork.
        size: Of its channel values, in bytes, before any sharing and compression.
        encrypted: Whether a key is needed to read more.
        damage: Why it cannot be read.
    """

    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None = None
    run_id: str | None = None
    time: str | None = None
    step: int | None = None
    source: str | None = None
    next: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    writes: Mapping[str, int] | None = None
    children: int = 0
    size: int = 0
    encrypted: bool = False
    damage: Damage | None = None


def read_history(
    where: Where, thread_id: str, *, checkpoint_ns: str | None = None, limit: int | None = None
) -> Iterator[Step]:
    """List a thread's checkpoints, namespace by namespace, newest first.

    Args:
        where: The database.
        thread_id: The thread.
        checkpoint_ns: Only this namespace.
        limit: How many at most.

    Yields:
        The checkpoints. Of the thread only the names are held at once.

    Raises:
        NotFoundError: There is no such thread, or nothing in that namespace.
        StorageError: The database cannot be used.
    """
    return stepwise(
        lambda: aread_history(where, thread_id, checkpoint_ns=checkpoint_ns, limit=limit)
    )


async def aread_history(
    where: Where, thread_id: str, *, checkpoint_ns: str | None = None, limit: int | None = None
) -> AsyncIterator[Step]:
    """Async version of `read_history`."""
    async with opened(where) as side:
        found = await places(side, thread_id)
        if checkpoint_ns is not None:
            found = of_namespace(found, thread_id, checkpoint_ns)
        found.reverse()
        found.sort(key=lambda place: place[0])
        children: Counter[Place] = Counter()
        for page in pages(found[:limit], ROWS):
            for step in await _page(side, thread_id, page, children):
                yield step


async def _page(
    side: Side, thread_id: str, page: Sequence[Place], children: Counter[Place]
) -> list[Step]:
    batch, faults = await fetch(side, thread_id, page, everything)
    damaged = {(one.checkpoint_ns, one.checkpoint_id): one for one in faults}
    rows = by_place(batch.rows)
    taken: dict[Place, Opened] = {}
    for place, row in rows.items():
        try:
            taken[place] = open_row(row)
        except DAMAGED as exc:
            damaged[place] = damage(exc, thread_id, place)
    parents = await _parents(side, thread_id, taken)
    writes = _writes(batch)
    steps = []
    for place in page:
        if place in taken:
            one = _step(taken[place], parents, writes.get(place, {}), children[place])
            if one.parent_id is not None:
                children[place[0], one.parent_id] += 1
            steps.append(one)
        elif place in damaged:
            steps.append(Step(*place, damage=damaged[place]))
    return steps


async def _parents(
    side: Side, thread_id: str, taken: Mapping[Place, Opened]
) -> dict[Place, Mapping[str, Any]]:
    """The channel versions of the page's checkpoints, and of their parents where those matter."""
    versions: dict[Place, Mapping[str, Any]] = {p: one.versions for p, one in taken.items()}
    absent = [
        (place[0], one.row.parent_id)
        for place, one in taken.items()
        if one.row.parent_id is not None
        and not isinstance(one.checkpoint.get("updated_channels"), list)
        and (place[0], one.row.parent_id) not in versions
    ]
    if absent:
        batch, _ = await fetch(side, thread_id, absent, everything)
        for place, row in by_place(batch.rows).items():
            try:
                versions[place] = open_row(row).versions
            except DAMAGED:
                continue
    return versions


def _writes(batch: Batch) -> dict[Place, dict[str, int]]:
    found: dict[Place, dict[str, int]] = {}
    for write in batch.writes:
        channels = found.setdefault((write.checkpoint_ns, write.checkpoint_id), {})
        channels[write.channel] = channels.get(write.channel, 0) + 1
    return found


def _step(
    opened: Opened,
    parents: Mapping[Place, Mapping[str, Any]],
    writes: Mapping[str, int],
    children: int,
) -> Step:
    row, metadata = opened.row, opened.metadata
    parent = None if row.parent_id is None else parents.get((row.checkpoint_ns, row.parent_id))
    number, source = metadata.get("step"), metadata.get("source")
    return Step(
        row.checkpoint_ns,
        row.checkpoint_id,
        row.parent_id,
        row.run_id,
        opened.time,
        number if isinstance(number, int) else None,
        source if isinstance(source, str) else None,
        next_nodes(opened),
        changed_channels(opened, parent),
        dict(sorted(writes.items())),
        children,
        sum(value.size for value in opened.state.values.values()),
        opened.encrypted,
    )
