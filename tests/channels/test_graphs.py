"""Graphs with our channels give what they give with LangGraph's."""

from __future__ import annotations

import operator
from types import ModuleType
from typing import Annotated, Any

import pytest
from langgraph import channels as theirs
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Overwrite, Send, interrupt
from typing_extensions import TypedDict

from lgckpt import MemorySaver
from lgckpt import channels as ours
from tests.channels.kinds import NATIVE

MODULES = (ours, theirs)


def append(state: list[Any], writes: list[Any]) -> list[Any]:
    return state + [item for write in writes for item in write]


def state_of(module: ModuleType) -> Any:
    """A state with every kind of channel that a node can write to."""
    return TypedDict(
        "State",
        {
            "last": Annotated[int, module.LastValue(int)],
            "total": Annotated[list, module.BinaryOperatorAggregate(list, operator.add)],
            "messages": Annotated[list, module.BinaryOperatorAggregate(list, add_messages)],
            "topic": Annotated[list, module.Topic(str)],
            "all": Annotated[list, module.Topic(str, accumulate=True)],
            "brief": Annotated[int, module.EphemeralValue],
            "any": Annotated[int, module.AnyValue],
            "delta": Annotated[list, DeltaChannel(append)],
            "plain": str,
            "plain_total": Annotated[list, operator.add],
        },
    )


def branch(name: str) -> Any:
    def node(state: Any) -> dict[str, Any]:
        return {
            "total": [name, state.get("brief")],
            "topic": name,
            "all": [name],
            "any": 7,
            "delta": [name],
            "messages": [("ai", name)],
        }

    return node


def graph_of(module: ModuleType, saver: Any) -> Any:
    builder = StateGraph(state_of(module))
    builder.add_node("first", lambda state: {"last": state["last"] + 1, "brief": 9, "plain": "p"})
    for name in "abc":
        builder.add_node(name, branch(name))
    builder.add_node("gather", lambda state: {"total": Overwrite([len(state["total"])])})
    builder.add_node("late", lambda state: {"last": len(state["all"])}, defer=True)
    builder.add_node("sent", lambda state: {"total": [state["item"]]})
    builder.add_edge(START, "first")
    builder.add_conditional_edges(
        "gather", lambda state: [Send("sent", {"item": i}) for i in range(3)], ["sent"]
    )
    for name in "abc":
        builder.add_edge("first", name)
    builder.add_edge(["a", "b", "c"], "gather")
    builder.add_edge("first", "late")
    builder.add_edge("sent", "late")
    builder.add_edge("late", END)
    return builder.compile(checkpointer=saver)


def plain(messages: Any) -> Any:
    return [(message.type, message.content) for message in messages]


def run(module: ModuleType, saver: Any) -> list[Any]:
    graph = graph_of(module, saver)
    config = {"configurable": {"thread_id": "1"}}
    found: list[Any] = []
    for turn in range(3):
        given = {"last": turn, "total": ["in"], "all": "in", "delta": ["in"]}
        for update in graph.stream(given, config, stream_mode="values"):
            update["messages"] = plain(update.get("messages", ()))
            found.append(update)
    graph.update_state(config, {"last": 50, "topic": ["x", "y"]}, as_node="late")
    for snapshot in graph.get_state_history(config):
        snapshot.values["messages"] = plain(snapshot.values.get("messages", ()))
        found.append((snapshot.values, snapshot.next, snapshot.metadata))
    return found


@pytest.mark.parametrize("saver", [InMemorySaver, MemorySaver])
def test_a_graph_of_every_kind(saver: Any) -> None:
    found = run(ours, saver())
    assert found == run(theirs, saver())
    assert len(found) > 30


def test_threads_move_between_ours_and_langgraphs() -> None:
    config = {"configurable": {"thread_id": "1"}}
    saver = InMemorySaver()
    values = {}
    for module in (theirs, ours, theirs):
        graph_of(module, saver).invoke({"last": 1, "all": "in"}, config)
    alone = InMemorySaver()
    for _ in range(3):
        graph_of(theirs, alone).invoke({"last": 1, "all": "in"}, config)
    for name, kept in (("mixed", saver), ("alone", alone)):
        values[name] = graph_of(ours, kept).get_state(config).values
        values[name]["messages"] = plain(values[name]["messages"])
    assert values["mixed"] == values["alone"]


@pytest.mark.skipif(not NATIVE, reason="without the core the classes are LangGraph's")
def test_the_channels_of_a_run_are_native() -> None:
    graph = graph_of(ours, None)
    kinds = {name: type(channel).__module__ for name, channel in graph.channels.items()}
    assert kinds["last"] == kinds["total"] == kinds["brief"] == "lgckpt.channels"
    assert type(graph.channels["brief"]) is ours.EphemeralValue


@pytest.mark.parametrize("module", MODULES)
def test_two_values_in_a_step_are_refused_with_langgraphs_words(module: ModuleType) -> None:
    builder = StateGraph(TypedDict("State", {"one": Annotated[int, module.LastValue(int)]}))
    for name in "ab":
        builder.add_node(name, lambda state: {"one": 1})
        builder.add_edge(START, name)
    with pytest.raises(InvalidUpdateError, match=r"At key 'one': Can receive only one value"):
        builder.compile().invoke({"one": 0})


@pytest.mark.parametrize("module", MODULES)
def test_interrupts_and_commands(module: ModuleType) -> None:
    adds = module.BinaryOperatorAggregate(list, operator.add)
    builder = StateGraph(TypedDict("State", {"all": Annotated[list, adds]}))
    builder.add_node("ask", lambda state: Command(update={"all": [interrupt("?")]}, goto="end"))
    builder.add_node("end", lambda state: {"all": ["end"]})
    builder.add_edge(START, "ask")
    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "1"}}
    assert graph.invoke({"all": ["in"]}, config)["all"] == ["in"]
    assert graph.invoke(Command(resume="yes"), config)["all"] == ["in", "yes", "end"]


@pytest.mark.anyio
@pytest.mark.parametrize("module", MODULES)
async def test_a_pregel_of_its_own(module: ModuleType) -> None:
    shout = NodeBuilder().subscribe_only("in").do(str.upper).write_to("words", "last")
    echo = NodeBuilder().subscribe_only("last").do(lambda text: text * 2).write_to("words")
    app: Any = Pregel(
        nodes={"shout": shout, "echo": echo},
        channels={
            "in": module.EphemeralValue(str),
            "last": module.LastValue(str),
            "words": module.Topic(str, accumulate=True),
        },
        input_channels=["in"],
        output_channels=["words"],
    )
    assert await app.ainvoke({"in": "a"}) == {"words": ["A", "AA"]}
