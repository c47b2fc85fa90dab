"""`get_delta_channel_history`, which the conformance kit does not know.

It must give what LangGraph's base class gives by walking `get_tuple`, and what the
official InMemorySaver gives for the same run.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver

from tests import checkpoints
from tests.backends import Backend
from tests.colours import COLOURS, Coloured
from tests.compat import delta_graphs
from tests.compat.delta_graphs import NEVER
from tests.compat.delta_runs import SCENARIOS, Scenario, one_turn, snapshots, thread
from tests.compat.mirror import Mirror

pytestmark = pytest.mark.anyio

LOOP_SECONDS = 30
LINKS = 700
"""Ancestors enough for every size of page a saver may read them in."""


async def by_walking(coloured: Coloured, **request: Any) -> Any:
    """The base class's default, on the same saver."""
    if coloured.colour == "sync":
        return BaseCheckpointSaver.get_delta_channel_history(coloured.saver, **request)
    return await BaseCheckpointSaver.aget_delta_channel_history(coloured.saver, **request)


async def same_everywhere(
    coloured: Coloured, reference: InMemorySaver, thread_id: str, channels: tuple[str, ...]
) -> list[Any]:
    """Compare at every checkpoint of every namespace; gives the histories."""
    found = []
    asked = [*channels, "plain", "absent"]
    configs = [t.config for t in reference.list({"configurable": {"thread_id": thread_id}})]
    for config in [*configs, thread(thread_id)]:
        for names in ([asked[0]], asked):
            request = {"config": config, "channels": names}
            ours = await coloured.get_delta_channel_history(**request)
            assert ours == reference.get_delta_channel_history(**request)
            assert ours == await by_walking(coloured, **request)
            assert list(ours) == names
            found += [ours[name] for name in channels if name in ours]
    return found


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
async def test_it_equals_the_walk_and_the_official_saver(
    scenario: Scenario, coloured: Coloured
) -> None:
    mirror = Mirror(coloured.saver)
    graph = Coloured(scenario.build(mirror), coloured.colour)
    await scenario.run(graph, thread("t"))
    found = await same_everywhere(coloured, mirror.reference, "t", scenario.channels)
    assert any(entry["writes"] for entry in found)
    seeds = [entry["seed"] for entry in found if "seed" in entry]
    assert {type(seed).__name__ for seed in seeds} == ({"_DeltaSnapshot"} if seeds else set())
    assert bool(seeds) == scenario.seeded
    states = [snapshot.values for snapshot in await snapshots(graph, thread("t"))]
    assert [s.get("log", []) for s in states] == [s.get("plain", []) for s in states]
    assert max(len(state.get("log", [])) for state in states) > 4


async def test_channels_end_at_ancestors_of_their_own(coloured: Coloured) -> None:
    mirror = Mirror(coloured.saver)
    frequencies = {"near": 2, "far": 7, "never": NEVER}
    graph = Coloured(delta_graphs.several(frequencies)(mirror), coloured.colour)
    for turn in range(9):
        await graph.invoke({name: [f"in{turn}"] for name in frequencies}, thread("t"))
    history = await coloured.get_delta_channel_history(
        config=thread("t"), channels=list(frequencies)
    )
    near, far, never = (len(history[name]["writes"]) for name in frequencies)
    assert near < far < never
    assert [("seed" in history[name]) for name in frequencies] == [True, True, False]
    assert len(history["far"]["seed"].value) < len(history["near"]["seed"].value)


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_six_parallel_writers_replay_as_they_ran(coloured: Coloured, durability: str) -> None:
    build = delta_graphs.parallel(NEVER, writers=6, rounds=10)
    graph = Coloured(build(coloured.saver), coloured.colour)
    live = await graph.invoke({"log": [], "plain": []}, thread("t"), durability=durability)
    assert len(live["log"]) == 120
    assert live["log"] == live["plain"]
    assert (await graph.get_state(thread("t"))).values == live
    for found in await snapshots(graph, thread("t")):
        read = found.values.get("log", [])
        assert read == live["log"][: len(read)]


async def test_a_target_that_is_not_there_has_no_history(coloured: Coloured) -> None:
    await one_turn(Coloured(delta_graphs.chain(2)(coloured.saver), coloured.colour), thread("t"))
    nowhere = [
        checkpoints.config("t", "1f0d0000-0000-6000-8000-000000000000"),
        checkpoints.config("other"),
        checkpoints.config("t", ns="inner"),
    ]
    for config in nowhere:
        request = {"config": config, "channels": ["log", "plain"]}
        found = await coloured.get_delta_channel_history(**request)
        assert found == {"log": {"writes": []}, "plain": {"writes": []}}
        assert found == await by_walking(coloured, **request)


