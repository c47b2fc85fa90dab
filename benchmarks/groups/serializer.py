"""lgckpt.Serializer beside JsonPlusSerializer, and beside ormsgpack alone for plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt
from benchmarks.rows import Goal, Kind, Result, Row
from benchmarks.runner import Settings, measure
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.values import Customer, Shipment, customers, plain, shipments

GROUP = "serializer"
_ALLOWED = [(kind.__module__, kind.__name__) for kind in (Customer, Shipment)]
# The options JsonPlusSerializer gives ormsgpack.
_UNPACK = ormsgpack.OPT_NON_STR_KEYS
_PACK = (
    ormsgpack.OPT_NON_STR_KEYS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_REPLACE_SURROGATES
)


def run(settings: Settings) -> list[Result]:
    """Time every row, both directions."""
    return [measure(GROUP, row, settings) for row in rows(self_check=settings.self_check)]


def rows(*, self_check: bool = False) -> list[Row]:
    """The table of serializer workloads."""
    official = JsonPlusSerializer(allowed_msgpack_modules=_ALLOWED)
    ours = (
        official
        if self_check
        else lgckpt.Serializer(compression=None, allowed_msgpack_modules=_ALLOWED)
    )
    found: list[Row] = []
    for name, value, encode, decode in (
        ("100 mixed chat messages", conversation(100), (5, 8), (4, 6)),
        ("100 dataclasses", shipments(), (10, 25), (3, 6)),
        ("100 flat pydantic models", customers(), (2, 5), (2, 4)),
    ):
        found += _objects(name, value, ours, official, Goal(Kind.FASTER, *encode), decode)
    for name, value in plain().items():
        found += _plain(name, value, ours)
    return found


def _objects(
    name: str, value: Any, ours: Any, official: Any, encode: Goal, decode: tuple[int, int]
) -> list[Row]:
    typed = official.dumps_typed(value)
    return [
        Row(
            name=f"encode {name}",
            ours=_call(ours.dumps_typed, value),
            official=_call(official.dumps_typed, value),
            goal=encode,
            unit="us",
            check=_equal,
        ),
        Row(
            name=f"decode {name}",
            ours=_call(ours.loads_typed, typed),
            official=_call(official.loads_typed, typed),
            goal=Goal(Kind.FASTER, *decode),
            unit="us",
            check=_equal,
        ),
    ]


def _plain(name: str, value: Any, ours: Any) -> list[Row]:
    packed = ormsgpack.packb(value, option=_PACK)
    goal = Goal(Kind.FASTER, 1, 2)
    return [
        Row(
            name=f"encode plain {name}, vs ormsgpack.packb",
            ours=_call(ours.dumps_typed, value),
            official=lambda: ormsgpack.packb(value, option=_PACK),
            goal=goal,
            unit="us",
            check=lambda typed, raw: _equal(typed[1], raw),
        ),
        Row(
            name=f"decode plain {name}, vs ormsgpack.unpackb",
            ours=_call(ours.loads_typed, ("msgpack", packed)),
            official=lambda: ormsgpack.unpackb(packed, option=_UNPACK),
            goal=goal,
            unit="us",
            check=_equal,
        ),
    ]


def _call(function: Callable[[Any], Any], argument: Any) -> Callable[[], Any]:
    return lambda: function(argument)


def _equal(ours: Any, official: Any) -> None:
    if ours != official:
        raise AssertionError("lgckpt and the official serializer disagree")
