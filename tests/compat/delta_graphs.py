"""Real graphs whose state is kept twice: by a DeltaChannel, and plainly beside it.

The two must be equal at every checkpoint, which tells a wrong replay without a model of it.
"""

import operator
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from langchain_core.runnables import RunnableConfig, RunnableLambda
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send, interrupt
from typing_extensions import TypedDict

Build = Callable[[Any], Any]
"""Compiles a graph with a saver."""

NEVER = 100_000
"""A snapshot frequency that no test reaches."""


def extend(current: list[Any], updates: Sequence[list[Any]]) -> list[Any]:
    """An order-sensitive reducer."""
    return [*current, *(item for update in updates for item in update)]


def both(*items: str) -> dict[str, list[str]]:
    """The same update for the DeltaChannel and for its plain twin."""
    return {"log": list(items), "plain": list(items)}


def schema(frequency: int) -> type:
    """State with the twins `log` and `plain`."""

    class State(TypedDict, total=False):
        log: Annotated[list, DeltaChannel(extend, list, snapshot_frequency=frequency)]
        plain: Annotated[list, operator.add]

    return State


def say(name: str) -> Callable[[Any], dict[str, list[str]]]:
    """A node that adds its name and how long the list was."""
    return lambda state: both(f"{name}{len(state['plain'])}")


def chain(frequency: int) -> Build:
    """Two nodes, one after the other."""

    def build(saver: Any) -> Any:
        builder = StateGraph(schema(frequency))
        builder.add_node("a", say("a"))
        builder.add_node("b", say("b"))
        builder.add_edge(START, "a")
        builder.add_edge("a", "b")
        builder.add_edge("b", END)
        return builder.compile(checkpointer=saver)

    return build


def parallel(frequency: int, writers: int, rounds: int) -> Build:
    """Parallel writers in every superstep, for `rounds` supersteps in one run.

    Writers have names in no order and bring two items, so that replay by task id shows.
    """

    def build(saver: Any) -> Any:
        builder = StateGraph(schema(frequency))
        names = [f"w{(i * 7) % writers}" for i in range(writers)]
        builder.add_node("turn", lambda state: None, defer=True)
        for name in names:
            builder.add_node(name, _two_items(name))
            builder.add_edge(START, name)
            builder.add_edge(name, "turn")
        done = 2 * writers * rounds
        builder.add_conditional_edges(
            "turn", lambda state: END if len(state["plain"]) >= done else names, [*names, END]
        )
        return builder.compile(checkpointer=saver)

    return build


def _two_items(name: str) -> Callable[[Any], dict[str, list[str]]]:
    return lambda state: both(f"{name}.{len(state['plain'])}", f"{name}.last")


def sends(frequency: int) -> Build:
    """A fan-out of one node by Send, twelve at once."""

    def build(saver: Any) -> Any:
        builder = StateGraph(schema(frequency))
        builder.add_node("worker", _work)
        builder.add_conditional_edges(
            START, lambda state: [Send("worker", f"send{i}") for i in range(12)], ["worker"]
        )
        builder.add_edge("worker", END)
        return builder.compile(checkpointer=saver)

    return build


def _work(item: str) -> dict[str, list[str]]:
    return both(item)


def several(frequencies: dict[str, int]) -> Build:
    """One DeltaChannel a frequency, so that each has its seed at another ancestor.

    The first is the plain one's twin.
    """

    def build(saver: Any) -> Any:
        fields = {
            name: Annotated[list, DeltaChannel(extend, list, snapshot_frequency=frequency)]
            for name, frequency in frequencies.items()
        }
        state = TypedDict("State", {**fields, "plain": Annotated[list, operator.add]})
        builder = StateGraph(state)
        first, *rest = frequencies
        builder.add_node("first", lambda state: {first: ["first"], "plain": ["first"]})
        builder.add_node("rest", lambda state: {name: ["x"] for name in rest})
        builder.add_edge(START, "first")
        builder.add_edge("first", "rest")
        return builder.compile(checkpointer=saver)

    return build


def nested(frequency: int, checkpointer: bool | None) -> Build:
    """A subgraph with a DeltaChannel of its own; True keeps its state from call to call."""

    def build(saver: Any) -> Any:
        inner = StateGraph(schema(frequency))
        inner.add_node("x", say("x"))
        inner.add_node("y", say("y"))
        inner.add_edge(START, "x")
        inner.add_edge("x", "y")
        builder = StateGraph(schema(frequency))
        builder.add_node("before", say("before"))
        builder.add_node("inner", _calling(inner.compile(checkpointer=checkpointer)))
        builder.add_edge(START, "before")
        builder.add_edge("before", "inner")
        return builder.compile(checkpointer=saver)

    return build


def _calling(inner: Any) -> Any:
    """A node that hands the subgraph one item and keeps the last of what it made."""

    def call(state: Any, config: RunnableConfig) -> dict[str, list[str]]:
        made = inner.invoke(both(f"to{len(state['plain'])}"), config)
        assert made["log"] == made["plain"]
        return both(made["log"][-1])

    async def acall(state: Any, config: RunnableConfig) -> dict[str, list[str]]:
        made = await inner.ainvoke(both(f"to{len(state['plain'])}"), config)
        assert made["log"] == made["plain"]
        return both(made["log"][-1])

    return RunnableLambda(call, acall)


def asking(frequency: int) -> Build:
    """Two parallel nodes of which one interrupts, then a third."""

    def build(saver: Any) -> Any:
        builder = StateGraph(schema(frequency))
        builder.add_node("said", say("said"))
        builder.add_node("asked", lambda state: both(interrupt("?")))
        builder.add_node("after", say("after"))
        builder.add_edge(START, "said")
        builder.add_edge(START, "asked")
        builder.add_edge(["said", "asked"], "after")
        return builder.compile(checkpointer=saver)

    return build
