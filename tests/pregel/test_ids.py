"""Ids of checkpoints are those that LangGraph makes: same clock, same random numbers."""

from __future__ import annotations

import random
import time
from uuid import UUID

import pytest
from langgraph.checkpoint.base import id as theirs

from lgckpt import ids, pregel
from lgckpt.core import core

EMPTY = {"channel_values": {}, "channel_versions": {}, "versions_seen": {}, "v": 4}

native = pytest.mark.skipif(core.BUILD_PROFILE == "pure", reason="LangGraph makes them all")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    now = [1_700_000_000_123_456_789]
    monkeypatch.setattr(time, "time_ns", lambda: now[0])
    monkeypatch.setattr(theirs, "_last_v6_timestamp", None)
    return now


def both(monkeypatch: pytest.MonkeyPatch, step: int) -> tuple[str, str]:
    """What ours gives, and what LangGraph's does of the same clock and seed."""
    last = theirs._last_v6_timestamp
    random.seed(step)
    one = ids.checkpoint_id(step), theirs._last_v6_timestamp, random.random()
    monkeypatch.setattr(theirs, "_last_v6_timestamp", last)
    random.seed(step)
    other = str(theirs.uuid6(clock_seq=step)), theirs._last_v6_timestamp, random.random()
    assert one == other
    return one[0], other[0]


def test_they_are_known() -> None:
    assert ids._KNOWN


@pytest.mark.parametrize("step", [-2, -1, 0, 1, 0x3FFF, 0x4000, 123_456_789, 2**63, 2**80 + 5])
def test_the_same_is_made(monkeypatch: pytest.MonkeyPatch, clock: list[int], step: int) -> None:
    made, _ = both(monkeypatch, step)
    assert UUID(made).version == 6
    # The clock stands still, goes back, and goes on.
    for passed in (0, 99, -10_000, 0, 1_000_000_000, 10**17, -(10**18)):
        clock[0] += passed
        before, made = made, both(monkeypatch, step)[0]
        assert made > before


def test_they_go_on_beside_those_of_others(clock: list[int]) -> None:
    made = [ids.checkpoint_id(1) if n % 3 else str(theirs.uuid6(clock_seq=1)) for n in range(30)]
    assert made == sorted(set(made))


@native
def test_the_native_one_makes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "UUID", None)
    checkpoint = pregel.create_checkpoint({**EMPTY}, {}, 3)
    assert UUID(checkpoint["id"]).version == 6


def test_one_that_was_replaced_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "uuid6", lambda clock_seq: f"step {clock_seq}")
    assert ids.checkpoint_id(7) == "step 7"


def test_one_of_another_source_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_KNOWN", False)
    monkeypatch.setattr(core, "uuid6", None)
    assert UUID(ids.checkpoint_id(7)).version == 6


def test_a_step_that_is_no_number_is_left_to_langgraph() -> None:
    assert UUID(ids.checkpoint_id(None)).version == 6


@native
def test_a_clock_that_is_no_number_is_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theirs, "_last_v6_timestamp", 1e30)
    assert core.uuid6(theirs, 1) is None
    assert theirs._last_v6_timestamp == 1e30
    monkeypatch.setattr(theirs, "_last_v6_timestamp", 2**60)
    assert core.uuid6(theirs, 1) is None
    assert UUID(ids.checkpoint_id(1)).version == 6
