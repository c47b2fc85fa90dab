"""Reading from a source, with damage set aside place by place."""

from __future__ import annotations

from collections.abc import Sequence

from lgckpt.bulk import Batch, Known, Place
from lgckpt.errors import CorruptCheckpointError
from lgckpt.migration.compare import places_of
from lgckpt.migration.damage import Sound, sound
from lgckpt.migration.marks import PAGE
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side


async def fetch_sound(side: Side, thread_id: str, places: Sequence[Place], known: Known) -> Sound:
    """What is whole at these places, and what is damaged."""
    try:
        batch = await side.fetch(thread_id, places, known)
    except CorruptCheckpointError as exc:
        if len(places) == 1:
            return Sound(Batch(), [Damage.of(exc)])
        return _joined([await fetch_sound(side, thread_id, [one], known) for one in places])
    found = sound(batch)
    lost = await _lost(side, thread_id, places, batch)
    return Sound(found.batch, [*found.damage, *lost]) if lost else found


def _joined(parts: Sequence[Sound]) -> Sound:
    batches = [part.batch for part in parts]
    batch = Batch(
        [row for one in batches for row in one.rows],
        [write for one in batches for write in one.writes],
        list({chunk.hash: chunk for one in batches for chunk in one.chunks}.values()),
        list(dict.fromkeys(claim for one in batches for claim in one.claims)),
    )
    return Sound(batch, [damage for part in parts for damage in part.damage])


async def _lost(side: Side, thread_id: str, places: Sequence[Place], batch: Batch) -> list[Damage]:
    """Places that are listed, and at which nothing is found: not those deleted meanwhile."""
    found = set(places_of(batch))
    reason = "is listed and cannot be found by its key"
    return [
        Damage(thread_id, *place, None, reason)
        for place in places
        if place not in found and await _is_listed(side, thread_id, place)
    ]


async def _is_listed(side: Side, thread_id: str, place: Place) -> bool:
    after: Place | None = None
    while page := await side.marks(thread_id, after, PAGE):
        after = page[-1].place
        if after >= place:
            return any(mark.place == place for mark in page)
    return False
