"""One graph by itself: its copies and what it runs follow it, all others do not."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph

import lgckpt
from lgckpt import pregel
from tests.accelerate.scenarios import Items, chain
from tests.accelerate.test_switching import originals_are_back

CONFIG: Any = {"configurable": {"thread_id": "1"}}


def native(graph: Any, calls: Counter[str]) -> bool:
    """Whether runs of a graph are native, in both colours alike."""
    found = set()
    calls.clear()
    graph.invoke({"items": []})
    found.add(calls["apply_writes"] > 0)
    calls.clear()
    asyncio.run(graph.ainvoke({"items": []}))
    found.add(calls["apply_writes"] > 0)
    (answer,) = found
    return answer


def test_only_that_graph(calls: Counter[str]) -> None:
    one, other = chain("a").compile(), chain("a").compile()
    before = one.channels
    lgckpt.accelerate(one)
    assert native(one, calls)
    assert not native(other, calls)
    assert lgckpt.status().acceleration.scope == "graphs"
    assert "all other graphs" in lgckpt.status().acceleration.others
    lgckpt.decelerate(other)
    assert native(one, calls)
    lgckpt.decelerate(one)
    assert not native(one, calls)
    assert one.channels is before
    assert originals_are_back()


def test_all_and_one_do_not_get_in_each_others_way(calls: Counter[str]) -> None:
    one, other = chain("a").compile(), chain("a").compile()
    lgckpt.accelerate(one)
    with lgckpt.accelerated():
        assert native(one, calls)
        assert native(other, calls)
    assert native(one, calls)
    assert not native(other, calls)
    with lgckpt.accelerated(one):
        lgckpt.decelerate(one)
        assert native(one, calls)
    assert not native(one, calls)
    assert originals_are_back()


def test_decelerate_takes_back_every_graph(calls: Counter[str]) -> None:
    graphs = [chain("a").compile() for _ in range(3)]
    for graph in graphs:
        lgckpt.accelerate(graph)
    lgckpt.accelerate()
    lgckpt.decelerate()
    assert originals_are_back()
    assert not any(native(graph, calls) for graph in graphs)
    assert all(type(graph.channels) is dict for graph in graphs)


def test_copies_follow(calls: Counter[str]) -> None:
    graph = chain("a").compile()
    lgckpt.accelerate(graph)
    copy = graph.with_config(tags=["copied"])
    reference = weakref.ref(graph)
    del graph
    gc.collect()
    assert reference() is None
    assert native(copy, calls)
    lgckpt.decelerate(copy)
    assert not native(copy, calls)
    assert originals_are_back()


def test_a_graph_is_not_kept() -> None:
    graph = chain("a").compile()
    lgckpt.accelerate(graph)
    graph.invoke({"items": []})
    reference = weakref.ref(graph)
    del graph
    gc.collect()
    assert reference() is None
    assert lgckpt.status().acceleration.scope == "none"
    lgckpt.decelerate()
    assert originals_are_back()


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_what_its_nodes_run_follows_and_nothing_else(colour: str, calls: Counter[str]) -> None:
    """Subgraphs as nodes, called in nodes, and within those; not the same graph by itself."""
    ran: list[tuple[str, bool]] = []

    def look(name: str) -> Any:
        def node(state: Items, config: RunnableConfig) -> Items:
            read = config["configurable"]["__pregel_read"]
            ran.append((name, type(read.args[1]) is pregel.Channels))
            return {"items": [name]}

        return node

    def single(name: str) -> Any:
        builder: Any = StateGraph(Items)
        builder.add_node(name, look(name))
        builder.add_edge(START, name)
        return builder

    called = single("called").compile()

    def call(state: Items) -> Items:
        return {"items": called.invoke({"items": []})["items"]}

    middle = single("middle")
    middle.add_node("call", call)
    middle.add_edge("middle", "call")
    outer = single("outer")
    outer.add_node("inside", middle.compile())
    outer.add_edge("outer", "inside")
    graph = outer.compile(checkpointer=lgckpt.MemorySaver())
    lgckpt.accelerate(graph)

    def invoke(one: Any) -> None:
        if colour == "sync":
            one.invoke({"items": []}, CONFIG)
        else:
            asyncio.run(one.ainvoke({"items": []}, CONFIG))

    invoke(graph)
    assert ran == [("outer", True), ("middle", True), ("called", True)]
    ran.clear()
    invoke(called)
    assert ran == [("called", False)]


def test_the_other_way_round_nothing_leaks(calls: Counter[str]) -> None:
    """A plain graph whose node runs an accelerated one stays plain."""
    inner = chain("a").compile()
    lgckpt.accelerate(inner)
    builder: Any = StateGraph(Items)
    builder.add_node("inner", inner)
    builder.add_node("after", lambda state: {"items": ["after"]})
    builder.add_edge(START, "inner")
    builder.add_edge("inner", "after")
    calls.clear()
    inner.invoke({"items": []})
    alone = calls["apply_writes"]
    calls.clear()
    builder.compile().invoke({"items": []})
    assert calls["apply_writes"] == alone > 0


def test_nothing_leaks_between_the_events_of_a_stream(calls: Counter[str]) -> None:
    one, other = chain("a", "b", "c").compile(), chain("a").compile()
    lgckpt.accelerate(one)
    steps = 0
    for _ in one.stream({"items": []}):
        calls.clear()
        other.invoke({"items": []})
        assert not calls["apply_writes"]
        steps += 1
    assert steps == 3


def test_the_state_of_that_graph_is_read_and_changed_natively(calls: Counter[str]) -> None:
    graph = chain("a", "b").compile(checkpointer=lgckpt.MemorySaver(), interrupt_before=["b"])
    lgckpt.accelerate(graph)
    graph.invoke({"items": []}, CONFIG)
    calls.clear()
    assert graph.get_state(CONFIG).next == ("b",)
    assert calls["restore_channels"] == 1
    graph.update_state(CONFIG, {"items": ["updated"]})
    assert calls["apply_writes"] >= 1
    assert graph.invoke(None, CONFIG)["items"] == ["a", "updated", "b"]


def test_the_functional_api(calls: Counter[str]) -> None:
    @entrypoint()
    def double(n: int) -> int:
        return 2 * n

    lgckpt.accelerate(double)
    assert double.invoke(4) == 8
    assert calls["apply_writes"]


def test_only_a_compiled_graph_can_be() -> None:
    with pytest.raises(lgckpt.ConfigurationError, match="this is a StateGraph"):
        lgckpt.accelerate(chain("a"))
    with pytest.raises(lgckpt.ConfigurationError, match="this is a str"), lgckpt.accelerated("a"):  # type: ignore[arg-type]
        pass
    assert originals_are_back()
