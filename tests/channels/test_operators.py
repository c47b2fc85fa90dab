"""Operators are the user's: they raise, and touch the channel that calls them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from langgraph import channels as theirs
from langgraph._internal._typing import MISSING
from langgraph.types import Overwrite

from lgckpt import channels as ours
from tests.channels.kinds import outcome, seen_of

BOTH = pytest.mark.parametrize("module", [ours, theirs])


@BOTH
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, ValueError])
def test_what_an_operator_raises_comes_out(module: ModuleType, error: type[BaseException]) -> None:
    def fails_at_three(old: int, new: int) -> int:
        if new == 3:
            raise error("three")
        return old + new

    channel = module.BinaryOperatorAggregate(int, fails_at_three)
    with pytest.raises(error, match="three"):
        channel.update([1, 2, 3, 4])
    assert channel.get() == 3


def trace(module: ModuleType, meddle: Callable[[Any, list[Any], Any], None]) -> list[Any]:
    """What an operator that meddles with its channel, or with the updates, sees and leaves."""
    seen: list[Any] = []
    updates: list[Any] = [[1], [2], [3]]

    def held() -> Any:
        return seen_of(getattr(channel, "value", "taken"))

    def operator(old: Any, new: Any) -> Any:
        seen.append((held(), old, new, list(updates)))
        if len(seen) < 6:
            meddle(channel, updates, new)
        return [*old, *new]

    channel = module.BinaryOperatorAggregate(list, operator)
    seen.append(outcome(lambda: channel.update(updates)))
    seen.append(outcome(channel.checkpoint))
    channel.value, channel.operator = MISSING, operator
    seen.append(outcome(lambda: channel.update(updates)))
    channel.value, channel.operator = MISSING, operator
    seen.append(outcome(lambda: channel.update(tuple(updates))))
    seen.append(held())
    return seen


def reads(channel: Any, updates: list[Any], new: Any) -> None:
    channel.get()
    channel.copy()
    channel.checkpoint()


def writes(channel: Any, updates: list[Any], new: Any) -> None:
    channel.value = ["written"]


def updates_itself(channel: Any, updates: list[Any], new: Any) -> None:
    channel.update([["inner"]])


def overwrites(channel: Any, updates: list[Any], new: Any) -> None:
    channel.update([Overwrite(["inner"])])


def empties(channel: Any, updates: list[Any], new: Any) -> None:
    updates.clear()


def lengthens(channel: Any, updates: list[Any], new: Any) -> None:
    updates.append(["more"])


def takes_the_value(channel: Any, updates: list[Any], new: Any) -> None:
    del channel.value


def takes_the_operator(channel: Any, updates: list[Any], new: Any) -> None:
    del channel.operator


def changes_the_operator(channel: Any, updates: list[Any], new: Any) -> None:
    channel.operator = lambda old, new: ["other"]


@pytest.mark.parametrize(
    "meddle",
    [
        reads, writes, updates_itself, overwrites, empties, lengthens, takes_the_value,
        takes_the_operator, changes_the_operator,
    ],
)  # fmt: skip
def test_an_operator_may_do_anything_to_its_channel(meddle: Any) -> None:
    assert trace(ours, meddle) == trace(theirs, meddle)


@BOTH
def test_an_operator_that_never_ends_is_python_recursion(module: ModuleType) -> None:
    def again(old: int, new: int) -> int:
        channel.update([new])
        return old

    channel = module.BinaryOperatorAggregate(int, again)
    with pytest.raises(RecursionError):
        channel.update([1])


class Meddler:
    """Equal to every name, and changes the barrier when it is asked."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        self.meddle = meddle

    def __hash__(self) -> int:
        return hash("a")

    def __eq__(self, other: object) -> bool:
        self.meddle()
        return other == "a"


@pytest.mark.parametrize("kind", ["NamedBarrierValue", "NamedBarrierValueAfterFinish"])
@pytest.mark.parametrize("attribute", ["seen", "names"])
def test_names_may_do_anything_to_their_barrier(kind: str, attribute: str) -> None:
    def run(module: ModuleType) -> Any:
        barrier = getattr(module, kind)(str, {"a", "b"})

        def meddle() -> None:
            setattr(barrier, attribute, {"b"})

        found = [outcome(lambda: barrier.update([Meddler(meddle), "b", "b"]))]
        found += [outcome(getattr(barrier, name)) for name in ("finish", "get", "consume")]
        return [*found, len(barrier.seen), len(barrier.names)]

    assert run(ours) == run(theirs)


@BOTH
def test_a_finalizer_of_the_old_value_sees_the_new(module: ModuleType) -> None:
    heard = []

    class Old:
        def __del__(self) -> None:
            heard.append(channel.value)

    channel = module.LastValue(object)
    channel.update([Old()])
    channel.update([2])
    assert heard == [2]
