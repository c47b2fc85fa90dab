"""The workloads: each gives an agent's calls from a thread and a seed."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.calls import Script
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread
from lgckpt.loadtest.workloads.chat import chat
from lgckpt.loadtest.workloads.fanout import fanout
from lgckpt.loadtest.workloads.hitl import hitl
from lgckpt.loadtest.workloads.research import research
from lgckpt.loadtest.workloads.wide import wide

Workload = Callable[[Thread, Talk], Script]

WORKLOADS: Mapping[str, Workload] = {
    "chat": chat,
    "research": research,
    "fanout": fanout,
    "wide": wide,
    "hitl": hitl,
}
MIXED = "mixed"
MIXTURE = {"chat": 6, "hitl": 2, "fanout": 1, "wide": 1, "research": 0.5}
"""What `mixed` is if no weights are given: mostly chats."""


@dataclass(frozen=True)
class Mixture:
    """Workloads and how often an agent is given each.

    Attributes:
        weights: By name.
    """

    weights: Mapping[str, float]

    @property
    def name(self) -> str:
        """For people, and understood by `parse`."""
        if len(self.weights) == 1:
            return next(iter(self.weights))
        return f"{MIXED}:" + ",".join(f"{name}={w:g}" for name, w in self.weights.items())

    def script(self, thread_id: str, seed: int) -> Script:
        """One agent's calls: the same for the same seed, but for ids and times of checkpoints."""
        random = Random(seed)  # noqa: S311 - the same each time
        names = list(self.weights)
        sums = list(itertools.accumulate(self.weights.values()))
        name = names[bisect.bisect_right(sums, random.random() * sums[-1])]
        thread = Thread(thread_id, random)
        return WORKLOADS[name](thread, Talk(random.getrandbits(64)))


def parse(text: str) -> Mixture:
    """A workload by its name, or `mixed`, or `mixed:chat=3,hitl=1`.

    Raises:
        ConfigurationError: There is no such workload, or a weight is no positive number.
    """
    name, colon, rest = text.partition(":")
    if name != MIXED:
        if name not in WORKLOADS or colon:
            raise _unknown(text)
        return Mixture({name: 1})
    if not colon:
        return Mixture(MIXTURE)
    weights: dict[str, float] = {}
    for part in rest.split(","):
        one, _, number = part.partition("=")
        if one not in WORKLOADS:
            raise _unknown(one)
        try:
            weights[one] = float(number or 1)
        except ValueError:
            weights[one] = 0
        if not 0 < weights[one] < float("inf"):
            raise ConfigurationError(f"the weight of {one!r} is a positive number, not {number!r}")
    return Mixture(weights)


def _unknown(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"no workload {name!r}; there are: {', '.join(WORKLOADS)}, {MIXED}, "
        f"{MIXED}:chat=3,hitl=1, and --replay FILE"
    )
