"""The step's functions while only some graphs are accelerated: each run takes its own path.

A run of an accelerated graph gets its channels in a mapping of a class of its own, by which every
later call knows it; a run that one of its tasks begins follows. LangGraph's functions are those
that were in place when this module was first imported.
"""

from __future__ import annotations

from typing import Any

from langgraph.pregel import _algo, _checkpoint, _loop

from lgckpt import barrier, pregel
from lgckpt._accelerate.marks import Channels, is_native
from lgckpt.gathering import gathering

_APPLY = _algo.apply_writes
_CREATE = _checkpoint.create_checkpoint
_RESTORE = _checkpoint.channels_from_checkpoint
_ARESTORE = _checkpoint.achannels_from_checkpoint
_TRIGGERS = _algo._triggers

# By this name LangGraph's config has the function that reads the channels of a task's run.
_READ = "__pregel_read"


def apply_writes(
    checkpoint: Any, channels: Any, tasks: Any, get_next_version: Any, trigger_to_nodes: Any
) -> set[str]:
    """See `lgckpt.pregel`."""
    apply = pregel.apply_writes if type(channels) is Channels else _APPLY
    return apply(checkpoint, channels, tasks, get_next_version, trigger_to_nodes)


def create_checkpoint(checkpoint: Any, channels: Any, step: int, **options: Any) -> Any:
    """See `lgckpt.pregel`."""
    create = pregel.create_checkpoint if type(channels) is Channels else _CREATE
    return create(checkpoint, channels, step, **options)


def channels_from_checkpoint(
    specs: Any, checkpoint: Any, *, saver: Any = None, config: Any = None
) -> tuple[Any, Any]:
    """See `lgckpt.pregel`."""
    if not _is_native(specs, config):
        return _RESTORE(specs, checkpoint, saver=saver, config=config)
    channels, managed = pregel.channels_from_checkpoint(
        dict(specs), checkpoint, saver=saver, config=config
    )
    return Channels(channels), managed


async def achannels_from_checkpoint(
    specs: Any, checkpoint: Any, *, saver: Any = None, config: Any = None
) -> tuple[Any, Any]:
    """See `lgckpt.pregel`."""
    if not _is_native(specs, config):
        return await _ARESTORE(specs, checkpoint, saver=saver, config=config)
    channels, managed = await pregel.achannels_from_checkpoint(
        dict(specs), checkpoint, saver=saver, config=config
    )
    return Channels(channels), managed


def _triggers(channels: Any, versions: Any, seen: Any, null_version: Any, proc: Any) -> bool:
    """See `lgckpt.pregel.triggers`."""
    look = pregel.triggers if type(channels) is Channels else _TRIGGERS
    return look(channels, versions, seen, null_version, proc)


def _is_marked(loop: Any) -> bool:
    return type(loop.channels) is Channels


# A snapshot is taken at the barriers of these runs, and copied by no other.
put_checkpoint = barrier.at_barrier(_loop.PregelLoop._put_checkpoint, _is_marked)
put_writes = gathering(_loop.PregelLoop.put_writes, _is_marked)
copy_checkpoint = barrier.snapshotting(_checkpoint.copy_checkpoint)


def _is_native(specs: Any, config: Any) -> bool:
    parent = config and config.get("configurable", {}).get(_READ)
    return is_native(specs, parent)
