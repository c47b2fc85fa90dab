"""A support agent: a chat model, tools that run side by side, a subgraph, a human's approval."""

from __future__ import annotations

import time

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send, interrupt

from examples.journal import Journal
from examples.model import ScriptedModel

THREAD_ID = "complaint-1042"
THREAD: RunnableConfig = {"configurable": {"thread_id": THREAD_ID}}
COMPLAINT = "My order 1042 arrived broken. I want my money back."
SLOW_SECONDS = 1.0

Agent = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]


def build_agent(saver: BaseCheckpointSaver[str], journal: Journal) -> Agent:
    """Compile the agent; `checkpointer=saver` is all that lgckpt needs."""
    tools = _tools(journal)
    model = ScriptedModel().bind_tools(tools)

    def agent(state: MessagesState) -> dict[str, list[AIMessage]]:
        action = f"model call {1 + sum(m.type == 'ai' for m in state['messages'])}"
        journal.began(action)
        reply = model.invoke(state["messages"])
        journal.finished(action)
        return {"messages": [reply]}

    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_node("tools", ToolNode(tools))
    builder.add_node("review", _review(journal))
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", _route, ["tools", "review", END])
    builder.add_edge("tools", "agent")
    builder.add_edge("review", "agent")
    return builder.compile(checkpointer=saver)


def _route(state: MessagesState) -> str | list[Send]:
    """Send every tool call to a task of its own, so that each is remembered by itself."""
    last = state["messages"][-1]
    calls = last.tool_calls if isinstance(last, AIMessage) else []
    if not calls:
        return END
    if calls[0]["name"] == "risk_review":
        return "review"
    return [Send("tools", [call]) for call in calls]


def _tools(journal: Journal) -> list[BaseTool]:
    @tool
    def look_up_order(order: str) -> str:
        """Look an order up."""
        journal.began(f"look_up_order {order}")
        journal.finished(f"look_up_order {order}")
        return f"Order {order}: one teapot, 48.00 EUR, left at the door on 3 May."

    @tool
    def inspect_photo(order: str) -> str:
        """Inspect the customer's photo, which takes a while."""
        journal.began(f"inspect_photo {order}")
        time.sleep(SLOW_SECONDS)
        journal.finished(f"inspect_photo {order}")
        return "The photo shows a teapot without its spout."

    @tool
    def check_stock(order: str) -> str:
        """See whether a replacement is in stock."""
        journal.began(f"check_stock {order}")
        journal.finished(f"check_stock {order}")
        return "No teapot left."

    @tool
    def refund(order: str) -> str:
        """Pay the price back, once a human has approved."""
        answer = interrupt(f"Refund 48.00 EUR for order {order}?")
        if answer != "approve":
            return "refund refused"
        journal.began(f"refund {order}")
        journal.finished(f"refund {order}")
        return "48.00 EUR paid back"

    return [look_up_order, inspect_photo, check_stock, refund]


class ReviewState(MessagesState):
    """The subgraph's state: the agent's messages and a key of its own."""

    signed: bool


def _review(journal: Journal) -> CompiledStateGraph[ReviewState, None, ReviewState, ReviewState]:
    def collect(state: ReviewState) -> dict[str, bool]:
        journal.began("review: collect")
        signed = any("signed for" in str(message.content) for message in state["messages"])
        journal.finished("review: collect")
        return {"signed": signed}

    def judge(state: ReviewState) -> dict[str, list[ToolMessage]]:
        journal.began("review: judge")
        risk = "high" if state["signed"] else "low"
        call = state["messages"][-1].tool_calls[0]  # type: ignore[union-attr]
        journal.finished("review: judge")
        verdict = ToolMessage(f"risk: {risk}", name="risk_review", tool_call_id=call["id"])
        return {"messages": [verdict]}

    builder = StateGraph(ReviewState)
    builder.add_node("collect", collect)
    builder.add_node("judge", judge)
    builder.add_edge(START, "collect")
    builder.add_edge("collect", "judge")
    return builder.compile()
