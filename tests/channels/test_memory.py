"""No reference is lost, none is kept, and cycles through a channel are collected."""

from __future__ import annotations

import gc
import operator
import sys
import weakref
from typing import Any

import pytest
from langgraph._internal._typing import MISSING

from lgckpt import channels as ours
from tests.channels.kinds import KINDS, first_for


class Marked:
    """What weak references can point to."""

    def __init__(self) -> None:
        self.links: list[Any] = []


def use(name: str, value: Any) -> None:
    """Every method of a channel, over the value where the kind takes any."""
    channel = KINDS[name](ours)
    operations: list[Any] = [
        lambda: channel.update([value]),
        lambda: channel.update(first_for(name)),
        lambda: channel.update(first_for(name)),
        lambda: channel.update(["a", "b"]),
        channel.finish,
        channel.get,
        channel.checkpoint,
        channel.copy,
        lambda: channel.from_checkpoint(MISSING),
        lambda: channel.from_checkpoint(value),
        lambda: channel.from_checkpoint((value, True)),
        lambda: channel.from_checkpoint(channel.checkpoint()),
        channel.consume,
        lambda: channel.update([]),
        channel.get,
    ]
    for call in operations:
        try:
            call()
        except Exception:
            continue


@pytest.mark.parametrize("name", KINDS)
def test_references_balance(name: str) -> None:
    class Value:
        pass

    value = Value()
    constants = [value, MISSING, type(KINDS[name](ours)), KINDS[name](ours).typ, "key"]
    use(name, value)
    gc.collect()
    before = [sys.getrefcount(it) for it in constants]
    for _ in range(1000):
        use(name, value)
    gc.collect()
    after = [sys.getrefcount(it) for it in constants]
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) < 20


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("made", ["constructed", "copied", "restored"])
def test_a_cycle_is_collected(name: str, made: str) -> None:
    channel: Any = KINDS[name](ours)
    if made == "copied":
        channel = channel.copy()
    elif made == "restored":
        channel = channel.from_checkpoint(MISSING)
    marked = Marked()
    gone = weakref.ref(marked)
    marked.links.append(channel)
    if hasattr(channel, "values"):
        channel.update([marked])
    elif hasattr(channel, "seen"):
        channel.names = {marked}
        channel.update([marked])
    elif hasattr(channel, "operator"):
        channel.value = MISSING
        channel.update([marked])
    else:
        channel.update([marked])
    assert gc.is_tracked(channel)
    del channel, marked
    gc.collect()
    assert gone() is None


def test_values_go_when_their_step_is_over() -> None:
    ephemeral = ours.EphemeralValue(Marked)
    ephemeral.update([value := Marked()])
    gone = weakref.ref(value)
    del value
    assert gone() is ephemeral.get()
    ephemeral.update([])
    assert gone() is None


def test_a_reducer_keeps_only_its_result() -> None:
    total = ours.BinaryOperatorAggregate(list, operator.add)
    total.update([part := [Marked()]])
    gone = weakref.ref(part[0])
    assert sys.getrefcount(part) == 2
    del part
    total.update([{"__overwrite__": []}])
    assert gone() is None
