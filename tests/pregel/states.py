"""Random channels, checkpoints and tasks, made twice: for ours and for LangGraph's functions."""

from __future__ import annotations

import copy
import operator
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from langgraph import channels as theirs
from langgraph._internal._typing import MISSING
from langgraph.channels import DeltaChannel, UntrackedValue
from langgraph.pregel._algo import PregelTaskWrites
from langgraph.types import Overwrite

from lgckpt import channels as ours


class Own(theirs.LastValue[Any]):
    """A user's own kind: it fades, and it finishes."""

    def update(self, values: Any) -> bool:
        if not values:
            faded = self.value != "faded"
            self.value = "faded"
            return faded
        return super().update(values[-1:])

    def finish(self) -> bool:
        self.value = ("finished", self.checkpoint() is MISSING)
        return True


def append(state: list[Any], writes: list[Any]) -> list[Any]:
    return [*state, *writes]


MAKE = (
    lambda m: m.LastValue(int),
    lambda m: m.LastValue(int),
    lambda m: m.LastValueAfterFinish(int),
    lambda m: m.AnyValue(int),
    lambda m: m.EphemeralValue(int),
    lambda m: m.EphemeralValue(int, guard=False),
    lambda m: m.Topic(int),
    lambda m: m.Topic(int, accumulate=True),
    lambda m: m.BinaryOperatorAggregate(list, operator.add),
    lambda m: m.NamedBarrierValue(str, {"a", "b"}),
    lambda m: m.NamedBarrierValueAfterFinish(str, {"a"}),
    lambda m: UntrackedValue(int, guard=False),
    lambda m: DeltaChannel(append),
    lambda m: Own(int),
)
OTHERS = ("__no_writes__", "__pregel_push", "__interrupt__", "nowhere", "__resume__")


@dataclass
class Task:
    """Writes in a deque, as those of a task that ran."""

    path: tuple[Any, ...]
    name: str
    writes: deque[tuple[str, Any]]
    triggers: list[str]


def value_for(random: Random, channel: Any) -> Any:
    match type(channel).__name__:
        case "BinaryOperatorAggregate":
            if random.random() < 0.1:
                return Overwrite([random.randint(0, 9)])
            return [random.randint(0, 9)]
        case "NamedBarrierValue":
            return random.choice("ab")
        case "NamedBarrierValueAfterFinish":
            return "a"
        case _:
            return random.randint(0, 9)


class State:
    """Everything that a step is applied to."""

    def __init__(self, random: Random) -> None:
        modules = [random.choice((ours, theirs)) for _ in range(14)]
        self.channels: dict[str, Any] = {}
        for index in range(random.randint(0, 14)):
            channel = random.choice(MAKE)(modules[index])
            channel.key = name = f"c{index}"
            if random.random() < 0.5:
                channel.update([value_for(random, channel)])
            if random.random() < 0.2:
                channel.finish()
            self.channels[name] = channel
        self.version = random.choice((int, str, float))
        names = [*self.channels, "gone"]
        self.checkpoint: Any = {
            "v": 4,
            "id": "1f0",
            "ts": "now",
            "channel_values": {
                name: copy.deepcopy(channel.checkpoint())
                for name, channel in self.channels.items()
                if channel.checkpoint() is not MISSING and random.random() < 0.8
            },
            "channel_versions": self.versions(random, names),
            "versions_seen": {f"n{index}": self.versions(random, names) for index in range(3)},
            "updated_channels": None,
        }
        self.trigger_to_nodes = {name: ["n0"] for name in names if random.random() < 0.3}
        self.tasks = [self.task(random) for _ in range(random.randint(0, 4))]

    def versions(self, random: Random, names: list[str]) -> dict[str, Any]:
        chosen = [name for name in names if random.random() < 0.7]
        return {name: self.version_of(random.randint(1, 12)) for name in chosen}

    def version_of(self, number: int) -> Any:
        return f"{number:08}.é{number}" if self.version is str else self.version(number)

    def next_version(self, current: Any, channel: None) -> Any:
        assert channel is None
        if current is None:
            return self.version_of(1)
        return self.version_of(int(str(current).split(".")[0]) + 1)

    def task(self, random: Random) -> Any:
        names = [*self.channels, random.choice(OTHERS)]
        writes = []
        for name in random.choices(names, k=random.randint(0, 4)):
            writes.append((name, value_for(random, self.channels.get(name))))
        triggers = random.sample([*names, "gone", "__pregel_push"], k=random.choice((0, 1, 2)))
        paths = (
            ("__pregel_pull", random.choice("xyzé")),
            ("__pregel_push", random.randint(0, 200)),
            ("__pregel_push", ("__pregel_pull", "x"), random.randint(0, 20), "id", True),
            ("__pregel_push", 2**70, None),
            ("__pregel_push", ["list"], 1.5),
        )
        path, name = random.choice(paths), f"n{random.randint(0, 4)}"
        if random.random() < 0.5:
            return PregelTaskWrites(path, name, writes, triggers)
        return Task(path, name, deque(writes), triggers)
