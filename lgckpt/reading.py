"""Rows to `CheckpointTuple`: where damage in one row is given its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from lgckpt.errors import CorruptCheckpointError, LgckptError, UnsupportedFormatError
from lgckpt.packing import State, unpack_metadata, unpack_state, unpack_value, unpack_write
from lgckpt.rows import DETACHED, CheckpointKey, CheckpointRow, Loaded, WriteRow


@contextmanager
def naming(key: CheckpointKey, channel: str | None = None) -> Iterator[None]:
    """Turn any sign of damaged bytes into an error that names the place."""
    try:
        yield
    except CorruptCheckpointError:
        raise
    except UnsupportedFormatError as exc:
        raise UnsupportedFormatError(f"{exc} ({_place(key, channel)})") from exc
    except (LgckptError, ValueError, EOFError) as exc:
        raise CorruptCheckpointError(
            f"cannot be read: {exc}",
            thread_id=key.thread_id,
            checkpoint_ns=key.checkpoint_ns,
            checkpoint_id=key.checkpoint_id,
            channel=channel,
        ) from exc


def _place(key: CheckpointKey, channel: str | None) -> str:
    where = (
        f"thread {key.thread_id!r}, checkpoint_ns {key.checkpoint_ns!r}, "
        f"checkpoint {key.checkpoint_id!r}"
    )
    return where if channel is None else f"{where}, channel {channel!r}"


def read_state(row: CheckpointRow) -> State:
    """A row's state; damage is named."""
    with naming(row.key):
        return unpack_state(row)


def read_checkpoint(serde: SerializerProtocol, row: CheckpointRow, state: State) -> Checkpoint:
    """The checkpoint of a row without its channel values."""
    with naming(row.key):
        found = serde.loads_typed((state.tag, state.checkpoint))
        if not isinstance(found, dict):
            raise ValueError("not a checkpoint")
        return cast(Checkpoint, found)


def read_metadata(serde: SerializerProtocol, key: CheckpointKey, frame: bytes) -> CheckpointMetadata:
    """The metadata of a row."""
    with naming(key):
        found = unpack_metadata(serde, frame)
        if not isinstance(found, dict):
            raise ValueError("not metadata")
        return cast(CheckpointMetadata, found)


def read_values(
    serde: SerializerProtocol, row: CheckpointRow, state: State, chunks: Mapping[bytes, bytes]
) -> dict[str, Any]:
    """The channel values of a row."""
    values: dict[str, Any] = {}
    for channel, value in state.values.items():
        with naming(row.key, channel):
            values[channel] = unpack_value(serde, value, chunks)
    return values


def ordered(writes: Sequence[WriteRow]) -> list[WriteRow]:
    """In the order in which live execution applies them."""
    return sorted(writes, key=lambda w: writes_sort_key(w.task_path, w.task_id, w.idx))


def read_write(
    serde: SerializerProtocol, row: WriteRow, chunks: Mapping[bytes, bytes]
) -> PendingWrite:
    """One pending write: (task id, channel, value)."""
    key = CheckpointKey(row.thread_id, row.checkpoint_ns, row.checkpoint_id)
    with naming(key, row.channel):
        return row.task_id, row.channel, unpack_write(serde, row, chunks)


def read_tuple(
    serde: SerializerProtocol, loaded: Loaded, config: RunnableConfig | None
) -> CheckpointTuple:
    """A whole checkpoint as LangGraph sees it.

    Args:
        serde: The saver's serializer.
        loaded: The rows.
        config: What the caller asked with, if that named the checkpoint.
    """
    row = loaded.row
    state = read_state(row)
    checkpoint = read_checkpoint(serde, row, state)
    checkpoint["channel_values"] = read_values(serde, row, state, loaded.chunks)
    parent = None
    if row.parent_id and not row.flags & DETACHED:
        parent = config_of(row.thread_id, row.checkpoint_ns, row.parent_id)
    return CheckpointTuple(
        config or config_of(row.thread_id, row.checkpoint_ns, row.checkpoint_id),
        checkpoint,
        read_metadata(serde, row.key, row.metadata),
        parent,
        [read_write(serde, w, loaded.chunks) for w in ordered(loaded.writes)],
    )
