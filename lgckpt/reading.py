"""Rows to `CheckpointTuple`: where damage in one row is given its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    writes_sort_key,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.configs import config_of
from lgckpt.errors import CorruptCheckpointError, FrameError, LgckptError, UnsupportedFormatError
from lgckpt.packing import (
    Packer,
    State,
    Value,
    check_write,
    unpack_metadata,
    unpack_state,
    unpack_value,
    unpack_write,
)
from lgckpt.recall import Recall
from lgckpt.rows import CheckpointKey, CheckpointRow, Loaded, WriteRow
from lgckpt.small import read_small

DAMAGE = (LgckptError, ValueError, EOFError, NotImplementedError)
"""What damaged bytes raise on their way through frames, chunks and serializers."""


def named(exc: Exception, key: CheckpointKey, channel: str | None = None) -> Exception:
    """The error to raise from `exc`: one that names the place.

    Args:
        exc: One of `DAMAGE`.
        key: The checkpoint that was read.
        channel: The channel that was read, if it was one.
    """
    if isinstance(exc, CorruptCheckpointError):
        return exc
    if isinstance(exc, UnsupportedFormatError):
        return UnsupportedFormatError(f"{exc} ({_place(key, channel)})")
    return CorruptCheckpointError(
        f"cannot be read: {exc}",
        thread_id=key.thread_id,
        checkpoint_ns=key.checkpoint_ns,
        checkpoint_id=key.checkpoint_id,
        channel=channel,
    )


def _place(key: CheckpointKey, channel: str | None) -> str:
    where = (
        f"thread {key.thread_id!r}, checkpoint_ns {key.checkpoint_ns!r}, "
        f"checkpoint {key.checkpoint_id!r}"
    )
    return where if channel is None else f"{where}, channel {channel!r}"


def read_state(row: CheckpointRow) -> State:
    """A row's state; damage is named."""
    try:
        return unpack_state(row)
    except DAMAGE as exc:
        raise named(exc, row.key) from exc


def read_checkpoint(serde: SerializerProtocol, row: CheckpointRow, state: State) -> Checkpoint:
    """The checkpoint of a row without its channel values."""
    try:
        found = serde.loads_typed((state.tag, state.checkpoint))
        if not isinstance(found, dict):
            raise FrameError("not a checkpoint")
        if str(found.get("id")) != row.checkpoint_id:
            raise FrameError(f"checkpoint {found.get('id')!r} is in its place")
    except DAMAGE as exc:
        raise named(exc, row.key) from exc
    return cast(Checkpoint, found)


def read_metadata(
    serde: SerializerProtocol, key: CheckpointKey, frame: bytes
) -> CheckpointMetadata:
    """The metadata of a row."""
    try:
        found = unpack_metadata(serde, frame)
        if not isinstance(found, dict):
            raise FrameError("not metadata")
    except DAMAGE as exc:
        raise named(exc, key) from exc
    return cast(CheckpointMetadata, found)


def read_values(
    serde: SerializerProtocol,
    row: CheckpointRow,
    state: State,
    chunks: Mapping[bytes, bytes],
    recall: Recall | None = None,
) -> dict[str, Any]:
    """The channel values of a row."""
    values: dict[str, Any] = {}
    channel = None
    loads = serde.loads_typed
    try:
        for channel, value in state.values.items():
            if not value.refs:
                values[channel] = loads((value.tag, value.tail))
            elif recall is not None and (data := recall.data(channel, value)) is not None:
                values[channel] = loads((value.tag, data))
            else:
                values[channel] = unpack_value(serde, value, chunks)
    except DAMAGE as exc:
        raise named(exc, row.key, channel) from exc
    return values


def read_value(
    serde: SerializerProtocol,
    row: CheckpointRow,
    channel: str,
    value: Value,
    chunks: Mapping[bytes, bytes],
) -> Any:
    """One channel value of a row."""
    try:
        return unpack_value(serde, value, chunks)
    except DAMAGE as exc:
        raise named(exc, row.key, channel) from exc


def ordered(writes: Sequence[WriteRow]) -> list[WriteRow]:
    """In the order in which live execution applies them."""
    for row in writes:
        try:
            check_write(row)
        except FrameError as exc:
            key = CheckpointKey(row.thread_id, row.checkpoint_ns, row.checkpoint_id)
            raise named(exc, key) from exc
    return sorted(writes, key=lambda w: writes_sort_key(w.task_path, w.task_id, w.idx))


def read_write(
    serde: SerializerProtocol, row: WriteRow, chunks: Mapping[bytes, bytes]
) -> PendingWrite:
    """One pending write: (task id, channel, value)."""
    try:
        return row.task_id, row.channel, unpack_write(serde, row, chunks)
    except DAMAGE as exc:
        key = CheckpointKey(row.thread_id, row.checkpoint_ns, row.checkpoint_id)
        raise named(exc, key, row.channel) from exc


def read_tuple(
    packer: Packer,
    loaded: Loaded,
    config: RunnableConfig | None,
    recall: Recall | None = None,
) -> CheckpointTuple:
    """A whole checkpoint as LangGraph sees it.

    Args:
        packer: The saver's, with its serializer.
        loaded: The rows.
        config: What the caller asked with, if that named the checkpoint.
        recall: Values that were not fetched because they are remembered.
    """
    row, serde = loaded.row, packer.serde
    small = read_small(packer, row)
    if small is not None:
        checkpoint, metadata = small
    else:
        state = read_state(row)
        checkpoint = read_checkpoint(serde, row, state)
        checkpoint["channel_values"] = read_values(serde, row, state, loaded.chunks, recall)
        metadata = read_metadata(serde, row.key, row.metadata)
    parent = None
    if row.parent_id:
        parent = config_of(row.thread_id, row.checkpoint_ns, row.parent_id)
    return CheckpointTuple(
        config or config_of(row.thread_id, row.checkpoint_ns, row.checkpoint_id),
        checkpoint,
        metadata,
        parent,
        [read_write(serde, w, loaded.chunks) for w in ordered(loaded.writes)],
    )
