"""Six parallel writers into a DeltaChannel whose reducer heeds order: what is read is what ran."""

from __future__ import annotations

import asyncio
import operator
import random
import threading
import time
from collections.abc import Sequence
from functools import wraps
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.pregel._loop import PregelLoop

from lgckpt.saver import Saver
from tests.backends import Backend
from tests.colours import COLOURS
from tests.survive.harness import scaled

WRITERS = 6
SUPERSTEPS = 10


def append(state: list[str], batches: Sequence[list[str]]) -> list[str]:
    """Heeds order, and gives the same in one batch as in many, as a DeltaChannel asks."""
    return [*state, *(item for batch in batches for item in batch)]


class State(TypedDict):
    log: Annotated[list[str], DeltaChannel(append, snapshot_frequency=4)]
    large: Annotated[list[str], DeltaChannel(append)]
    plain: Annotated[list[str], operator.add]


def _update(name: str, rng: random.Random, state: State) -> dict[str, list[str]]:
    """The same in both colours; `plain` is the live result kept by LangGraph's own reducer."""
    turn = len(state["plain"]) // WRITERS
    entry = f"{name}/{turn}"
    items = [f"{entry}/{i}" for i in range(rng.randrange(1, 3))]
    return {"log": items, "large": [entry + "x" * 4_000], "plain": [entry]}


def build(saver: Saver, colour: str, seed: int) -> Any:
    """Six nodes that all run in each superstep, ending in another order every time."""
    builder: Any = StateGraph(State)

    def add(name: str) -> None:
        rng = random.Random(f"{seed}/{name}")

        def node(state: State) -> dict[str, list[str]]:
            time.sleep(rng.uniform(0, 0.004))
            return _update(name, rng, state)

        async def anode(state: State) -> dict[str, list[str]]:
            await asyncio.sleep(rng.uniform(0, 0.004))
            return _update(name, rng, state)

        def again(state: State) -> str:
            """A branch sees the writes of its own node alone beside the superstep's start."""
            return name if len(state["plain"]) <= WRITERS * (SUPERSTEPS - 1) else END

        builder.add_node(name, node if colour == "sync" else anode)
        builder.add_edge(START, name)
        builder.add_conditional_edges(name, again, [name, END])

    for number in range(WRITERS):
        add(f"writer-{number}")
    return builder.compile(checkpointer=saver)


async def run(graph: Any, colour: str, config: Any, durability: str) -> list[dict[str, Any]]:
    """Every live state, in order."""
    start: Any = {"log": [], "large": [], "plain": []}
    options: Any = {"stream_mode": "values", "durability": durability}
    if colour == "sync":
        return list(graph.stream(start, config, **options))
    return [state async for state in graph.astream(start, config, **options)]


async def read(graph: Any, colour: str, config: Any) -> tuple[Any, list[Any]]:
    if colour == "sync":
        return graph.get_state(config), list(graph.get_state_history(config))
    return await graph.aget_state(config), [s async for s in graph.aget_state_history(config)]


@pytest.fixture(autouse=True)
def one_commit_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph's loop takes the writes of a task in that task's thread, and makes its list of
    pending writes anew there without a lock: of two tasks that end at once, one may be lost. With
    durability "exit" nothing else has them, whatever the saver.
    """
    lock, put_writes = threading.Lock(), PregelLoop.put_writes

    @wraps(put_writes)
    def alone(self: Any, *args: Any, **options: Any) -> None:
        with lock:
            put_writes(self, *args, **options)

    monkeypatch.setattr(PregelLoop, "put_writes", alone)


@pytest.mark.slow
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_read_is_the_live_result(
    backend: Backend, colour: str, durability: str, seed: int
) -> None:
    async def main(saver: Saver, number: int) -> None:
        graph = build(saver, colour, seed + number)
        config = {"configurable": {"thread_id": f"thread-{number}"}}
        live = await run(graph, colour, config, durability)
        assert len(live[-1]["plain"]) == WRITERS * SUPERSTEPS
        latest, history = await read(graph, colour, config)
        assert latest.values == live[-1], f"seed {seed}"
        if durability == "exit":
            return
        states = [s.values for s in reversed(history) if s.metadata["step"] >= 0]
        assert states == live, f"an earlier state differs, seed {seed}"
        await saver.aprune([config["configurable"]["thread_id"]])
        latest, _ = await read(graph, colour, config)
        assert latest.values == live[-1], f"another after prune, seed {seed}"

    with backend.open() as saver:
        for number in range(scaled(3)):
            asyncio.run(main(saver, number))
