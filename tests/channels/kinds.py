"""The kinds of channels, ours beside LangGraph's, and what is seen of one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

from langgraph import channels as theirs
from langgraph._internal._typing import MISSING
from langgraph.channels.base import BaseChannel

from lgckpt import channels as ours
from lgckpt.core import core

NATIVE = core.BUILD_PROFILE != "pure"

Make = Callable[[ModuleType], BaseChannel[Any, Any, Any]]


def keep_newer(old: Any, new: Any) -> Any:
    return new if old is None else [old, new]


def picky(old: Any, new: Any) -> Any:
    if new == 13:
        raise ValueError("thirteen")
    return (old, new)


NAMES = {"a", "b"}
KINDS: dict[str, Make] = {
    "LastValue": lambda m: m.LastValue(int, "key"),
    "LastValueAfterFinish": lambda m: m.LastValueAfterFinish(str, "key"),
    "AnyValue": lambda m: m.AnyValue(list, "key"),
    "EphemeralValue": lambda m: m.EphemeralValue(int),
    "EphemeralValue unguarded": lambda m: m.EphemeralValue(int, guard=False),
    "EphemeralValue odd guard": lambda m: m.EphemeralValue(int, guard=[0]),
    "Topic": lambda m: m.Topic(int),
    "Topic accumulating": lambda m: m.Topic(int, accumulate=True),
    "Topic odd flag": lambda m: m.Topic(int, accumulate="yes"),
    "BinaryOperatorAggregate add": lambda m: m.BinaryOperatorAggregate(list, operator.add),
    "BinaryOperatorAggregate newer": lambda m: m.BinaryOperatorAggregate(set, keep_newer),
    "BinaryOperatorAggregate picky": lambda m: m.BinaryOperatorAggregate(Any, picky),
    "NamedBarrierValue": lambda m: m.NamedBarrierValue(str, NAMES),
    "NamedBarrierValue frozen": lambda m: m.NamedBarrierValue(str, frozenset(NAMES)),
    "NamedBarrierValue list": lambda m: m.NamedBarrierValue(str, ["a", "b"]),
    "NamedBarrierValueAfterFinish": lambda m: m.NamedBarrierValueAfterFinish(str, NAMES),
}

CLASSES = sorted(ours.__all__)
SLOTS = (
    "typ", "key", "value", "values", "finished", "guard", "accumulate", "operator", "names", "seen",
)  # fmt: skip


def both(name: str) -> tuple[Any, Any]:
    make = KINDS[name]
    return make(ours), make(theirs)


def first_for(name: str) -> list[Any]:
    """Updates that a channel of the kind takes."""
    return [["a"]] if name.endswith("add") else ["a"]


def seen_of(value: Any) -> Any:
    """A value as it can be compared: channels by what they hold, MISSING by name."""
    if isinstance(value, BaseChannel):
        held = {name: seen_of(getattr(value, name)) for name in SLOTS if hasattr(value, name)}
        return (type(value).__name__, held)
    if value is MISSING:
        return "MISSING"
    if type(value) in (tuple, list):
        return (type(value), [seen_of(item) for item in value])
    return (type(value), value)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, or how it fails."""
    try:
        return ("gives", seen_of(call()))
    except Exception as error:
        return ("raises", type(error), str(error))
