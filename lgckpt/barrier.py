"""A snapshot taken at LangGraph's barrier, where a step is over and the next has not begun.

`PregelLoop._put_checkpoint` makes the checkpoint, copies it and hands the copy to the saver in
the background. The two functions here stand in for that method and for the copying within it:
what is handed on is a snapshot, if the saver is one of ours.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.pregel._utils import get_new_channel_versions

from lgckpt.saver import Saver


class _Barrier(NamedTuple):
    """A loop that is at its barrier, and the versions of the checkpoint it stored last."""

    loop: Any
    stored: ChannelVersions


class _Here(threading.local):
    """The barrier that this thread is at."""

    barrier: _Barrier | None = None


_here = _Here()


def at_barrier(
    put_checkpoint: Callable[[Any, CheckpointMetadata], None],
    is_meant: Callable[[Any], bool] = lambda loop: True,
) -> Callable[[Any, CheckpointMetadata], None]:
    """The method, known to `snapshotting` while it runs.

    Args:
        put_checkpoint: LangGraph's own.
        is_meant: Whether snapshots are taken at the barriers of a loop.
    """

    @wraps(put_checkpoint)
    def wrapper(self: Any, metadata: CheckpointMetadata) -> None:
        outer = _here.barrier
        stored = self.checkpoint_previous_versions
        _here.barrier = _Barrier(self, stored) if is_meant(self) else None
        try:
            put_checkpoint(self, metadata)
        finally:
            _here.barrier = outer

    return wrapper


def snapshotting(copy: Callable[[Checkpoint], Checkpoint]) -> Callable[[Checkpoint], Checkpoint]:
    """The copying, which gives a snapshot of what is copied at a barrier for a saver of ours."""

    @wraps(copy)
    def wrapper(checkpoint: Checkpoint) -> Checkpoint:
        copied = copy(checkpoint)
        barrier = _here.barrier
        if barrier is None or barrier.loop.checkpoint is not checkpoint:
            return copied
        loop, saver = barrier.loop, barrier.loop.checkpointer
        if not isinstance(saver, Saver) or not _stores(type(saver)):
            return copied
        versions = get_new_channel_versions(barrier.stored, copied["channel_versions"])
        try:
            return saver.snapshot(
                loop.checkpoint_config, copied, loop.checkpoint_metadata, versions
            )
        except Exception:
            # `put` meets it too, and raises it where LangGraph looks for a saver's errors.
            return copied

    return wrapper


def _stores(kind: type[Saver]) -> bool:
    """Whether what `put` is given is what is stored: a subclass may change it before."""
    return kind.put is Saver.put and kind.aput is Saver.aput
