"""How the checkpoints of a thread hang together: parents, and chains that DeltaChannels replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lgckpt.bulk import Place
from lgckpt.upkeep.findings import Finding

_NOTHING: frozenset[str] = frozenset()


class _Link(NamedTuple):
    parent: str | None
    holds: frozenset[str]
    needs: frozenset[str]
    hidden: bool


class Lineage:
    """What is remembered of every row of a thread: its parent, and sets of names shared by many.

    Args:
        thread_id: The thread.
    """

    def __init__(self, thread_id: str) -> None:
        self._thread_id = thread_id
        self._links: dict[Place, _Link] = {}
        self._sets: dict[frozenset[str], frozenset[str]] = {}

    def add(
        self,
        place: Place,
        parent: str | None,
        values: Mapping[str, Any],
        metadata: Mapping[str, Any],
        hidden: bool,
    ) -> None:
        """Note a row: the channels whose values it holds, and those that it replays."""
        counters = metadata.get("counters_since_delta_snapshot")
        needs = frozenset(counters) if isinstance(counters, dict) else _NOTHING
        link = _Link(
            parent or None,
            self._shared(frozenset(values)),
            self._shared(needs.difference(values)),
            hidden,
        )
        self._links[place] = link

    def add_unreadable(self, place: Place) -> None:
        """Note a row that is there and cannot be read, which is told elsewhere."""
        self._links[place] = _Link(None, _NOTHING, _NOTHING, True)

    def _shared(self, names: frozenset[str]) -> frozenset[str]:
        return self._sets.setdefault(names, names)

    @property
    def parents(self) -> set[Place]:
        """Every place that some row has as its parent."""
        return {(p[0], link.parent) for p, link in self._links.items() if link.parent is not None}

    def findings(self) -> Iterator[Finding]:
        """Parents that are not there, and what cannot be replayed for that."""
        severed = self._severed()
        for place, link in self._links.items():
            if link.parent is None or (place[0], link.parent) in self._links:
                continue
            channels = severed.pop(place, {})
            for channel, count in sorted(channels.items()):
                yield self._break(place, link.parent, channel, count)
            if not channels and not link.hidden:
                yield self._end(place, link.parent)
        for place, channels in severed.items():
            for channel, count in sorted(channels.items()):
                yield self._circle(place, channel, count)

    def _severed(self) -> dict[Place, dict[str, int]]:
        """The rows where a chain breaks off before its seed, with channels, and how many need it.

        Each row is passed once a channel: what is known of a row is known of all below it.
        """
        broken: dict[Place, dict[str, int]] = {}
        ends: dict[tuple[Place, str], Place | None] = {}
        for place, link in self._links.items():
            if link.hidden:
                continue
            for channel in link.needs:
                end = self._end_of(place, channel, ends)
                if end is not None:
                    counts = broken.setdefault(end, {})
                    counts[channel] = counts.get(channel, 0) + 1
        return broken

    def _end_of(
        self, place: Place, channel: str, ends: dict[tuple[Place, str], Place | None]
    ) -> Place | None:
        """The row at which the walk up for a channel breaks off; None if it comes to a seed."""
        path: list[Place] = []
        at, end = place, None
        passed: set[Place] = set()
        while True:
            if (at, channel) in ends:
                end = ends[at, channel]
                break
            if at in passed:
                end = at
                break
            passed.add(at)
            path.append(at)
            link = self._links[at]
            # A chain that begins with its first checkpoint is replayed from nothing.
            if channel in link.holds or link.parent is None:
                break
            above = (at[0], link.parent)
            if above not in self._links:
                end = at
                break
            at = above
        for one in path:
            ends[one, channel] = end
        return end

    def _break(self, place: Place, parent: str, channel: str, count: int) -> Finding:
        return Finding(
            "error", "severed-delta-chain",
            f"its parent {parent} is not there, and with it what this DeltaChannel is rebuilt from "
            f"({count} checkpoints)",
            "bring the parent back from a backup or a copy (lgckpt migrate --threads); or write "
            "the channel anew with an Overwrite, which later checkpoints are rebuilt from",
            self._thread_id, *place, channel,
        )  # fmt: skip

    def _end(self, place: Place, parent: str) -> Finding:
        return Finding(
            "note", "broken-parent",
            f"its parent {parent} is not there: the history ends here, as it does where a run or "
            "older checkpoints were deleted; no value is lost",
            "nothing need be done",
            self._thread_id, *place,
        )  # fmt: skip

    def _circle(self, place: Place, channel: str, count: int) -> Finding:
        return Finding(
            "error", "severed-delta-chain",
            f"its ancestors go round in a circle and hold no value of this DeltaChannel "
            f"({count} checkpoints)",
            "restore the thread from a backup",
            self._thread_id, *place, channel,
        )  # fmt: skip
