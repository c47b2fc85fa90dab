"""A snapshot taken at LangGraph's barrier, where a step is over and the next has not begun.

`PregelLoop._put_checkpoint` makes the checkpoint, copies it and hands the copy to the saver in
the background. The two functions here stand in for that method and for the copying within it:
what is handed on is a snapshot, if the saver is one of ours.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple

from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.pregel._utils import get_new_channel_versions

from lgckpt.saver import Saver

MOST = 8
"""Puts of one run under way at once, in threads: with more, the barrier waits for all of them. A
thread that never waits leaves a saver's threads no time of the interpreter's to be done with
theirs, and their snapshots pile up; one that waits at each barrier is put to sleep and woken at
each."""

MOST_TASKS = 64
"""The same on an event loop, which cannot wait there: with more, no further snapshot is taken."""


class _Barrier(NamedTuple):
    """A loop that is at its barrier, and the versions of the checkpoint it stored last."""

    loop: Any
    stored: ChannelVersions


class _Here(threading.local):
    """The barrier that this thread is at."""

    barrier: _Barrier | None = None


_here = _Here()
_UNDER_WAY = "_lgckpt_puts"
"""A loop's attribute: its puts that may not be done. It is the loop's own, since the error of
a put that failed leads back to the loop."""


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
        meant = is_meant(self) and _has_room(self)
        _here.barrier = _Barrier(self, self.checkpoint_previous_versions) if meant else None
        try:
            put_checkpoint(self, metadata)
        finally:
            _here.barrier = outer

    return wrapper


def _has_room(loop: Any) -> bool:
    """Whether one more snapshot may be on its way to the saver; waits for that where it can."""
    puts: deque[Any] = vars(loop).setdefault(_UNDER_WAY, deque())
    latest = getattr(loop, "_put_checkpoint_fut", None)
    if latest is not None and (not puts or puts[-1] is not latest):
        puts.append(latest)
    while puts and puts[0].done():
        puts.popleft()
    if len(puts) < MOST:
        return True
    if not isinstance(puts[0], Future):
        return len(puts) < MOST_TASKS
    with suppress(CancelledError):
        # Each waits for the one before it. What it failed with is LangGraph's to find.
        puts[-1].exception()
    puts.clear()
    return True


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
