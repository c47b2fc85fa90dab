"""Each kind of lgckpt.channels beside the one of langgraph.channels: an update and a get."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from langgraph import channels as theirs

from benchmarks.rows import Goal, Kind, Result, Row
from benchmarks.runner import Settings, measure
from lgckpt import channels as ours

GROUP = "channels"
_GOAL = Goal(Kind.FASTER, 1.5, 3)
# In a call that is timed, so that what is timed is not the call.
_ROUNDS = 100


def run(settings: Settings) -> list[Result]:
    """Time every kind."""
    return [measure(GROUP, row, settings) for row in rows(self_check=settings.self_check)]


def rows(*, self_check: bool = False) -> list[Row]:
    """The table of kinds."""
    mine = theirs if self_check else ours
    return [
        Row(
            name=f"{name}: {_ROUNDS} of {what}",
            ours=timed(make(mine)),
            official=timed(make(theirs)),
            goal=_GOAL,
            unit="us",
            check=_equal,
        )
        for name, make, timed, what in _KINDS
    ]


def _update(*values: Any) -> Callable[[Any], Callable[[], Any]]:
    def of(channel: Any) -> Callable[[], Any]:
        def call() -> Any:
            for _ in range(_ROUNDS):
                channel.update(values)
                found = channel.get()
            return type(channel).__name__, found

        return call

    return of


def _cycle(*values: Any) -> Callable[[Any], Callable[[], Any]]:
    """With what makes the channel available, and empty again."""

    def of(channel: Any) -> Callable[[], Any]:
        def call() -> Any:
            for _ in range(_ROUNDS):
                channel.update(values)
                channel.finish()
                found = channel.get()
                channel.consume()
            return type(channel).__name__, found

        return call

    return of


_Make = Callable[[Any], Any]
_KINDS: list[tuple[str, _Make, Callable[[Any], Callable[[], Any]], str]] = [
    ("LastValue", lambda m: m.LastValue(str), _update("value"), "update, get"),
    ("AnyValue", lambda m: m.AnyValue(str), _update("value"), "update, get"),
    ("EphemeralValue", lambda m: m.EphemeralValue(str), _update("value"), "update, get"),
    ("Topic", lambda m: m.Topic(str), _update("one", "two"), "update, get"),
    (
        "BinaryOperatorAggregate",
        lambda m: m.BinaryOperatorAggregate(bool, operator.or_),
        _update(True),
        "update, get",
    ),
    (
        "LastValueAfterFinish",
        lambda m: m.LastValueAfterFinish(str),
        _cycle("value"),
        "update, finish, get, consume",
    ),
    (
        "NamedBarrierValue",
        lambda m: m.NamedBarrierValue(str, {"one", "two"}),
        _cycle("one", "two"),
        "update, finish, get, consume",
    ),
    (
        "NamedBarrierValueAfterFinish",
        lambda m: m.NamedBarrierValueAfterFinish(str, {"one", "two"}),
        _cycle("one", "two"),
        "update, finish, get, consume",
    ),
]


def _equal(mine: Any, official: Any) -> None:
    if mine != official:
        raise AssertionError(f"channels disagree: {mine} and {official}")
