"""Graphs and what is done with them, one function for each part of LangGraph."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.cache.memory import InMemoryCache
from langgraph.channels import DeltaChannel, EphemeralValue, Topic, UntrackedValue
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.managed import RemainingSteps
from langgraph.types import CachePolicy, Command, Overwrite, RetryPolicy, Send, interrupt
from pydantic import BaseModel

import lgckpt
from tests.accelerate.driver import Driver

SCENARIOS: dict[str, Callable[[Driver], None]] = {}


def scenario(function: Callable[[Driver], None]) -> Callable[[Driver], None]:
    SCENARIOS[function.__name__] = function
    return function


class Items(TypedDict, total=False):
    items: Annotated[list[Any], operator.add]
    last: Any


def chain(*nodes: str, state: Any = Items) -> Any:
    builder: Any = StateGraph(state)
    previous = START
    for name in nodes:
        builder.add_node(name, lambda state, name=name: {"items": [name], "last": name})
        builder.add_edge(previous, name)
        previous = name
    return builder


@scenario
def loop(d: Driver) -> None:
    builder: Any = StateGraph(Items)
    builder.add_node("agent", lambda state: {"items": [len(state["items"])]})
    builder.add_edge(START, "agent")
    builder.add_conditional_edges(
        "agent", lambda state: "agent" if len(state["items"]) < 6 else END, ["agent", END]
    )
    graph = d.compile(builder)
    d.stream(graph, {"items": ["start"]})
    d.state(graph)
    d.history(graph)
    d.checkpoints(graph)
    d.stream(graph, {"items": ["again"]}, durability="exit")
    d.invoke(graph, {"items": []}, {**d.config, "recursion_limit": 1})
    d.note(graph.get_graph().to_json())


@scenario
def parallel(d: Driver) -> None:
    builder: Any = StateGraph(Items)
    names = [f"branch{n}" for n in range(5)]
    for name in names:
        builder.add_node(name, lambda state, name=name: {"items": [name]})
        builder.add_edge(START, name)
    builder.add_node("join", lambda state: {"last": len(state["items"])})
    builder.add_edge(names, "join")
    builder.add_node("late", lambda state: {"items": ["late"]}, defer=True)
    builder.add_edge("branch0", "late")
    builder.add_edge("join", "late")
    graph = d.compile(builder)
    d.stream(graph, {"items": []}, ordered=False)
    d.history(graph)
    d.checkpoints(graph)


@scenario
def conflict(d: Driver) -> None:
    builder: Any = StateGraph(Items)
    for name in ("one", "two"):
        builder.add_node(name, lambda state, name=name: {"last": name})
        builder.add_edge(START, name)
    graph = d.compile(builder)
    d.stream(graph, {"items": []}, ordered=False)
    d.state(graph)
    d.history(graph)


@scenario
def failing_reducer(d: Driver) -> None:
    class State(TypedDict):
        items: Annotated[list[int], lambda old, new: old + [1 // n for n in new]]

    builder: Any = StateGraph(State)
    builder.add_node("one", lambda state: {"items": [1, 0]})
    builder.add_edge(START, "one")
    graph = d.compile(builder)
    d.stream(graph, {"items": [1]})
    d.state(graph)
    d.history(graph)


@scenario
def overwrite(d: Driver) -> None:
    builder: Any = StateGraph(Items)
    builder.add_node("one", lambda state: {"items": Overwrite(["reset"])})
    builder.add_node("two", lambda state: {"items": [2]})
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    d.stream(d.compile(builder), {"items": [1, 2, 3]})


@scenario
def sends(d: Driver) -> None:
    builder: Any = StateGraph(Items)
    builder.add_node("plan", lambda state: {"last": "planned"})
    builder.add_node("work", lambda given: {"items": [given["n"] * 10]})
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", lambda state: [Send("work", {"n": n}) for n in range(4)])
    builder.add_edge("work", END)
    graph = d.compile(builder)
    d.stream(graph, {"items": []}, ordered=False)
    d.history(graph)
    d.checkpoints(graph)


@scenario
def commands(d: Driver) -> None:
    def route(state: Items) -> Command[Literal["left", "right"]]:
        goto: Any = ["left", Send("right", {"items": ["sent"]})]
        return Command(goto=goto, update={"items": ["routed"], "last": "route"})

    def leave(state: Items) -> Command[Any]:
        return Command(graph=Command.PARENT, goto="right", update={"items": ["from inside"]})

    inner: Any = StateGraph(Items)
    inner.add_node("leave", leave)
    inner.add_edge(START, "leave")
    builder: Any = StateGraph(Items)
    builder.add_node("route", route)
    builder.add_node("left", inner.compile())
    builder.add_node("right", lambda state: {"items": [f"right of {len(state['items'])}"]})
    builder.add_edge(START, "route")
    graph = d.compile(builder)
    d.stream(graph, {"items": []}, ordered=False)
    d.stream(graph, Command(goto="right", update={"items": ["asked"]}), ordered=False)
    d.history(graph)


@scenario
def interrupts(d: Driver) -> None:
    def ask(state: Items) -> Items:
        first = interrupt("first?")
        second = interrupt({"second": first})
        return {"items": [first, second]}

    builder: Any = StateGraph(Items)
    builder.add_node("ask", ask)
    builder.add_node("other", lambda state: {"items": ["other"]})
    builder.add_node("after", lambda state: {"last": "after"})
    builder.add_edge(START, "ask")
    builder.add_edge(START, "other")
    builder.add_edge(["ask", "other"], "after")
    graph = d.compile(builder)
    d.stream(graph, {"items": []}, ordered=False)
    d.state(graph)
    d.stream(graph, Command(resume="yes"), ordered=False)
    d.state(graph)
    d.stream(graph, Command(resume="no", update={"items": ["updated"]}), ordered=False)
    d.stream(graph, Command(resume="too late"), ordered=False)
    d.history(graph)
    d.checkpoints(graph)


@scenario
def breakpoints(d: Driver) -> None:
    graph = d.compile(chain("a", "b", "c", "d"), interrupt_before=["b"], interrupt_after=["c"])
    for value in ({"items": ["in"]}, None, None, None):
        d.stream(graph, value)
        d.state(graph)
    d.history(graph)


@scenario
def time_travel(d: Driver) -> None:
    graph = d.compile(chain("a", "b", "c"))
    d.invoke(graph, {"items": ["in"]})
    states = d.history(graph)
    before_b = next(state for state in states if state.next == ("b",))
    d.stream(graph, None, before_b.config)
    fork = d.update(graph, {"items": ["forked"], "last": "fork"}, before_b.config, as_node="a")
    d.stream(graph, None, fork)
    d.update(graph, None, as_node=END)
    d.update(graph, {"items": ["end"]})
    d.history(graph)


@scenario
def subgraphs(d: Driver) -> None:
    def ask(state: Items) -> Items:
        return {"items": [interrupt("inside?")]}

    innermost: Any = StateGraph(Items)
    innermost.add_node("ask", ask)
    innermost.add_edge(START, "ask")
    inner: Any = StateGraph(Items)
    inner.add_node("innermost", innermost.compile())
    inner.add_node("count", lambda state: {"last": len(state["items"])})
    inner.add_edge(START, "innermost")
    inner.add_edge("innermost", "count")
    remembering = chain("x", "y").compile(checkpointer=True)
    builder: Any = StateGraph(Items)
    builder.add_node("inner", inner.compile())
    builder.add_node("called", lambda state: {"items": remembering.invoke({"items": []})["items"]})
    builder.add_edge(START, "inner")
    builder.add_edge("inner", "called")
    graph = d.compile(builder)
    d.stream(graph, {"items": ["in"]})
    d.state(graph)
    d.stream(graph, Command(resume="answer"))
    d.stream(graph, {"items": ["again"]})
    d.stream(graph, Command(resume="another"))
    d.state(graph)
    d.history(graph)
    d.checkpoints(graph)


@scenario
def functional(d: Driver) -> None:
    @task
    def double(n: int) -> int:
        return n * 2

    @task(retry_policy=RetryPolicy(max_attempts=1))
    def fail(n: int) -> int:
        raise ValueError(f"no {n}")

    @entrypoint(checkpointer=lgckpt.MemorySaver())
    def flow(n: int, *, previous: int | None = None) -> Any:
        doubled = [double(i).result() for i in range(n)]
        if n == 3:
            doubled.append(interrupt("how many?"))
        if n == 5:
            fail(n).result()
        total = sum(doubled) + (previous or 0)
        return entrypoint.final(value=doubled, save=total)

    graph = d.functional(flow)
    for value in (2, 3, Command(resume=100), 5, 4):
        d.stream(graph, value, stream_mode=["values", "updates", "custom", "tasks", "checkpoints"])
    d.state(graph)
    d.history(graph)


@scenario
def caching(d: Driver) -> None:
    calls: list[Any] = []

    def slow(state: Items) -> Items:
        calls.append(state["last"])
        return {"items": [state["last"]]}

    builder: Any = StateGraph(Items)
    builder.add_node("slow", slow, cache_policy=CachePolicy(key_func=lambda s: str(s["last"])))
    builder.add_edge(START, "slow")
    graph = d.compile(builder, cache=InMemoryCache(), checkpointer=None)
    for value in (1, 1, 2, 1):
        d.stream(graph, {"items": [], "last": value}, stream_mode=["values", "updates", "debug"])
    d.note(calls)


@scenario
def retries(d: Driver) -> None:
    attempts: list[int] = []

    def flaky(state: Items) -> Items:
        attempts.append(len(attempts))
        if len(attempts) % 3:
            raise ConnectionError(f"attempt {len(attempts)}")
        return {"items": [len(attempts)]}

    builder: Any = StateGraph(Items)
    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    builder.add_node("flaky", flaky, retry_policy=policy)
    builder.add_node("broken", lambda state: {"items": [1 / 0]})
    builder.add_edge(START, "flaky")
    builder.add_edge("flaky", "broken")
    graph = d.compile(builder)
    d.stream(graph, {"items": []})
    d.state(graph)
    d.stream(graph, None)
    d.note(attempts)


VARIABLE: ContextVar[str] = ContextVar("variable", default="unset")


@scenario
def contexts(d: Driver) -> None:
    def look(state: Items) -> Items:
        VARIABLE.set(VARIABLE.get() + "+")
        return {"items": [VARIABLE.get()]}

    builder: Any = StateGraph(Items)
    for name in ("one", "two"):
        builder.add_node(name, look)
        builder.add_edge(START, name)
    builder.add_node("three", look)
    builder.add_edge(["one", "two"], "three")
    token = VARIABLE.set("outside")
    try:
        d.stream(d.compile(builder), {"items": []}, ordered=False)
        d.note(VARIABLE.get())
    finally:
        VARIABLE.reset(token)


@scenario
def events(d: Driver) -> None:
    def talk(state: MessagesState) -> Any:
        get_stream_writer()({"custom": len(state["messages"])})
        model = GenericFakeChatModel(messages=iter([AIMessage("well now", id="said")]))
        return {"messages": [model.invoke(state["messages"])]}

    builder: Any = StateGraph(MessagesState)
    builder.add_node("talk", talk)
    builder.add_edge(START, "talk")
    graph = d.compile(builder)
    d.stream(graph, {"messages": [("user", "hello")]})
    d.stream(graph, {"messages": [("user", "more")]}, stream_mode="messages", subgraphs=False)
    d.state(graph)


def append(state: list[Any], writes: list[Any]) -> list[Any]:
    return [*state, *writes]


class Mixed(TypedDict, total=False):
    delta: Annotated[list[Any], DeltaChannel(append)]
    topic: Annotated[Any, Topic(int, accumulate=True)]
    fading: Annotated[Any, EphemeralValue(int)]
    untracked: Annotated[Any, UntrackedValue(object)]
    ours: Annotated[list[Any], lgckpt.channels.BinaryOperatorAggregate(list, operator.add)]
    steps: RemainingSteps
    items: Annotated[list[Any], operator.add]


@scenario
def mixed_channels(d: Driver) -> None:
    def write(state: Mixed) -> Mixed:
        seen = sorted(name for name in state if name != "steps")
        return {
            "delta": [seen],
            "topic": [len(seen)],
            "fading": 1,
            "untracked": "kept in memory",
            "ours": [state["steps"]],
            "items": [seen],
        }

    builder: Any = StateGraph(Mixed)
    for previous, name in ((START, "one"), ("one", "two"), ("two", "three")):
        builder.add_node(name, write)
        builder.add_edge(previous, name)
    graph = d.compile(builder)
    d.stream(graph, {"items": [0]}, interrupt_after=["two"])
    d.stream(graph, None)
    d.update(graph, {"delta": ["updated"], "ours": ["updated"]})
    d.state(graph)
    d.history(graph)
    d.checkpoints(graph)


class Model(BaseModel):
    items: Annotated[list[int], operator.add] = []
    name: str = "unnamed"


@scenario
def pydantic_state(d: Driver) -> None:
    builder: Any = StateGraph(Model)
    builder.add_node("one", lambda state: {"items": [len(state.name)], "name": "named"})
    builder.add_node("two", lambda state: {"name": "x" * len(state.items)})
    builder.add_edge(START, "one")
    builder.add_edge("one", "two")
    graph = d.compile(builder)
    d.stream(graph, {"items": [1]}, stream_mode=["values", "updates", "tasks"])
    d.stream(graph, {"items": "wrong"}, stream_mode=["values"])
    d.state(graph)
