"""A human in the loop: interrupts, long pauses, resumes, and looks back in time."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.serde.types import INTERRUPT, RESUME

from lgckpt.loadtest.calls import Pause, Script
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread

APPROVALS = (2, 6)
PAUSE = 1.0
"""Mean seconds that a person takes: much less than people do, so that a short run has resumes."""


def hitl(thread: Thread, talk: Talk) -> Script:
    """Asks for approval, waits, goes on; now and then back to an earlier point."""
    said: list[Any] = [talk.system(), talk.human()]
    yield thread.put({"messages": said, "approved": []}, node="__start__", source="input")
    approved: list[str] = []
    for _ in range(talk.random.randint(*APPROVALS)):
        request = talk.request()
        said = [*thread.values["messages"], request]
        yield thread.writes([("messages", [request])])
        yield thread.put({"messages": said}, node="agent")
        task = thread.uuid()
        asked = {"value": {"approve": request.tool_calls}, "id": task.replace("-", "")}
        yield thread.writes([(INTERRUPT, [asked])], task_id=task)
        yield Pause(talk.random.expovariate(1 / PAUSE))
        yield thread.get()
        yield thread.writes([(RESUME, ["approve"])], task_id=task)
        result = talk.result(request)
        yield thread.writes([("messages", [result]), ("approved", [task])], task_id=task)
        approved = [*thread.values["approved"], task]
        yield thread.put({"messages": [*said, result], "approved": approved}, node="tools")
        if talk.random.random() < 0.4:
            yield from _look_back(thread, talk)
    yield thread.get()
    yield thread.history()


def _look_back(thread: Thread, talk: Talk) -> Script:
    """Reads the past; half of the time goes on from there."""
    yield thread.history(limit=10)
    then = talk.random.choice(thread.ids)
    yield thread.get(then)
    if talk.random.random() < 0.5:
        yield thread.history(limit=3, before=then)
        return
    thread.resume_from(then)
    changed = [*thread.values["messages"], talk.human()]
    yield thread.put({"messages": changed}, node="agent", source="fork")
