"""A DeltaChannel as LangGraph stores it: a snapshot now and then, and the writes between."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from langgraph.checkpoint.serde.types import _DeltaSnapshot

from lgckpt.saver import Saver
from tests.checkpoints import checkpoint, config

CHANNEL = "log"
EVERY = 7
"""Steps from one snapshot to the next."""

LONGEST = 40
"""Steps after which a chain starts anew, so that states stay small."""

PAD = "x" * 3_000
"""Makes each write large enough to lie in chunks."""


def entry(ns: str, step: int) -> str:
    """What the task of a step writes."""
    return f"{ns}/{step}/{PAD}"


def state(ns: str, step: int) -> list[str]:
    """The channel's value at a step: all that was written before it."""
    return [entry(ns, i) for i in range(step)]


def putter(thread_id: str, ns: str) -> Callable[[Saver, random.Random], None]:
    """The only writer of a namespace: each call adds a checkpoint and what its task wrote."""
    at = config(thread_id, ns=ns)
    step = -1

    def act(saver: Saver, _: random.Random) -> None:
        nonlocal at, step
        if step == LONGEST:
            at, step = config(thread_id, ns=ns), -1
        step += 1
        since = step % EVERY
        values = {} if since else {CHANNEL: _DeltaSnapshot(state(ns, step))}
        made = checkpoint(values, {CHANNEL: step + 1})
        metadata = {
            "source": "loop", "step": step, "parents": {},
            "counters_since_delta_snapshot": {CHANNEL: (since, since)},
        }  # fmt: skip
        at = saver.put(at, made, metadata, {CHANNEL: step + 1})
        saver.put_writes(at, [(CHANNEL, entry(ns, step))], f"task-{step}")

    return act


class Reader:
    """Rebuilds the latest value, as LangGraph does to answer `get_state`.

    Attributes:
        replayed: How often it came to that, and was right.
    """

    def __init__(self, thread_id: str, ns: str) -> None:
        self.thread_id = thread_id
        self.ns = ns
        self.replayed = 0

    def __call__(self, saver: Saver, _: random.Random) -> None:
        found = saver.get_tuple(config(self.thread_id, ns=self.ns))
        if found is None or CHANNEL in found.checkpoint["channel_values"]:
            return
        history = saver.get_delta_channel_history(config=found.config, channels=[CHANNEL])
        replayed = replay(history[CHANNEL])
        if saver.get_tuple(found.config) is None:
            return  # pruned between the two reads, which LangGraph makes one after the other
        step = found.metadata["step"]
        assert replayed == state(self.ns, step), (
            f"{self.ns!r} at step {step} replays {[r[:12] for r in replayed]}"
        )
        self.replayed += 1


def replay(history: Any) -> list[str]:
    base = list(history["seed"].value) if "seed" in history else []
    return base + [value for _, _, value in history["writes"]]


def prune(thread_id: str) -> Callable[[Saver, random.Random], None]:
    return lambda saver, _: saver.prune([thread_id])


def actors(thread_id: str, namespaces: Sequence[str]) -> list[Any]:
    """A writer and a reader for each namespace, and two that prune all of them."""
    writers = [putter(thread_id, ns) for ns in namespaces]
    readers = [Reader(thread_id, ns) for ns in namespaces]
    return [*writers, *readers, prune(thread_id), prune(thread_id)]
