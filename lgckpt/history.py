"""`get_delta_channel_history`: one walk up the parent chain for all requested channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langgraph.checkpoint.base import DeltaChannelHistory
from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.packing import Value
from lgckpt.reading import ordered, read_state, read_value, read_write
from lgckpt.rows import CheckpointKey, CheckpointRow, WriteRow, Written
from lgckpt.storage import Driver

FIRST_PAGE = 16
LAST_PAGE = 512


async def channel_history(
    driver: Driver, serde: SerializerProtocol, target: CheckpointKey, channels: Sequence[str]
) -> dict[str, DeltaChannelHistory]:
    """What each channel contributed on the way to the target: a seed and writes, oldest first.

    Three kinds of reads, whatever the length of the chain: pages of ancestors, the
    writes of all of them, the chunks of what was found.
    """
    walk = _Walk(channels)
    await _climb(driver, walk, target)
    written: Written = await driver(
        "writes", target.thread_id, target.checkpoint_ns, list(walk.path), list(channels)
    )
    wanted = walk.in_order(written.rows)
    refs = b"".join(v.refs for _, v in walk.seeds.values())
    chunks = await driver("chunks", target.thread_id, refs) if refs else {}
    result: dict[str, DeltaChannelHistory] = {}
    for channel in channels:
        mine = [read_write(serde, w, written.chunks) for w in wanted if w.channel == channel]
        entry: DeltaChannelHistory = {"writes": mine}
        if channel in walk.seeds:
            row, value = walk.seeds[channel]
            entry["seed"] = read_value(serde, row, channel, value, chunks)
        result[channel] = entry
    return result


class _Walk:
    """Ancestors seen so far, nearest first, and for how long each channel kept walking."""

    def __init__(self, channels: Sequence[str]) -> None:
        self.path: dict[str, int] = {}
        self.seeds: dict[str, tuple[CheckpointRow, Value]] = {}
        self.remaining = set(channels)
        self._ends: dict[str, int] = {}

    def step(self, row: CheckpointRow) -> None:
        """Visit one ancestor: its writes count, and its value ends a channel's walk."""
        self.path[row.checkpoint_id] = len(self.path)
        values: dict[str, Value] = read_state(row).values
        for channel in [c for c in self.remaining if c in values]:
            self.seeds[channel] = (row, values[channel])
            self._ends[channel] = self.path[row.checkpoint_id]
            self.remaining.discard(channel)

    def in_order(self, writes: Sequence[WriteRow]) -> list[WriteRow]:
        """The writes at or below their channel's seed, oldest checkpoint first."""
        below = [
            w for w in ordered(writes)
            if self.path[w.checkpoint_id] <= self._ends.get(w.channel, len(self.path))
        ]  # fmt: skip
        return sorted(below, key=lambda w: -self.path[w.checkpoint_id])


async def _climb(driver: Driver, walk: _Walk, target: CheckpointKey) -> None:
    page = FIRST_PAGE
    rows: list[Any] = await driver("chain", target, page + 1)
    rows = rows[1:]
    while rows and walk.remaining:
        for row in rows:
            if row.checkpoint_id in walk.path or row.checkpoint_id == target.checkpoint_id:
                return
            walk.step(row)
            if not walk.remaining:
                return
        last: CheckpointRow = rows[-1]
        if last.parent_id is None:
            return
        page = min(page * 2, LAST_PAGE)
        above = CheckpointKey(last.thread_id, last.checkpoint_ns, last.parent_id)
        rows = await driver("chain", above, page)
