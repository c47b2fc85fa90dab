"""Many parallel tasks, each with a small write of its own."""

from __future__ import annotations

from typing import Any

from lgckpt.loadtest.calls import Script, Together
from lgckpt.loadtest.messages import Talk
from lgckpt.loadtest.thread import Thread

TASKS = (16, 96)
ROUNDS = (2, 5)


def fanout(thread: Thread, talk: Talk) -> Script:
    """Map and reduce, a few times: a plan, a write a task, what they found together."""
    yield thread.put({"topics": [], "results": [], "total": 0}, node="__start__", source="input")
    results: list[dict[str, Any]] = []
    for _ in range(talk.random.randint(*ROUNDS)):
        topics = [talk.prose.sentence() for _ in range(talk.random.randint(*TASKS))]
        yield thread.put({"topics": topics}, node="plan")
        found = [
            {
                "topic": topic,
                "score": round(talk.random.random(), 6),
                "n": talk.random.randint(0, 999),
            }
            for number, topic in enumerate(topics)
        ]
        yield Together(
            [
                thread.writes([("results", [one])], path=f"~__pregel_push, {number:03}")
                for number, one in enumerate(found)
            ]
        )
        # As LangGraph does that is started again: the writes are there, no task runs twice.
        yield thread.get()
        results = [*results, *found]
        yield thread.put({"results": results, "total": len(results)}, node="work")
    yield thread.get()
    yield thread.history(limit=5)
