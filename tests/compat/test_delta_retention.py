"""DeltaChannels stay readable when what they are rebuilt from is pruned, deleted or copied."""

from typing import Any

import pytest

from tests.colours import Coloured
from tests.compat import delta_graphs
from tests.compat.delta_graphs import NEVER, both
from tests.compat.delta_runs import SCENARIOS, Config, Scenario, snapshots, thread

pytestmark = pytest.mark.anyio

every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)


async def histories(coloured: Coloured, thread_id: str, channels: Any) -> dict[Any, Any]:
    """What every visible checkpoint still replays, by namespace and id.

    A channel that is stored at the checkpoint itself replays nothing.
    """
    found = {}
    for place in await coloured.list({"configurable": {"thread_id": thread_id}}):
        named = place.config["configurable"]
        replayed = [c for c in channels if c not in place.checkpoint["channel_values"]]
        found[
            named["checkpoint_ns"], named["checkpoint_id"]
        ] = await coloured.get_delta_channel_history(config=place.config, channels=replayed)
    return found


async def values(graph: Coloured, thread_id: str) -> dict[str, Any]:
    """The state of every visible checkpoint of the root graph, by id."""
    history = await snapshots(graph, thread(thread_id))
    return {found.config["configurable"]["checkpoint_id"]: found.values for found in history}


async def ran(scenario: Scenario, coloured: Coloured, thread_id: str) -> Coloured:
    graph = Coloured(scenario.build(coloured.saver), coloured.colour)
    await scenario.run(graph, thread(thread_id))
    return graph


@every_scenario
async def test_prune_keeps_what_the_latest_replays(scenario: Scenario, coloured: Coloured) -> None:
    graph = await ran(scenario, coloured, "t")
    await coloured.copy_thread("t", "unpruned")
    state = await graph.get_state(thread("t"))
    before = await histories(coloured, "t", scenario.channels)
    for _ in range(2):
        await coloured.prune(["t"], strategy="keep_latest")
        after = await histories(coloured, "t", scenario.channels)
        assert len({ns for ns, _ in after}) == len(after) < len(before)
        assert after == {place: before[place] for place in after}
        assert (await graph.get_state(thread("t"))).values == state.values
        assert list(await values(graph, "t")) == [state.config["configurable"]["checkpoint_id"]]


@every_scenario
async def test_a_pruned_thread_goes_on_like_an_unpruned_one(
    scenario: Scenario, coloured: Coloured
) -> None:
    graph = await ran(scenario, coloured, "t")
    await coloured.copy_thread("t", "unpruned")
    await coloured.prune(["t"])
    for turn in range(4):
        for thread_id in ("t", "unpruned"):
            await graph.invoke(both(f"more{turn}"), thread(thread_id))
        pruned = (await graph.get_state(thread("t"))).values
        assert pruned == (await graph.get_state(thread("unpruned"))).values
        assert pruned["log"] == pruned["plain"]
        await coloured.prune(["t"])
        assert (await graph.get_state(thread("t"))).values == pruned


async def test_prune_keeps_the_state_of_a_subgraph_that_outlives_its_calls(
    coloured: Coloured,
) -> None:
    build = delta_graphs.nested(NEVER, checkpointer=True)
    graph = Coloured(build(coloured.saver), coloured.colour)
    for turn in range(3):
        await graph.invoke(both(f"in{turn}"), thread("t"))
    before = await histories(coloured, "t", ["log"])
    await coloured.prune(["t"])
    after = await histories(coloured, "t", ["log"])
    assert sorted(ns for ns, _ in after) == ["", "inner"]
    assert after == {place: before[place] for place in after}
    await graph.invoke(both("more"), thread("t"))
    (inner,) = await coloured.list(thread("t", "inner"), limit=1)
    assert len(inner.checkpoint["channel_values"]["plain"]) == 12


async def test_a_pruned_checkpoint_can_be_copied(coloured: Coloured) -> None:
    """LangGraph's `__copy__` stores the copy under the parent it is shown."""
    graph = Coloured(delta_graphs.chain(NEVER)(coloured.saver), coloured.colour)
    await graph.invoke(both("in"), thread("t"))
    before = (await graph.get_state(thread("t"))).values
    await coloured.prune(["t"])
    await graph.update_state(thread("t"), None, "__copy__")
    states = await values(graph, "t")
    assert list(states.values()) == [before, before]
    await coloured.prune(["t"])
    assert (await graph.get_state(thread("t"))).values == before


