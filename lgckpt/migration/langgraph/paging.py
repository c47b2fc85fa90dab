"""Pages of a thread's places, out of its checkpoints and out of its pending writes."""

from __future__ import annotations

from collections.abc import Sequence

from lgckpt.bulk import Mark, Place

NOT_KNOWN = b""
"""The etag of a layout that has none."""

BEGUN = "="
"""What an opaque position in the list of threads begins with: an id may be empty."""


def merged(
    checkpoints: Sequence[Place], writes: Sequence[tuple[str, str, int]], limit: int
) -> list[Mark]:
    """The first places of two pages, each of which has at least the first `limit` of its kind."""
    there = set(checkpoints)
    counts = {(ns, checkpoint_id): count for ns, checkpoint_id, count in writes}
    places = sorted(there | counts.keys())[:limit]
    return [
        Mark(*place, NOT_KNOWN if place in there else None, 0, counts.get(place, 0))
        for place in places
    ]
