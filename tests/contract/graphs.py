"""Real graphs for the contract suite, run in one colour."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, StateSnapshot, interrupt
from typing_extensions import TypedDict

from tests.colours import Coloured

Durability = Literal["sync", "async", "exit"]
DURABILITIES: tuple[Durability, ...] = ("sync", "async", "exit")
WRITERS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


class Runner:
    """A graph on a saver: `await runner.invoke(...)` runs it synchronously or not."""

    def __init__(self, coloured: Coloured, builder: StateGraph) -> None:
        self.graph = builder.compile(checkpointer=coloured.saver)
        self._sync = coloured.colour == "sync"

    async def invoke(self, given: Any, thread: str | dict[str, Any], **options: Any) -> Any:
        if self._sync:
            return self.graph.invoke(given, named(thread), **options)
        return await self.graph.ainvoke(given, named(thread), **options)

    async def state(self, thread: str | dict[str, Any], **options: Any) -> StateSnapshot:
        if self._sync:
            return self.graph.get_state(named(thread), **options)
        return await self.graph.aget_state(named(thread), **options)

    async def history(self, thread: str | dict[str, Any]) -> list[StateSnapshot]:
        if self._sync:
            return [*self.graph.get_state_history(named(thread))]
        return [one async for one in self.graph.aget_state_history(named(thread))]

    async def update(self, thread: str | dict[str, Any], values: Any, as_node: str) -> Any:
        if self._sync:
            return self.graph.update_state(named(thread), values, as_node)
        return await self.graph.aupdate_state(named(thread), values, as_node)


def named(thread: str | dict[str, Any], run: str | None = None) -> dict[str, Any]:
    """The config of a thread, and maybe of a run."""
    config = thread if isinstance(thread, dict) else {"configurable": {"thread_id": thread}}
    return config if run is None else {**config, "metadata": {"run_id": run}}


def parentless(snapshot: StateSnapshot) -> StateSnapshot:
    """The snapshot as it is once nothing older is left."""
    tasks = (
        task._replace(state=parentless(task.state))
        if isinstance(task.state, StateSnapshot)
        else task
        for task in snapshot.tasks
    )
    return snapshot._replace(parent_config=None, tasks=tuple(tasks))


class Log(TypedDict):
    turn: int
    log: Annotated[list[str], operator.add]


def _speak(name: str):
    def node(state: Log) -> dict[str, Any]:
        return {"log": [f"{name} {state['turn']} after {len(state['log'])}"]}

    return node


def _ask(state: Log) -> dict[str, Any]:
    return {"log": [f"answer: {interrupt('which?')}"]}


def chat(*, ask: bool = False) -> StateGraph:
    """Two nodes side by side, then one that may ask the user."""
    builder = StateGraph(Log)
    builder.add_node("left", _speak("left"))
    builder.add_node("right", _speak("right"))
    builder.add_node("last", _ask if ask else _speak("last"))
    builder.add_edge(START, "left")
    builder.add_edge(START, "right")
    builder.add_edge(["left", "right"], "last")
    return builder


class Calls(TypedDict):
    turn: int
    log: Annotated[list[str], operator.add]
    calls: Annotated[list[int], operator.add]


def counting(*, ask: bool = False) -> StateGraph:
    """A subgraph that counts its own calls in a channel the parent does not have."""

    def count(state: Calls) -> dict[str, Any]:
        calls = len(state["calls"]) + 1
        answer = interrupt("go on?") if ask else "ok"
        return {"calls": [calls], "log": [f"call {calls} {answer} in turn {state['turn']}"]}

    builder = StateGraph(Calls)
    builder.add_node("count", count)
    builder.add_edge(START, "count")
    return builder


def with_subgraphs(**subgraphs: Any) -> StateGraph:
    """A parent that runs the compiled subgraphs one after another."""
    builder = StateGraph(Log)
    before = START
    for name, subgraph in subgraphs.items():
        builder.add_node(name, subgraph)
        builder.add_edge(before, name)
        before = name
    return builder


def fold(state: list[str], writes: Sequence[list[str]]) -> list[str]:
    """An order-sensitive reducer: every write is numbered by its place."""
    folded = list(state)
    for write in writes:
        folded.extend(f"{len(folded)}:{part}" for part in write)
    return folded


def replayed(frequency: int, supersteps: int = 2) -> StateGraph:
    """Six writers side by side into one DeltaChannel, a few supersteps a turn.

    Args:
        frequency: Updates between two snapshots.
        supersteps: How often the six write in a turn.
    """

    channel = Annotated[list[str], DeltaChannel(fold, snapshot_frequency=frequency)]
    fields = {"turn": int, "step": int, "log": channel, "idle": channel}

    def write(name: str):
        def node(state: Any) -> dict[str, Any]:
            return {"log": [f"{name} {state['turn']}.{state['step']}", "x" * 40]}

        return node

    def begin(state: Any) -> dict[str, Any]:
        return {"step": 0, "idle": [f"turn {state['turn']}"]}

    def join(state: Any) -> dict[str, Any]:
        return {"step": state["step"] + 1}

    builder = StateGraph(TypedDict("State", fields))
    builder.add_node("begin", begin)
    builder.add_node("join", join)
    builder.add_edge(START, "begin")
    for name in WRITERS:
        builder.add_node(name, write(name))
        builder.add_edge("begin", name)
    builder.add_edge([*WRITERS], "join")
    builder.add_conditional_edges(
        "join",
        lambda state: (
            [Send(name, state) for name in WRITERS] if state["step"] < supersteps else END
        ),
        [*WRITERS, END],
    )
    return builder
