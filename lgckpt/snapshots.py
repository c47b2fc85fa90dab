"""Snapshots: a checkpoint with the rows it is stored as, packed when it was taken.

LangGraph hands a checkpoint to the saver in the background, while the next superstep already
runs. Taken at the barrier between the two, a snapshot has every value as it was there: one that
a node changes in place afterwards cannot tear it.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata

from lgckpt.configs import namespace_of, text, thread_of
from lgckpt.drafting import Bound, Draft, draft, pack_carried
from lgckpt.hints import Hints
from lgckpt.packing import Packer
from lgckpt.rows import CheckpointKey
from lgckpt.small import bind_small


class Taken(NamedTuple):
    """What a snapshot was made of, and the rows it was made into."""

    packer: Packer
    config: RunnableConfig
    metadata: CheckpointMetadata
    new_versions: ChannelVersions
    rows: Bound | Draft


class Snapshot(dict[str, Any]):
    """A checkpoint that carries its packed rows; a plain one to all but the saver that took it."""

    __slots__ = ("taken",)
    taken: Taken

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def prepare(
    packer: Packer,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    hints: Hints,
) -> Bound | Draft:
    """Encode what `put` is given, now."""
    key = CheckpointKey(
        thread_of(config), namespace_of(config), text(checkpoint["id"], "checkpoint id")
    )
    given = (packer, config, key, checkpoint, metadata, new_versions, hints)
    return bind_small(*given) or draft(*given)


def take(
    packer: Packer,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    hints: Hints,
) -> Checkpoint:
    """The checkpoint with what `put` would make of it now, given the same."""
    rows = prepare(packer, config, checkpoint, metadata, new_versions, hints)
    if isinstance(rows, Draft) and not hints.has(*rows.key[:2]):
        # Nobody remembers a parent that will have the carried values: they are packed too.
        rows = pack_carried(rows)
    snapshot = Snapshot(checkpoint)
    snapshot.taken = Taken(packer, config, metadata, dict(new_versions), rows)
    return cast("Checkpoint", snapshot)


def rows_of(
    packer: Packer,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new_versions: ChannelVersions,
    hints: Hints,
) -> Bound | Draft:
    """What a checkpoint is stored as: taken before, if by this serializer for this very call."""
    taken = checkpoint.taken if isinstance(checkpoint, Snapshot) else None
    if (
        taken is not None
        and taken.packer.serde is packer.serde
        and taken.packer.rules == packer.rules
        and taken.config is config
        and taken.metadata is metadata
        and taken.new_versions == new_versions
    ):
        return taken.rows
    return prepare(packer, config, checkpoint, metadata, new_versions, hints)
