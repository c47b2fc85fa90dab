"""What one client wrote to one thread: what its reads must show, and what they may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.base import WRITES_IDX_MAP

from lgckpt.loadtest.calls import Put, PutWrites, place_of
from lgckpt.loadtest.digests import Digest, digest


@dataclass(frozen=True, slots=True)
class State:
    """One checkpoint's content, by digest."""

    parent: str | None
    channels: Mapping[str, Digest]
    versions: Mapping[str, Any]
    seen: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass(slots=True)
class Entry:
    """One checkpoint.

    Attributes:
        states: What it may be: one state once a put was acknowledged.
        sure: Whether one was; a put that failed may have been done all the same.
    """

    states: list[State] = field(default_factory=list)
    sure: bool = False


@dataclass(slots=True)
class Written:
    """One pending write; as `Entry`."""

    options: list[tuple[str, bytes]] = field(default_factory=list)
    sure: bool = False


Place = tuple[str, str]
"""Namespace and checkpoint."""


class Ledger:
    """The writes of one thread."""

    def __init__(self) -> None:
        self.entries: dict[Place, Entry] = {}
        self.writes: dict[Place, dict[tuple[str, int], Written]] = {}
        self._digests: dict[tuple[str, str, Any], Digest] = {}

    def begin_put(self, call: Put) -> int:
        """Note a put that is about to be tried; gives the bytes of the values new in it."""
        _, ns, parent = place_of(call.config)
        checkpoint = call.checkpoint
        channels: dict[str, Digest] = {}
        fresh = 0
        for name, value in checkpoint["channel_values"].items():
            version = (ns, name, checkpoint["channel_versions"].get(name))
            found = None if name in call.versions else self._digests.get(version)
            if found is None:
                found = self._digests[version] = digest(value)
                fresh += found.size
            channels[name] = found
        state = State(
            parent,
            channels,
            checkpoint["channel_versions"],
            checkpoint["versions_seen"],
            dict(call.metadata),
        )
        entry = self.entries.setdefault((ns, checkpoint["id"]), Entry())
        if state not in entry.states:
            entry.states.append(state)
        return fresh

    def put_done(self, call: Put) -> None:
        """Note that it was acknowledged."""
        _, ns, _ = place_of(call.config)
        entry = self.entries[ns, call.checkpoint["id"]]
        entry.states, entry.sure = entry.states[-1:], True

    def begin_writes(self, call: PutWrites) -> int:
        """Note writes that are about to be tried; gives the bytes of their values."""
        size = 0
        for written, option, replaces in self._batch(call):
            size += option[2]
            if (replaces or not written.sure) and option[:2] not in written.options:
                written.options.append(option[:2])
        return size

    def writes_done(self, call: PutWrites) -> None:
        """Note that they were acknowledged."""
        for written, option, replaces in self._batch(call):
            if replaces:
                written.options = [option[:2]]
            written.sure = True

    def _batch(self, call: PutWrites) -> list[tuple[Written, tuple[str, bytes, int], bool]]:
        _, ns, checkpoint_id = place_of(call.config)
        if checkpoint_id is None:
            return []
        at = self.writes.setdefault((ns, checkpoint_id), {})
        # LangGraph's rule: a batch of special channels only replaces, any other leaves what is
        # there.
        replaces = all(channel in WRITES_IDX_MAP for channel, _ in call.writes)
        found = []
        for number, (channel, value) in enumerate(call.writes):
            index = WRITES_IDX_MAP.get(channel, number)
            written = at.setdefault((call.task_id, index), Written())
            known = digest(value)
            found.append((written, (channel, known.value, known.size), replaces))
        return found

    def newest(self, ns: str) -> str | None:
        """The newest checkpoint of a namespace that was acknowledged."""
        return max((i for (of, i), e in self.entries.items() if of == ns and e.sure), default=None)

    def ids(self, ns: str) -> list[tuple[str, bool]]:
        """The checkpoints of a namespace, newest first, and whether each was acknowledged."""
        found = [(i, e.sure) for (of, i), e in self.entries.items() if of == ns]
        return sorted(found, reverse=True)
