"""Random histories are read alike, whichever way their rows were made, and whatever came between.

Seeds, not hypothesis: what goes wrong here takes a long history, and a run of it takes no time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest
from langgraph.checkpoint.base import CheckpointTuple

import lgckpt
from lgckpt.saver import Saver
from tests.checkpoints import checkpoint

NAMES = [f"channel {n}" for n in range(40)]
THREAD: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
STEPS = 60


class General(lgckpt.Serializer):
    """Leaves every row to the general way."""

    def dumps_row(self, *_: Any, **__: Any) -> Any:
        return None


class Head(NamedTuple):
    """A checkpoint to go on from."""

    config: Any
    values: dict[str, Any]
    versions: dict[str, str]


def other_objects(given: dict[str, Any]) -> dict[str, Any]:
    """The same with names that are other objects, as those of a checkpoint that was read."""
    return {"".join(list(name)): value for name, value in given.items()}


class History:
    """One random history, put to two savers.

    Args:
        savers: Those.
        seed: Of everything.
    """

    def __init__(self, savers: list[Saver], seed: int) -> None:
        self._savers = savers
        self._rng = random.Random(seed)
        self._step = 0
        versions = dict.fromkeys(NAMES, "0")
        self._heads = [Head(THREAD, {}, {})]
        self._put(self._heads[0], dict.fromkeys(NAMES[::2], "first"), versions, versions)
        del self._heads[0]

    def go_on(self) -> None:
        """Do one thing more."""
        chance = self._rng.random()
        if chance < 0.04:
            self._edit(lambda saver: saver.prune(["t"], strategy="keep_latest"))
        elif chance < 0.08:
            run = f"run {self._rng.randrange(9)}"
            self._edit(lambda saver: saver.delete_for_runs([run]))
        elif chance < 0.12:
            self.alike(lambda saver: list(saver.list(THREAD)))
        elif chance < 0.16 and (found := self.alike(lambda saver: saver.get_tuple(THREAD))):
            made = found.checkpoint
            head = Head(found.config, made["channel_values"], made["channel_versions"])
            self._heads.append(head)
        elif self._heads:
            self._add()

    def alike(self, read: Callable[[Saver], Any]) -> Any:
        """What both savers give, which is the same."""
        one, other = map(read, self._savers)
        assert one == other
        return one

    def _edit(self, edit: Callable[[Saver], None]) -> None:
        for saver in self._savers:
            edit(saver)
        left: list[CheckpointTuple] = self.alike(lambda saver: list(saver.list(THREAD)))
        configs = [found.config for found in left]
        self._heads = [head for head in self._heads if head.config in configs]

    def _add(self) -> None:
        rng = self._rng
        head = self._heads[-1] if rng.random() < 0.85 else rng.choice(self._heads)
        values, versions, fresh = dict(head.values), dict(head.versions), {}
        if rng.random() < 0.1:
            versions = other_objects(versions)
        if rng.random() < 0.05:
            versions = dict(reversed(versions.items()))
        if rng.random() < 0.05:
            versions[f"channel {self._step}, later"] = "0"
        for name in rng.sample(list(versions), rng.randrange(5)):
            versions[name] = fresh[name] = f"{self._step}.{rng.random()}"
            values.pop(name, None)
            if rng.random() < 0.8:
                values[name] = rng.choice([None, self._step, "x" * rng.randrange(3000), b"y"])
        # A DeltaChannel gives no value between its snapshots.
        share = rng.choice([1, 1, 1, 0.3, 0])
        given = {k: v for k, v in values.items() if k in fresh or rng.random() < share}
        self._put(head, given, versions, fresh)

    def _put(
        self, head: Head, given: dict[str, Any], versions: dict[str, str], fresh: dict[str, str]
    ) -> None:
        self._step += 1
        made = checkpoint(given, versions, id=f"{self._step:036}")
        metadata: Any = {"step": self._step, "run_id": f"run {self._step % 9}"}
        stored = self.alike(lambda saver: saver.put(head.config, made, metadata, fresh))
        found = self.alike(lambda saver: saver.get_tuple(stored))
        self._heads.append(Head(stored, found.checkpoint["channel_values"], versions))


@pytest.mark.parametrize("url", ["memory://", "sqlite:///:memory:"])
def test_both_ways_are_read_alike(url: str) -> None:
    for seed in range(60):
        with ExitStack() as stack:
            small = stack.enter_context(lgckpt.from_url(url))
            general = stack.enter_context(lgckpt.MemorySaver(serde=General()))
            history = History([small, general], seed)
            for _ in range(STEPS):
                history.go_on()
