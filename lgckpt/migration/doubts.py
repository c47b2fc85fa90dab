"""Places that both sides have: whether what the source has there has to be moved again."""

from __future__ import annotations

from collections.abc import Sequence

from lgckpt.bulk import Batch, Place, everything, nothing
from lgckpt.migration.compare import (
    places_of,
    row_differences,
    rows_by_place,
    same_row,
    same_write,
    write_differs,
    writes_by_name,
)
from lgckpt.migration.damage import Sound, needed
from lgckpt.migration.fetching import fetch_sound
from lgckpt.migration.sides import Side


async def unsettled(
    source: Side, target: Side, thread_id: str, places: Sequence[Place]
) -> list[Sound]:
    """What of these places the target has not, or has otherwise; damage of the source too.

    Whatever cannot be read on the target is otherwise. First all are compared as they are
    stored, without their chunks; then those that differ one by one.
    """
    if not places:
        return []
    mine = await fetch_sound(source, thread_id, places, everything)
    theirs = (await fetch_sound(target, thread_id, places, everything)).batch
    rest = set(places_of(_without_same(mine.batch, theirs)))
    settled = [one for one in mine.damage if (one.checkpoint_ns, one.checkpoint_id) not in rest]
    found = [Sound(Batch(), settled)]
    for place in places:
        if place in rest:
            found.append(await _one(source, target, thread_id, place))
    return found


async def _one(source: Side, target: Side, thread_id: str, place: Place) -> Sound:
    mine = await fetch_sound(source, thread_id, [place], nothing)
    theirs = (await fetch_sound(target, thread_id, [place], nothing)).batch
    left = _without_same(mine.batch, theirs)
    if not (source.native and target.native):
        left = _without_equal(left, mine.batch, theirs)
    return Sound(needed(left), mine.damage)


def _without_same(batch: Batch, there: Batch) -> Batch:
    """What of a batch is not there, or is stored otherwise."""
    rows, writes = rows_by_place(there), writes_by_name(there)
    return batch._replace(
        rows=[
            row
            for place, row in rows_by_place(batch).items()
            if (other := rows.get(place)) is None or not same_row(row, other)
        ],
        writes=[
            write
            for name, write in writes_by_name(batch).items()
            if (twin := writes.get(name)) is None or not same_write(write, twin)
        ],
    )


def _without_equal(left: Batch, mine: Batch, there: Batch) -> Batch:
    """What of a batch is not there, or has another content."""
    rows, writes = rows_by_place(there), writes_by_name(there)
    ours = {chunk.hash: chunk.frame for chunk in mine.chunks}
    theirs = {chunk.hash: chunk.frame for chunk in there.chunks}
    return left._replace(
        rows=[
            row
            for place, row in rows_by_place(left).items()
            if (other := rows.get(place)) is None
            or any(row_differences(row, ours, other, theirs, native=False))
        ],
        writes=[
            write
            for name, write in writes_by_name(left).items()
            if (twin := writes.get(name)) is None or write_differs(write, ours, twin, theirs)
        ],
    )
