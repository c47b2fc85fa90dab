"""Things that happen to a thread, each with the graph they happen to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from langgraph.graph import END
from langgraph.types import Command, Overwrite, StateUpdate

from tests.colours import Coloured
from tests.compat import delta_graphs
from tests.compat.delta_graphs import NEVER, Build, both

Config = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A graph and what is done with it.

    Attributes:
        name: Test id.
        build: Compiles the graph.
        run: Does it, on one thread, in one colour.
        channels: The DeltaChannels of the graph.
        seeded: Whether a snapshot is stored on the way.
    """

    name: str
    build: Build
    run: Callable[[Coloured, Config], Awaitable[None]]
    channels: tuple[str, ...] = ("log",)
    seeded: bool = True


def thread(thread_id: str, ns: str = "") -> Config:
    """The config of a thread's latest checkpoint."""
    return {"configurable": {"thread_id": thread_id, "checkpoint_ns": ns}}


async def snapshots(graph: Coloured, config: Config) -> list[Any]:
    """The state history, newest first."""
    if graph.colour == "sync":
        return list(graph.saver.get_state_history(config))
    return [found async for found in graph.saver.aget_state_history(config)]


async def turns(graph: Coloured, config: Config) -> None:
    """Six turns."""
    for turn in range(6):
        await graph.invoke(both(f"in{turn}"), config)


async def one_turn(graph: Coloured, config: Config) -> None:
    """One run."""
    await graph.invoke(both("in"), config)


async def exit_turns(graph: Coloured, config: Config) -> None:
    """Turns that are saved at their end only, among others."""
    for turn, durability in enumerate(["exit", "exit", "async", "exit", "sync", "exit"]):
        await graph.invoke(both(f"in{turn}"), config, durability=durability)


async def forks(graph: Coloured, config: Config) -> None:
    """Three branches from the middle, by a run, by an update, by a copy; one goes on."""
    await turns(graph, config)
    middle = (await snapshots(graph, config))[9].config
    await graph.invoke(both("fork"), middle)
    updated = await graph.update_state(middle, both("updated"), "a")
    await graph.invoke(None, updated)
    copied = await graph.update_state(middle, None, "__copy__")
    await graph.invoke(both("copied"), copied)
    await graph.invoke(both("exit"), middle, durability="exit")


async def updates(graph: Coloured, config: Config) -> None:
    """State updates of every kind, on a thread that starts with one."""
    await graph.update_state(config, both("first"), "b")
    await graph.invoke(both("in"), config)
    await graph.update_state(config, both("one"), "a")
    await graph.bulk_update_state(
        config,
        [
            [StateUpdate(both("two"), "a"), StateUpdate(both("three"), "b")],
            [StateUpdate(both("four"), "b")],
        ],
    )
    overwrite = {"log": Overwrite(["new"]), "plain": Overwrite(["new"])}
    await graph.update_state(config, overwrite, "b")
    await graph.update_state(config, None, END)
    await graph.invoke(both("last"), config)


async def question(graph: Coloured, config: Config) -> None:
    """An interrupt with its writes pending, answered, and another left open."""
    await graph.invoke(both("in"), config)
    await graph.invoke(Command(resume="yes"), config)
    await graph.invoke(both("again"), config)


SCENARIOS = [
    Scenario("snapshots", delta_graphs.chain(3), turns),
    Scenario("no-snapshot", delta_graphs.chain(NEVER), turns, seeded=False),
    Scenario("every-step", delta_graphs.chain(1), turns),
    Scenario("exit", delta_graphs.chain(4), exit_turns),
    Scenario("forks", delta_graphs.chain(4), forks),
    Scenario("updates", delta_graphs.chain(4), updates),
    Scenario("parallel", delta_graphs.parallel(7, writers=6, rounds=10), one_turn),
    Scenario("sends", delta_graphs.sends(2), turns),
    Scenario("question", delta_graphs.asking(3), question),
    Scenario("subgraph", delta_graphs.nested(3, None), turns),
    Scenario("stateful-subgraph", delta_graphs.nested(3, checkpointer=True), turns),
    Scenario(
        "several",
        delta_graphs.several({"log": 2, "far": 5, "never": NEVER}),
        turns,
        channels=("log", "far", "never"),
    ),
]
