"""Whole graphs with nodes that do next to nothing, so that what is timed is all around them."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph import END, START, StateGraph

from benchmarks.savers import Saver


class Chat(TypedDict):
    """A conversation."""

    messages: Annotated[list[AnyMessage], operator.add]


class Results(TypedDict):
    """What parallel branches found."""

    results: Annotated[list[int], operator.add]
    total: int


def chat(saver: Saver, conversation: list[AnyMessage]) -> Any:
    """A loop: each superstep appends the next message of a conversation."""

    def agent(state: Chat) -> dict[str, Any]:
        return {"messages": [conversation[len(state["messages"])]]}

    def following(state: Chat) -> str:
        return "agent" if len(state["messages"]) < len(conversation) else END

    builder = StateGraph(Chat)
    builder.add_node("agent", agent)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", following, ["agent", END])
    return builder.compile(checkpointer=saver)


def parallel(saver: Saver, branches: int) -> Any:
    """A superstep of many branches, and one that sums up what they found."""
    builder = StateGraph(Results)
    names = [f"branch{n:03}" for n in range(branches)]
    for number, name in enumerate(names):
        builder.add_node(name, _finding(number))
        builder.add_edge(START, name)
    builder.add_node("join", lambda state: {"total": sum(state["results"])})
    builder.add_edge(names, "join")
    return builder.compile(checkpointer=saver)


def _finding(number: int) -> Any:
    def branch(state: Results) -> dict[str, Any]:
        return {"results": [number]}

    return branch
