"""A conversation that grows: a person asks, the model calls a tool, the tool reports."""

from __future__ import annotations

from langchain_core.messages import AnyMessage

from lgckpt.loadtest.calls import Script
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread

TURNS = (3, 24)
"""How many questions a conversation has, at least and at most; four messages each."""


def chat(thread: Thread, talk: Talk) -> Script:
    """A chat: one superstep a message, each turn begun by reading what was said before."""
    said: list[AnyMessage] = [talk.system()]
    for _ in range(talk.random.randint(*TURNS)):
        if thread.checkpoint_id is not None:
            yield thread.get()
        said = [*said, talk.human()]
        yield thread.put(
            {"messages": said, "branch:to:agent": None}, node="__start__", source="input"
        )
        request = talk.request()
        yield thread.writes([("messages", [request]), ("branch:to:tools", None)])
        said = [*said, request]
        yield thread.put(
            {"messages": said, "branch:to:tools": None}, node="agent", gone=["branch:to:agent"]
        )
        report = talk.result(request)
        yield thread.writes([("messages", [report]), ("branch:to:agent", None)])
        said = [*said, report]
        yield thread.put(
            {"messages": said, "branch:to:agent": None}, node="tools", gone=["branch:to:tools"]
        )
        answer = talk.answer()
        yield thread.writes([("messages", [answer])])
        said = [*said, answer]
        yield thread.put({"messages": said}, node="agent", gone=["branch:to:agent"])
    yield thread.get()
    yield thread.history(limit=20)
