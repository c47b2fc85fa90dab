"""A wide state as LangGraph's loop has it: 200 channels, of which a step changes few."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from langgraph import channels
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.pregel._algo import PregelTaskWrites

from benchmarks.savers import Saver

CHANNELS = 200
TASKS = 5
# Of the 200: what nodes are triggered by, and what is summed up; the rest is one value each.
_TRIGGERS = 20
_SUMS = 20

Apply = Callable[..., set[str]]


class Wide:
    """A checkpoint and its channels after a first step that wrote to all.

    Args:
        apply_writes: The function that applies writes.
        saver: Gives the versions.
    """

    def __init__(self, apply_writes: Apply, saver: Saver) -> None:
        self._apply = apply_writes
        self._next_version = saver.get_next_version
        self._step = 0
        self.names = [f"value{n:03}" for n in range(CHANNELS - _TRIGGERS - _SUMS)]
        self.sums = [f"sum{n:02}" for n in range(_SUMS)]
        self.triggers = [f"branch:to:node{n:02}" for n in range(_TRIGGERS)]
        self.channels: dict[str, Any] = {
            **{name: channels.LastValue(str) for name in self.names},
            **{name: channels.BinaryOperatorAggregate(int, operator.add) for name in self.sums},
            **{name: channels.EphemeralValue(object) for name in self.triggers},
        }
        for name, channel in self.channels.items():
            channel.key = name
        self.trigger_to_nodes = {name: [name.split(":")[2]] for name in self.triggers}
        self.checkpoint = empty_checkpoint()
        first = [(name, f"the first value of {name}, a sentence long") for name in self.names]
        first += [(name, 1) for name in self.sums]
        first += [(name, None) for name in self.triggers]
        self.apply([PregelTaskWrites((), "__start__", first, [])])

    def apply(self, tasks: list[PregelTaskWrites]) -> set[str]:
        """Apply the writes of tasks."""
        arguments = self.checkpoint, self.channels, tasks, self._next_version
        return self._apply(*arguments, self.trigger_to_nodes)

    def tasks(self) -> list[PregelTaskWrites]:
        """The tasks of a step: each sets a value, adds to a sum, and triggers itself again."""
        return [
            PregelTaskWrites(
                ("__pregel_pull", f"node{n:02}"),
                f"node{n:02}",
                [(self.names[n * 7], f"of task {n}"), (self.sums[n], 1), (self.triggers[n], None)],
                [self.triggers[n]],
            )
            for n in range(TASKS)
        ]

    def change_two(self) -> set[str]:
        """A step's writes to two channels, made before what is timed."""
        self._step += 1
        name = self.names[self._step % len(self.names)]
        writes = [(name, f"the value of step {self._step}, a sentence long"), (self.sums[0], 1)]
        return self.apply([PregelTaskWrites((), "__input__", writes, [])])

    def held(self) -> dict[str, Any]:
        """What each channel holds."""
        return {n: c.get() for n, c in self.channels.items() if c.is_available()}