def in_run(thread_id: str, run_id: str) -> Config:
    """A config under which checkpoints belong to a run."""
    return {**thread(thread_id), "metadata": {"run_id": run_id}}


async def ran_in_runs(
    coloured: Coloured, frequency: int, durability: str
) -> tuple[Coloured, dict[str, str]]:
    """Six runs on one thread; gives the graph, and the run of each checkpoint."""
    graph = Coloured(delta_graphs.chain(frequency)(coloured.saver), coloured.colour)
    for turn in range(6):
        config = in_run("t", f"r{turn}")
        await graph.invoke(both(f"in{turn}"), config, durability=durability)
    found = await coloured.list(thread("t"))
    return graph, {t.checkpoint["id"]: t.metadata["run_id"] for t in found}


frequencies = pytest.mark.parametrize("frequency", [1, 3, NEVER])
durabilities = pytest.mark.parametrize("durability", ["async", "exit"])


@frequencies
@durabilities
async def test_delete_for_runs_keeps_what_other_runs_replay(
    coloured: Coloured, frequency: int, durability: str
) -> None:
    graph, runs = await ran_in_runs(coloured, frequency, durability)
    state, before = await values(graph, "t"), await histories(coloured, "t", ["log"])
    gone: set[str] = set()
    for more in (["r1"], ["r3", "r4"], ["r0"]):
        gone.update(more)
        await coloured.delete_for_runs(more)
        kept = [place for place, run in runs.items() if run not in gone]
        assert await values(graph, "t") == {place: state[place] for place in kept}
        assert await histories(coloured, "t", ["log"]) == {
            ("", place): before["", place] for place in kept
        }
    await graph.invoke(both("more"), in_run("t", "r6"))
    latest = (await graph.get_state(thread("t"))).values
    assert latest["log"] == latest["plain"]
    assert len(latest["log"]) == 3 * 7


@frequencies
@durabilities
async def test_deleting_the_latest_runs_goes_back_to_what_was(
    coloured: Coloured, frequency: int, durability: str
) -> None:
    graph, runs = await ran_in_runs(coloured, frequency, durability)
    state = await values(graph, "t")
    await coloured.delete_for_runs(["r2", "r5"])
    await coloured.delete_for_runs(["r4"])
    latest = await graph.get_state(thread("t"))
    assert runs[latest.config["configurable"]["checkpoint_id"]] == "r3"
    assert latest.values == state[max(place for place, run in runs.items() if run == "r3")]
    await coloured.delete_for_runs(["r0", "r1", "r3"])
    assert await coloured.list(thread("t")) == []
    await graph.invoke(both("new"), in_run("t", "r6"))
    assert (await graph.get_state(thread("t"))).values == both("new", "a1", "b2")


@every_scenario
async def test_a_copy_carries_the_chain(scenario: Scenario, coloured: Coloured) -> None:
    graph = await ran(scenario, coloured, "t")
    state = await values(graph, "t")
    before = await histories(coloured, "t", scenario.channels)
    for _ in range(2):
        await coloured.copy_thread("t", "copy")
        assert await values(graph, "copy") == state
        assert await histories(coloured, "copy", scenario.channels) == before
    await graph.invoke(both("more"), thread("copy"))
    assert await values(graph, "t") == state
    assert await histories(coloured, "t", scenario.channels) == before
    await coloured.delete_thread("t")
    of_copy = await values(graph, "copy")
    assert {place: of_copy[place] for place in state} == state


@every_scenario
async def test_a_copy_of_a_pruned_thread_carries_what_it_replays(
    scenario: Scenario, coloured: Coloured
) -> None:
    graph = await ran(scenario, coloured, "t")
    await coloured.prune(["t"])
    state = await values(graph, "t")
    before = await histories(coloured, "t", scenario.channels)
    await coloured.copy_thread("t", "copy")
    await coloured.delete_thread("t")
    assert await values(graph, "copy") == state
    assert await histories(coloured, "copy", scenario.channels) == before
    await coloured.prune(["copy"])
    assert await histories(coloured, "copy", scenario.channels) == before