async def test_no_channels_have_no_history(coloured: Coloured) -> None:
    await one_turn(Coloured(delta_graphs.chain(2)(coloured.saver), coloured.colour), thread("t"))
    assert await coloured.get_delta_channel_history(config=thread("t"), channels=[]) == {}
    assert await coloured.get_delta_channel_history(config=thread("other"), channels=()) == {}


async def put_link(
    saver: Any, checkpoint_id: str, parent_id: str | None, values: dict[str, Any] | None = None
) -> None:
    """One checkpoint under a given parent, with two tasks' writes in the wrong order."""
    made = checkpoints.checkpoint(values or {}, id=checkpoint_id)
    metadata = {"source": "loop", "step": 0, "parents": {}}
    await saver.put(checkpoints.config("t", parent_id), made, metadata, made["channel_versions"])
    named = checkpoints.config("t", checkpoint_id)
    await saver.put_writes(named, [("log", [f"{checkpoint_id}z"])], "task-a", "~2")
    await saver.put_writes(
        named, [("log", [f"{checkpoint_id}a"]), ("other", 1), ("log", ["x"])], "task-z", "~1"
    )


async def test_a_chain_of_many_pages(coloured: Coloured) -> None:
    mirror = Mirror(coloured.saver)
    both = Coloured(mirror, coloured.colour)
    ids = [f"{i:08}" for i in range(LINKS)]
    for parent_id, checkpoint_id in zip([None, *ids], ids, strict=False):
        values = {"early": ["seed"]} if checkpoint_id == ids[100] else None
        await put_link(both, checkpoint_id, parent_id, values)
    request = {"config": checkpoints.config("t"), "channels": ["log", "early", "other"]}
    ours = await coloured.get_delta_channel_history(**request)
    assert ours == mirror.reference.get_delta_channel_history(**request)
    assert len(ours["log"]["writes"]) == 3 * (LINKS - 1)
    assert ours["early"] == {"writes": [], "seed": ["seed"]}


async def test_a_parent_that_was_never_stored_ends_the_walk(coloured: Coloured) -> None:
    mirror = Mirror(coloured.saver)
    both = Coloured(mirror, coloured.colour)
    await put_link(both, "2", "1")
    await put_link(both, "3", "2")
    early = checkpoints.config("t", "1")
    await both.put_writes(early, [("log", ["of a checkpoint yet to come"])], "task", "")
    found = await same_everywhere(coloured, mirror.reference, "t", ("log",))
    assert {len(entry["writes"]) for entry in found} == {0, 3}


async def test_a_plain_value_is_a_seed(coloured: Coloured) -> None:
    """A thread from before its channel became a DeltaChannel."""
    mirror = Mirror(coloured.saver)
    both = Coloured(mirror, coloured.colour)
    await put_link(both, "1", None, {"log": ["plain", "value"]})
    await put_link(both, "2", "1")
    await put_link(both, "3", "2")
    found = await same_everywhere(coloured, mirror.reference, "t", ("log",))
    assert ["plain", "value"] in [entry.get("seed") for entry in found]


def finishes(work: Callable[[], Awaitable[Any]]) -> Any:
    """The result of something that might go on for ever."""
    results = []
    runner = threading.Thread(target=lambda: results.append(asyncio.run(work())), daemon=True)
    runner.start()
    runner.join(LOOP_SECONDS)
    assert not runner.is_alive(), "the walk did not end"
    return results[0]


@pytest.mark.parametrize("loop", [("1",), ("1", "2"), ("1", "2", "3")], ids=len)
@pytest.mark.parametrize("colour", COLOURS)
def test_a_loop_of_parents_is_walked_once(
    backend: Backend, colour: str, loop: tuple[str, ...]
) -> None:
    """Each checkpoint of the loop counts at most once; those before the target exactly once."""

    async def walk() -> Any:
        with backend.open() as saver:
            coloured = Coloured(saver, colour)
            for parent_id, checkpoint_id in zip((loop[-1], *loop), loop, strict=False):
                await put_link(coloured, checkpoint_id, parent_id)
            return await coloured.get_delta_channel_history(
                config=checkpoints.config("t", loop[-1]), channels=["log", "absent"]
            )

    found = finishes(walk)
    assert found["absent"] == {"writes": []}
    assert "seed" not in found["log"]
    written = [value for _, _, (value,) in found["log"]["writes"] if value != "x"]
    assert len(written) == len(set(written))
    assert {value[0] for value in written} >= set(loop[:-1])
