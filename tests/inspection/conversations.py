"""Threads to look into: a conversation with tools, objects of all kinds, a fork."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from lgckpt.saver import Saver
from tests.checkpoints import Thread, config
from tests.colours import Coloured


@dataclasses.dataclass
class Plan:
    goal: str
    parts: list[Any]


class Mood(enum.Enum):
    GOOD = "good"


def messages(count: int) -> list[Any]:
    """The first messages of the conversation."""
    call = {"id": "call-1", "name": "search", "args": {"query": "weather [bold]Paris[/bold]"}}
    whole = [
        HumanMessage("What is the weather in Paris?", id="h1"),
        AIMessage("Let me look.", id="a1", tool_calls=[call]),
        ToolMessage("21 degrees", tool_call_id="call-1", name="search", id="t1"),
        AIMessage("It is 21 degrees.", id="a2"),
    ]
    return whole[:count]


OBJECTS: dict[str, Any] = {
    "plan": Plan("find out", [1, {"a": "b"}]),
    "mood": Mood.GOOD,
    "when": datetime.datetime(2024, 1, 2, 3, 4, 5),
    "id": uuid.UUID(int=7),
    "price": decimal.Decimal("1.50"),
    "raw": b"\x00\xff",
    "nothing": None,
    "tags": {"x"},
    "by_number": {1: "one"},
    "hostile": "\x1b[31mred\x1b[0m \x9b2J \u202eturned [red]markup[/red]",
    "document": "".join(f"line {n} of the document\n" for n in range(400)),
}


async def talk(saver: Saver, thread_id: str = "talk") -> list[str]:
    """Store it; gives the checkpoints' ids, oldest first, a fork from the second the last."""
    thread = Thread(Coloured(saver, "async"), thread_id)
    made = []
    for count in range(1, 5):
        changed: dict[str, Any] = {"messages": messages(count)}
        if count == 1:
            changed.update(OBJECTS)
        put = await thread.put(changed, run_id=f"run {count}")
        made.append(put["configurable"]["checkpoint_id"])
        await saver.aput_writes(put, [("messages", messages(count)[-1:])], f"task-{count}")
    fork = Thread(Coloured(saver, "async"), thread_id)
    fork.config = config(thread_id, made[1])
    fork.versions, fork.values = {"messages": 2}, {"messages": messages(2)}
    put = await fork.put({"messages": [*messages(1), AIMessage("Let me look!", id="a1")]})
    return [*made, put["configurable"]["checkpoint_id"]]
