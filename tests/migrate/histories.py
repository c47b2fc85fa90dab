"""Threads with everything in them that a layout holds, written by any saver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command

from tests.checkpoints import checkpoint, config
from tests.colours import Coloured
from tests.contract.graphs import Runner, chat, counting, named, replayed, with_subgraphs


@dataclass
class Place:
    """A user's own class, among the values."""

    name: str
    at: tuple[float, float]


ODD = "odd 'thread' \"%_;\u00e9\U0001f642"
LONG = "a text of some length, " * 400
VALUES: dict[str, Any] = {
    "none": None,
    "yes": True,
    "number": -(2**40),
    "large number": 2**63,
    "float": 0.25,
    "text": LONG,
    "bytes": b"\0\xff" * 3000,
    "list": [{"id": i, "text": f"{i} " * 20} for i in range(200)],
    "messages": [HumanMessage("hello", id="1"), AIMessage(LONG, id="2")],
    "place": Place("here", (1.5, 2.5)),
    "empty": [],
}


def graphs() -> dict[str, Any]:
    """Each graph, by the thread it has."""
    return {
        "asking": chat(ask=True),
        "calls": with_subgraphs(
            each=counting(ask=True).compile(), kept=counting().compile(checkpointer=True)
        ),
        "replayed": replayed(3),
        "never": replayed(1000),
    }


async def live(saver: Any) -> None:
    """Fill a saver; every graph stops where it can go on."""
    coloured = Coloured(saver, "sync")
    for thread, builder in graphs().items():
        runner = Runner(coloured, builder)
        for turn in (1, 2):
            await runner.invoke({"turn": turn}, named(thread, f"run {turn}"))
        if thread == "asking":
            older = (await runner.history(thread))[-2]
            forked = await runner.update(older.config, {"log": ["a fork"]}, "left")
            await runner.invoke(None, forked)
    by_hand(saver)


def by_hand(saver: Any) -> None:
    """What no graph does: odd names, writes of several kinds, large values that stay."""
    at = config(ODD, ns="n:1|\u00e9")
    versions = dict.fromkeys(VALUES, f"{1:032}.5")
    for step in range(4):
        versions["text"] = f"{step + 1:032}.5"
        values = {**VALUES, "text": f"{step}{LONG}"}
        made = checkpoint(values, dict(versions), id=f"\u00df{step}")
        new = {"text": versions["text"]} if step else dict(versions)
        at = saver.put(at, made, {"source": "loop", "step": step, "deep": {"a": [1, None]}}, new)
        saver.put_writes(at, [("text", LONG), ("list", VALUES["list"])], "task", "~b")
        saver.put_writes(at, [("text", step), ("place", VALUES["place"])], "other", "~a, 0")
        saver.put_writes(at, [("__error__", "it failed")], "task", "~b")
    saver.put_writes(config("writes alone", "1"), [("text", "early")], "task")


async def go_on(saver: Any) -> dict[str, Any]:
    """Continue every graph; gives the state of each."""
    coloured = Coloured(saver, "sync")
    found = {}
    for thread, builder in graphs().items():
        runner = Runner(coloured, builder)
        if (await runner.state(thread)).interrupts:
            await runner.invoke(Command(resume="yes"), thread)
        await runner.invoke({"turn": 3}, thread)
        snapshot = await runner.state(thread)
        found[thread] = snapshot.values, snapshot.next
    return found
