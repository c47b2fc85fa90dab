"""Threads that live: runs, updates, forks, prunes, deleted runs and copies in any order.

Whatever happens, each visible checkpoint has the state it had when it was made.
"""

import random
from typing import Any

import pytest

from tests.colours import Coloured
from tests.compat import delta_graphs
from tests.compat.delta_graphs import both
from tests.compat.delta_runs import Config, snapshots, thread

pytestmark = pytest.mark.anyio

EVENTS = 30
FREQUENCIES = (1, 2, 5, 1000)


class Life:
    """Some threads of one saver, and the state every checkpoint was made with."""

    def __init__(self, coloured: Coloured, seed: int) -> None:
        self.chance = random.Random(seed)
        self.saver = coloured
        build = delta_graphs.chain(self.chance.choice(FREQUENCIES))
        self.graph = Coloured(build(coloured.saver), coloured.colour)
        self.threads = ["t0"]
        self.runs = ["r0"]
        self.made: dict[tuple[str, str], Any] = {}

    async def event(self) -> str:
        """Let one thing happen; gives its name."""
        events = [self.run, self.run, self.run, self.update, self.fork, self.copy_checkpoint]
        events += [self.prune, self.delete_run, self.copy]
        chosen = self.chance.choice(events)
        await chosen(self.chance.choice(self.threads))
        return chosen.__name__

    async def check(self) -> None:
        """Every visible checkpoint is as it was made; new ones are noted."""
        for thread_id in self.threads:
            for found in await snapshots(self.graph, thread(thread_id)):
                place = thread_id, found.config["configurable"]["checkpoint_id"]
                assert found.values.get("log", []) == found.values.get("plain", []), place
                assert found.values == self.made.setdefault(place, found.values), place

    async def somewhere(self, thread_id: str) -> Config:
        """The config of some visible checkpoint."""
        history = await snapshots(self.graph, thread(thread_id))
        return self.chance.choice(history).config if history else thread(thread_id)

    def in_new_run(self, config: Config) -> Config:
        self.runs.append(f"r{len(self.runs)}")
        return {**config, "metadata": {"run_id": self.runs[-1]}}

    async def run(self, thread_id: str) -> None:
        config = self.in_new_run(thread(thread_id))
        durability = self.chance.choice(["sync", "async", "exit"])
        await self.graph.invoke(both(self.runs[-1]), config, durability=durability)

    async def update(self, thread_id: str) -> None:
        config = self.in_new_run(thread(thread_id))
        await self.graph.update_state(config, both(self.runs[-1]), "a")

    async def fork(self, thread_id: str) -> None:
        config = self.in_new_run(await self.somewhere(thread_id))
        await self.graph.invoke(both(self.runs[-1]), config)

    async def copy_checkpoint(self, thread_id: str) -> None:
        config = await self.somewhere(thread_id)
        if "checkpoint_id" in config["configurable"]:
            await self.graph.update_state(self.in_new_run(config), None, "__copy__")

    async def prune(self, thread_id: str) -> None:
        await self.saver.prune([thread_id])

    async def delete_run(self, thread_id: str) -> None:
        await self.saver.delete_for_runs(self.chance.choices(self.runs, k=2))

    async def copy(self, thread_id: str) -> None:
        target = f"t{len(self.threads)}"
        await self.saver.copy_thread(thread_id, target)
        self.threads.append(target)
        known = {place: state for (t, place), state in self.made.items() if t == thread_id}
        self.made |= {(target, place): state for place, state in known.items()}


@pytest.mark.parametrize("seed", range(6))
async def test_a_checkpoint_keeps_its_state_for_life(coloured: Coloured, seed: int) -> None:
    life = Life(coloured, seed)
    events = []
    for _ in range(EVENTS):
        events.append(await life.event())
        await life.check()
    assert {"run", "prune", "delete_run", "copy"} <= set(events)
    assert len(life.made) > EVENTS
