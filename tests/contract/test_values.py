"""Values of every kind LangGraph users keep come back as its own serializer gives them back."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import uuid

import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Send

from tests.checkpoints import Thread
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: list[int]


class Document(pydantic.BaseModel):
    title: str
    parts: list[str] = []


VALUES = {
    "none": None,
    "true": True,
    "integer": 2**63 - 1,
    "negative": -(2**63),
    "float": 0.1,
    "infinity": float("inf"),
    "empty text": "",
    "text": "naïve 🙂 \0 end",
    "bytes": b"\x00\xff" * 10,
    "bytearray": bytearray(b"abc"),
    "empty list": [],
    "empty dict": {},
    "tuple": (1, (2, 3)),
    "set": {1, 2, 3},
    "frozenset": frozenset("ab"),
    "integer keys": {1: "a", "1": "b"},
    "datetime": datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc),
    "date": datetime.date(2024, 2, 29),
    "timedelta": datetime.timedelta(days=1, microseconds=5),
    "uuid": uuid.UUID(int=7),
    "decimal": decimal.Decimal("1.10"),
    "enum": Colour.RED,
    "dataclass": Point(1, [2, 3]),
    "pydantic": Document(title="t", parts=["a", "b"]),
    "messages": [
        HumanMessage("hello", id="1"),
        AIMessage(
            "",
            id="2",
            tool_calls=[{"name": "f", "args": {"x": 1}, "id": "c", "type": "tool_call"}],
        ),
        ToolMessage("done", tool_call_id="c", id="3"),
    ],
    "send": Send("node", {"a": [1]}),
    "interrupt": Interrupt(value="why?", id="i"),
    "snapshot": _DeltaSnapshot(["a", "b"]),
    "large text": "a long story " * 3000,
    "large bytes": bytes(range(256)) * 100,
    "large list": [{"id": i, "content": f"message {i}" * 5} for i in range(500)],
    "large dict": {f"key {i}": list(range(i % 7)) for i in range(800)},
    "large messages": [HumanMessage("word " * 50, id=str(i)) for i in range(40)],
}


@pytest.mark.parametrize("name", VALUES)
async def test_a_value_comes_back(coloured: Coloured, name: str) -> None:
    value = VALUES[name]
    official = JsonPlusSerializer()
    expected = official.loads_typed(official.dumps_typed(value))
    thread = Thread(coloured)
    stored = await thread.put({"a": value})
    carried = await thread.put({"b": 1})
    await coloured.put_writes(stored, [("a", value)], "task")
    found = await coloured.get_tuple(stored)
    for got in (
        found.checkpoint["channel_values"]["a"],
        found.pending_writes[0][2],
        (await thread.state(carried))["a"],
    ):
        assert got == expected
        assert type(got) is type(expected)


async def test_a_value_that_cannot_be_serialized_stores_nothing(coloured: Coloured) -> None:
    thread = Thread(coloured)
    await thread.put({"a": 1})
    before = await coloured.list(None)
    with pytest.raises(TypeError):
        await thread.put({"a": object()})
    with pytest.raises(TypeError):
        await coloured.put_writes(before[0].config, [("a", 1), ("a", object())], "task")
    assert await coloured.list(None) == before
