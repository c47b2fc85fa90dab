"""LangGraph's step on its own checkpoints and channels, native channel by channel.

The functions have the signatures and the results of those of the same names in LangGraph 1.2
(`langgraph.pregel._algo` and `langgraph.pregel._checkpoint`). LangGraph's channels are met natively
as those of `lgckpt.channels` are; a channel of another class (a `DeltaChannel`, a user's own, a
subclass) is asked by its methods, while the rest stays native. What the native functions do not
cover at all (a mapping that is no dict, say), and all of it without the compiled core, goes to
LangGraph's own functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, cast

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import _algo, _checkpoint

import lgckpt.channels  # noqa: F401  # makes LangGraph's classes known to the core
from lgckpt._serde.langgraph import digest
from lgckpt.core import core
from lgckpt.ids import checkpoint_id

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.channels.base import BaseChannel
    from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint

# LangGraph's in-memory saver makes versions as ours do, where its source is the one tested with.
if digest(InMemorySaver.get_next_version) == "10cdf2ac8e837543":
    core.count_versions(InMemorySaver.get_next_version)

# `lgckpt.accelerate` puts `triggers` where LangGraph looks this up.
_THEIR_TRIGGERS = _algo._triggers


class Channels(dict[str, Any]):
    """The channels of a run that takes the native step where others do not: a dict by its type."""

    __slots__ = ()


_DICTS = (dict, Channels)


def apply_writes(
    checkpoint: Checkpoint,
    channels: Mapping[str, BaseChannel[Any, Any, Any]],
    tasks: Iterable[Any],
    get_next_version: Callable[[Any, None], Any] | None,
    trigger_to_nodes: Mapping[str, Sequence[str]],
) -> set[str]:
    """Apply the writes of a step's tasks to the channels, and their versions to the checkpoint.

    Args:
        checkpoint: The checkpoint whose versions are updated.
        channels: The channels that are updated.
        tasks: The tasks, in any order.
        get_next_version: Gives the version after the highest; None to leave versions alone.
        trigger_to_nodes: The nodes that each channel triggers.

    Returns:
        The names of the channels that were updated and can trigger nodes.

    Raises:
        InvalidUpdateError: A channel does not take what was written to it.
    """
    if type(tasks) is not list:
        tasks = list(tasks)
    updated = core.apply_writes(checkpoint, channels, tasks, get_next_version, trigger_to_nodes)
    if updated is not None:
        return updated
    return _algo.apply_writes(checkpoint, channels, tasks, get_next_version, trigger_to_nodes)


def create_checkpoint(
    checkpoint: Checkpoint,
    channels: Mapping[str, BaseChannel[Any, Any, Any]] | None,
    step: int,
    *,
    id: str | None = None,
    updated_channels: set[str] | None = None,
    get_next_version: Callable[[Any, None], Any] | None = None,
    channels_to_snapshot: set[str] | None = None,
    stored_versions: ChannelVersions | None = None,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
) -> Checkpoint:
    """Make a checkpoint of the last one and of the channels.

    Args:
        checkpoint: The last checkpoint.
        channels: The channels; None to keep the values of the last checkpoint.
        step: The number of the step, for the id.
        id: The id to use instead of a new one.
        updated_channels: What `apply_writes` gave.
        get_next_version: As for `apply_writes`.
        channels_to_snapshot: The DeltaChannels whose whole value is stored.
        stored_versions: The versions of the last checkpoint that the saver stored.
        trigger_to_nodes: The nodes that each channel triggers.

    Returns:
        The new checkpoint.
    """
    values, versions = None, checkpoint["channel_versions"]
    if not channels_to_snapshot and type(channels) in _DICTS:
        versions = dict(versions)
        values = core.channel_values(cast("Any", channels), versions, checkpoint["channel_values"])
    if values is None:
        return _checkpoint.create_checkpoint(
            checkpoint,
            channels,
            step,
            id=id,
            updated_channels=updated_channels,
            get_next_version=get_next_version,
            channels_to_snapshot=channels_to_snapshot,
            stored_versions=stored_versions,
            trigger_to_nodes=trigger_to_nodes,
        )
    return {
        "v": _checkpoint.LATEST_VERSION,
        "ts": datetime.now(timezone.utc).isoformat(),
        "id": id or checkpoint_id(step),
        "channel_values": values,
        "channel_versions": versions,
        "versions_seen": checkpoint["versions_seen"],
        "updated_channels": None if updated_channels is None else sorted(updated_channels),
    }


def channels_from_checkpoint(
    specs: Mapping[str, Any],
    checkpoint: Checkpoint,
    *,
    saver: BaseCheckpointSaver[Any] | None = None,
    config: RunnableConfig | None = None,
) -> tuple[Mapping[str, BaseChannel[Any, Any, Any]], Mapping[str, Any]]:
    """Make a graph's channels as a checkpoint has them.

    Args:
        specs: The graph's channels and managed values.
        checkpoint: The checkpoint.
        saver: The saver that has the history of DeltaChannels.
        config: Which checkpoint it is.

    Returns:
        The channels, and the managed values.

    Raises:
        ValueError: A channel has a history to replay, and there is no saver or no config.
    """
    channels, rest = _restored(specs, checkpoint)
    if not rest and channels is not None:
        return channels, {}
    others, managed = _checkpoint.channels_from_checkpoint(
        rest, checkpoint, saver=saver, config=config
    )
    return _in_order(specs, channels, others), managed


async def achannels_from_checkpoint(
    specs: Mapping[str, Any],
    checkpoint: Checkpoint,
    *,
    saver: BaseCheckpointSaver[Any] | None = None,
    config: RunnableConfig | None = None,
) -> tuple[Mapping[str, BaseChannel[Any, Any, Any]], Mapping[str, Any]]:
    """As `channels_from_checkpoint`, with the saver's asynchronous methods."""
    channels, rest = _restored(specs, checkpoint)
    if not rest and channels is not None:
        return channels, {}
    others, managed = await _checkpoint.achannels_from_checkpoint(
        rest, checkpoint, saver=saver, config=config
    )
    return _in_order(specs, channels, others), managed


