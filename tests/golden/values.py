"""The values whose bytes are kept for ever: each release adds a file, none is written again."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import re
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Interrupt, Send
from pydantic import BaseModel

NOW = dt.datetime(2024, 2, 29, 12, 34, 56, 789)


class Shade(enum.Enum):
    DARK = "dark"


@dataclass
class Order:
    number: int
    lines: list[str] = field(default_factory=list)


class Customer(BaseModel):
    name: str
    age: int | None = None


def values() -> dict[str, Any]:
    """The values by name."""
    return {
        "none": None,
        "bytes": b"abc" * 200,
        "bytearray": bytearray(b"abc" * 200),
        "numbers": [0, -1, 127, 128, -33, 2**31, 2**63, -(2**63), 1.5, float("inf"), True, None],
        "texts": ["", "a" * 40, "\xe9", "\u20ac", "\U0001f600", "x" * 300],
        "containers": {"a": [1, {"b": [2]}], "c": {}, "d": []},
        "keys": {1: "a", None: "b", 2.5: "c", b"k": "d", (1, "x"): "e", False: "f"},
        "times": [
            NOW,
            NOW.replace(tzinfo=dt.timezone.utc),
            NOW.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5))),
            NOW.date(),
            dt.time(1, 2, 3, 4),
            dt.timedelta(days=-1, microseconds=5),
        ],
        "standard library": [
            uuid.UUID(int=5),
            decimal.Decimal("1.50"),
            re.compile("a+", re.I),
            ipaddress.ip_address("1.2.3.4"),
            {1},
            frozenset([2]),
            deque([1, 2]),
        ],
        "objects": [Shade.DARK, Order(1, ["a"]), Customer(name="ann", age=5), Customer(name="bob")],
        "messages": [
            SystemMessage("be nice"),
            HumanMessage("hi", id="1"),
            AIMessage(
                "ok",
                tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c"}],
                usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
            ),
            ToolMessage("res", tool_call_id="c", artifact={"n": [1, 2]}),
            Document(page_content="text", metadata={"a": 1}),
        ],
        "langgraph": [Send("n", {"a": 1}), Interrupt(value=1, id="x"), _DeltaSnapshot([1])],
        "array": np.arange(6, dtype="<i4").reshape(2, 3),
        "repetitive": ["the same text again and again"] * 100,
    }
