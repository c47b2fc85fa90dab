"""Sums over threads that were measured; of the threads themselves only the largest are kept."""

from __future__ import annotations

import heapq

from lgckpt.inspection.measuring import ChannelBytes, ThreadBytes

_SUMMED = (
    "checkpoints", "writes", "logical", "stored", "rows", "pending", "chunks", "chunk_count",
    "references", "langgraph_sqlite", "langgraph_postgres",
)  # fmt: skip

FAULTS = 1000
"""So much damage is kept, to be told."""


class Totals:
    """What is known of all threads so far.

    Args:
        most: How many of the largest threads are kept.

    Attributes:
        total: The sums, as of one thread.
        namespaces: By namespace, that of each call of a subgraph without the call's own id.
        channels: By channel, of all namespaces.
    """

    def __init__(self, most: int) -> None:
        self.threads = 0
        self.total = ThreadBytes("")
        self.namespaces: dict[str, ChannelBytes] = {}
        self.channels: dict[str, ChannelBytes] = {}
        self._most = most
        self._largest: list[tuple[int, int, ThreadBytes]] = []

    def add(self, one: ThreadBytes) -> None:
        """Add a thread."""
        self.threads += 1
        for name in _SUMMED:
            setattr(self.total, name, getattr(self.total, name) + getattr(one, name))
        self.total.damage.extend(one.damage[: FAULTS - len(self.total.damage)])
        for (ns, channel), sizes in one.channels.items():
            _add(self.namespaces, _general(ns), sizes)
            _add(self.channels, channel, sizes)
        heapq.heappush(self._largest, (one.stored, self.threads, one))
        if len(self._largest) > self._most:
            heapq.heappop(self._largest)

    def largest(self) -> list[ThreadBytes]:
        """The threads that take most, the largest first."""
        return [one for _, _, one in sorted(self._largest, key=lambda item: (-item[0], item[1]))]


def _general(checkpoint_ns: str) -> str:
    """A namespace with `*` for the ids of calls: `agent:1f1e…|tool:2a…` is `agent:*|tool:*`."""
    if not checkpoint_ns:
        return ""
    parts = (part.partition(":") for part in checkpoint_ns.split("|"))
    return "|".join(name + (":*" if colon else "") for name, colon, _ in parts)


def _add(found: dict[str, ChannelBytes], name: str, sizes: ChannelBytes) -> None:
    one = found.setdefault(name, ChannelBytes())
    one.values += sizes.values
    one.logical += sizes.logical
    one.stored += sizes.stored