def _restored(
    specs: Mapping[str, Any], checkpoint: Checkpoint
) -> tuple[dict[str, Any] | None, Mapping[str, Any]]:
    """The channels made natively, and the specs of all others."""
    values, versions = checkpoint["channel_values"], checkpoint["channel_versions"]
    if not (type(specs) is type(values) is type(versions) is dict):
        return None, specs
    channels, names = core.restore_channels(specs, values, versions)
    return channels, {name: specs[name] for name in names}


def _in_order(
    specs: Mapping[str, Any], channels: dict[str, Any] | None, others: Mapping[str, Any]
) -> Mapping[str, Any]:
    if not channels:
        return others
    made = {**channels, **others}
    return {name: made[name] for name in specs if name in made}


def triggers(
    channels: Mapping[str, BaseChannel[Any, Any, Any]],
    versions: ChannelVersions,
    seen: ChannelVersions | None,
    null_version: Any,
    proc: Any,
) -> bool:
    """Whether a node is to run: LangGraph's `_triggers`.

    Args:
        channels: The channels.
        versions: Their versions.
        seen: The versions that the node has seen; None if it never ran.
        null_version: What is below every version.
        proc: The node.
    """
    found = core.triggers(channels, versions, seen, null_version, proc)
    if found is not None:
        return found
    return _THEIR_TRIGGERS(channels, versions, seen, null_version, proc)


def triggered_nodes(
    checkpoint: Checkpoint,
    processes: Mapping[str, Any],
    channels: Mapping[str, BaseChannel[Any, Any, Any]],
    *,
    trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
    updated_channels: set[str] | None = None,
) -> list[str]:
    """Plan a step: the nodes that channels trigger, as `prepare_next_tasks` finds them.

    Args:
        checkpoint: The checkpoint after the last step.
        processes: The nodes.
        channels: The channels.
        trigger_to_nodes: The nodes that each channel triggers, if known.
        updated_channels: What the last step updated, if known; then only what it triggers is looked
            at.

    Returns:
        The names of the nodes, in the order in which their tasks are prepared.
    """
    versions = checkpoint["channel_versions"]
    if not versions:
        return []
    names: Iterable[str] = processes
    if updated_channels and trigger_to_nodes:
        lists = (trigger_to_nodes.get(channel) or () for channel in updated_channels)
        names = sorted({name for nodes in lists for name in nodes})
    null_version = _algo.checkpoint_null_version(checkpoint)
    seen = checkpoint["versions_seen"]
    return [
        name
        for name in names
        if name in processes
        and triggers(channels, versions, seen.get(name), cast("Any", null_version), processes[name])
    ]


__all__ = [
    "achannels_from_checkpoint",
    "apply_writes",
    "channels_from_checkpoint",
    "create_checkpoint",
    "triggered_nodes",
    "triggers",
]
