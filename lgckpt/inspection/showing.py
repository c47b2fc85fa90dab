"""`show_checkpoint`: the state that one checkpoint holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.base import writes_sort_key

from lgckpt.bulk import Batch, Place, nothing
from lgckpt.errors import ConfigurationError, NotFoundError
from lgckpt.inspection.checkpoints import Opened, open_row, value_view
from lgckpt.inspection.damage import DAMAGED, damage
from lgckpt.inspection.nodes import next_nodes
from lgckpt.inspection.reading import Where, fetch, of_namespace, opened, places
from lgckpt.inspection.views import VIEWS
from lgckpt.migration.report import Damage
from lgckpt.migration.running import finished
from lgckpt.migration.sides import Side
from lgckpt.packing import Value, check_write, unpack_write
from lgckpt.rows import WriteRow

LATEST = "latest"


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel.

    Attributes:
        value: Decoded, see `lgckpt.inspection.views`; None if it is damaged.
        size: Of the value as it is serialized, in bytes.
        packed: How it is stored, to be compared.
    """

    name: str
    value: Any
    size: int
    packed: Value = field(repr=False)


@dataclass(frozen=True, slots=True)
class WriteView:
    """One pending write, in the order in which it would be applied."""

    task_id: str
    task_path: str
    channel: str
    value: Any


@dataclass(frozen=True, slots=True)
class CheckpointView:
    """One checkpoint.

    Attributes:
        replayed: Channels whose value is rebuilt from earlier writes by the graph: delta channels.
        damage: What cannot be read; the rest is there.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None = None
    time: str | None = None
    next: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    channels: tuple[ChannelView, ...] = ()
    writes: tuple[WriteView, ...] = ()
    replayed: tuple[str, ...] = ()
    encrypted: bool = False
    damage: tuple[Damage, ...] = ()


def show_checkpoint(
    where: Where,
    thread_id: str,
    checkpoint_id: str = LATEST,
    *,
    checkpoint_ns: str | None = None,
    channels: Sequence[str] = (),
) -> CheckpointView:
    """Read one checkpoint as people read it.

    Args:
        where: The database.
        thread_id: The thread.
        checkpoint_id: Of the checkpoint, or its beginning or end if no other has that; or
            "latest".
        checkpoint_ns: The namespace; for the latest the root, unless told.
        channels: Only these.

    Raises:
        NotFoundError: There is no such thread or checkpoint, or no such channel.
        ConfigurationError: Several checkpoints have ids that begin or end so.
        StorageError: The database cannot be used.
    """
    return finished(
        ashow_checkpoint(
            where, thread_id, checkpoint_id, checkpoint_ns=checkpoint_ns, channels=channels
        )
    )


async def ashow_checkpoint(
    where: Where,
    thread_id: str,
    checkpoint_id: str = LATEST,
    *,
    checkpoint_ns: str | None = None,
    channels: Sequence[str] = (),
) -> CheckpointView:
    """Async version of `show_checkpoint`."""
    async with opened(where) as side:
        found = await places(side, thread_id)
        place = chosen(found, thread_id, checkpoint_id, checkpoint_ns)
        return await view_of(side, thread_id, place, channels)


def chosen(
    found: Sequence[Place], thread_id: str, checkpoint_id: str, checkpoint_ns: str | None
) -> Place:
    """The place that a user means."""
    if checkpoint_id == LATEST:
        return of_namespace(found, thread_id, checkpoint_ns or "")[-1]
    if checkpoint_ns is not None:
        found = [place for place in found if place[0] == checkpoint_ns]
    same = [place for place in found if place[1] == checkpoint_id]
    near = [p for p in found if p[1].startswith(checkpoint_id) or p[1].endswith(checkpoint_id)]
    matching = same or near
    if not matching:
        raise NotFoundError(f"thread {thread_id!r} has no checkpoint {checkpoint_id!r}")
    if len(matching) > 1:
        named = ", ".join(f"{name} (namespace {ns!r})" for ns, name in matching[:4])
        raise ConfigurationError(
            f"{len(matching)} checkpoints of thread {thread_id!r} match {checkpoint_id!r}: "
            f"{named}{', …' if len(matching) > 4 else ''}"
        )
    return matching[0]


async def view_of(
    side: Side, thread_id: str, place: Place, channels: Sequence[str] = ()
) -> CheckpointView:
    """Read the checkpoint of a place."""
    batch, faults = await fetch(side, thread_id, [place], nothing)
    if faults:
        return CheckpointView(thread_id, *place, damage=tuple(faults))
    if not batch.rows:
        raise NotFoundError(f"thread {thread_id!r} has no checkpoint {place[1]!r} any more")
    try:
        taken = open_row(batch.rows[0])
    except DAMAGED as exc:
        return CheckpointView(thread_id, *place, damage=(damage(exc, thread_id, place),))
    absent = set(channels) - taken.state.values.keys()
    if absent:
        raise NotFoundError(
            f"checkpoint {place[1]!r} has no channel {', '.join(map(repr, sorted(absent)))}; "
            f"it has {', '.join(map(repr, sorted(taken.state.values)))}"
        )
    return _view(taken, batch, channels)


def _view(taken: Opened, batch: Batch, channels: Sequence[str]) -> CheckpointView:
    row, chunks = taken.row, dict(batch.chunks)
    place = row.checkpoint_ns, row.checkpoint_id
    faults: list[Damage] = []
    shown = []
    for name, value in taken.state.values.items():
        if channels and name not in channels:
            continue
        try:
            shown.append(ChannelView(name, value_view(value, chunks), value.size, value))
        except DAMAGED as exc:
            faults.append(damage(exc, row.thread_id, place, name))
    return CheckpointView(
        row.thread_id,
        *place,
        row.parent_id,
        taken.time,
        next_nodes(taken),
        taken.metadata,
        tuple(shown),
        () if channels else tuple(_writes(batch, chunks, faults)),
        () if channels else _replayed(taken),
        taken.encrypted,
        tuple(faults),
    )


def _writes(batch: Batch, chunks: dict[bytes, bytes], faults: list[Damage]) -> list[WriteView]:
    found: list[tuple[WriteRow, WriteView]] = []
    for row in batch.writes:
        try:
            check_write(row)
            value = unpack_write(VIEWS, row, chunks)
            found.append((row, WriteView(row.task_id, row.task_path, row.channel, value)))
        except DAMAGED as exc:
            place = row.checkpoint_ns, row.checkpoint_id
            faults.append(damage(exc, row.thread_id, place, str(row.channel)))
    found.sort(key=lambda one: writes_sort_key(one[0].task_path, one[0].task_id, one[0].idx))
    return [view for _, view in found]


def _replayed(taken: Opened) -> tuple[str, ...]:
    counted = taken.metadata.get("counters_since_delta_snapshot")
    names = set(counted) if isinstance(counted, dict) else set()
    return tuple(sorted(map(str, names - taken.state.values.keys())))
