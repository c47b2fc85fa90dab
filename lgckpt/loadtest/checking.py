"""Comparing what a read gave with what the same client had written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from langgraph.checkpoint.base import CheckpointTuple

from lgckpt.loadtest.calls import Get, History, place_of
from lgckpt.loadtest.digests import digest
from lgckpt.loadtest.ledger import Ledger, State

LOST, TORN, STALE, DOUBLED = "lost", "torn", "stale", "doubled"


class Fault(NamedTuple):
    """What is wrong with a read.

    Attributes:
        kind: `LOST`, `TORN`, `STALE` or `DOUBLED`.
        what: In words.
    """

    kind: str
    what: str


def check_get(ledger: Ledger, call: Get, found: CheckpointTuple | None) -> list[Fault]:
    """What is wrong with the answer to a get.

    `STALE` is said of an older checkpoint than the newest that was acknowledged; whether that one
    can still be read by its id, and so is late and not lost, is for the caller to find out.
    """
    _, ns, asked = place_of(call.config)
    wanted = asked or ledger.newest(ns)
    if found is None:
        entry = ledger.entries.get((ns, wanted)) if wanted else None
        if entry is not None and entry.sure:
            return [Fault(LOST, f"nothing was read where checkpoint {wanted} had been put")]
        return []
    got = found.checkpoint["id"]
    if asked is not None and got != asked:
        return [Fault(TORN, f"checkpoint {got} was read in the place of {asked}")]
    if wanted is not None and got < wanted:
        return [
            Fault(STALE, f"checkpoint {got} was read after {wanted} had been put"),
            *check_content(ledger, found),
        ]
    return check_content(ledger, found)


def check_history(ledger: Ledger, call: History, found: Sequence[CheckpointTuple]) -> list[Fault]:
    """What is wrong with the answer to a list."""
    _, ns, only = place_of(call.config)
    before = place_of(call.before)[2] if call.before is not None else None
    got = [one.checkpoint["id"] for one in found]
    faults = [
        Fault(DOUBLED, f"checkpoint {one} was listed {count} times")
        for one, count in Counter(got).items()
        if count > 1
    ]
    if got != sorted(got, reverse=True):
        faults.append(Fault(TORN, "checkpoints were not listed newest first"))
    if call.filter is None:
        faults += [
            Fault(LOST, f"checkpoint {one} was not listed")
            for one in _missing(ledger.ids(ns), got, only, before, call.limit)
        ]
    for one in {one.checkpoint["id"]: one for one in found}.values():
        faults += check_content(ledger, one)
    return faults


def _missing(
    written: list[tuple[str, bool]],
    got: list[str],
    only: str | None,
    before: str | None,
    limit: int | None,
) -> list[str]:
    """The acknowledged checkpoints that should be in a list and are not."""
    shown = set(got)
    wanted = [
        (one, sure)
        for one, sure in written
        if (only is None or one == only) and (before is None or one < before)
    ]
    # What is in doubt takes a place in a page only if it is there.
    there = [one for one, sure in wanted if sure or one in shown]
    return [one for one in there[:limit] if one not in shown]


def check_content(ledger: Ledger, found: CheckpointTuple) -> list[Fault]:
    """What is wrong within one checkpoint, and with the writes that came with it."""
    ns = found.config["configurable"].get("checkpoint_ns", "")
    place = (ns, found.checkpoint["id"])
    entry = ledger.entries.get(place)
    if entry is None:
        return [Fault(TORN, f"checkpoint {place[1]} was read, and never put")]
    faults: list[Fault] = []
    differences = [_difference(state, found) for state in entry.states]
    if all(differences):
        faults.append(Fault(TORN, f"checkpoint {place[1]}: {differences[-1]}"))
    return faults + _check_writes(ledger, place, found.pending_writes or [])


def _difference(state: State, found: CheckpointTuple) -> str:
    """The first thing in which a checkpoint is not the one that was put; "" if none is."""
    values = found.checkpoint["channel_values"]
    if values.keys() != state.channels.keys():
        names = sorted(values.keys() ^ state.channels.keys())
        return f"channels that only one side has: {', '.join(names[:5])}"
    for name, value in values.items():
        if digest(value).value != state.channels[name].value:
            return f"channel {name!r} has another value than was put"
    if found.checkpoint["channel_versions"] != state.versions:
        return "other channel_versions than were put"
    if found.checkpoint["versions_seen"] != state.seen:
        return "other versions_seen than were put"
    metadata: Mapping[str, Any] = dict(found.metadata)
    for name, value in state.metadata.items():
        if name not in metadata or metadata[name] != value:
            return f"metadata {name!r} is not what was put"
    parent = found.parent_config
    got = None if parent is None else parent["configurable"].get("checkpoint_id")
    return "" if got == state.parent else f"parent {got} in the place of {state.parent}"


def _check_writes(
    ledger: Ledger, place: tuple[str, str], got: Sequence[tuple[str, str, Any]]
) -> list[Fault]:
    faults: list[Fault] = []
    left = Counter((task, channel, digest(value).value) for task, channel, value in got)
    where = f"checkpoint {place[1]}"
    known: set[tuple[str, str, bytes]] = set()
    for (task, _), written in ledger.writes.get(place, {}).items():
        options = [(task, channel, value) for channel, value in written.options]
        known.update(options)
        match = next((one for one in options if left[one] > 0), None)
        if match is not None:
            left[match] -= 1
        elif written.sure:
            names = ", ".join(repr(channel) for channel, _ in written.options)
            faults.append(Fault(LOST, f"{where}: a write of task {task} to {names} is not there"))
    for (task, channel, value), count in left.items():
        if count > 0 and (task, channel, value) in known:
            faults.append(
                Fault(DOUBLED, f"{where}: task {task}'s write to {channel!r} is there again")
            )
        elif count > 0:
            faults.append(
                Fault(TORN, f"{where}: task {task}'s write to {channel!r} was never made so")
            )
    return faults
