"""Versions made natively are those that LangGraph's savers make of the same random numbers."""

from __future__ import annotations

import random
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.channels import LastValue
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel._algo import PregelTaskWrites

import lgckpt
from lgckpt import pregel, versions
from lgckpt.core import core

compiled = pytest.mark.skipif(core.BUILD_PROFILE == "pure", reason="the pure core makes none")
theirs = InMemorySaver().get_next_version

CURRENT = st.one_of(
    st.none(),
    st.integers(0, 10**20),
    st.integers(0, 10**17).map(lambda n: f"{n:032}.0.5"),
    st.integers(0, 10**40).map(str),
    st.from_regex(r"[0-9 +_.]{1,20}", fullmatch=True),
)


def step(get_next_version: Any) -> str:
    """The highest version after a step whose channel had the first one."""
    checkpoint = empty_checkpoint()
    checkpoint["channel_versions"]["a"] = get_next_version(None, None)
    channel = LastValue(int)
    channel.key = "a"
    tasks = [PregelTaskWrites((), "node", [("a", 1)], [])]
    random.seed(3)
    pregel.apply_writes(checkpoint, {"a": channel}, tasks, get_next_version, {})
    return str(max(checkpoint["channel_versions"].values()))


def outcome(make: Any, current: Any, seed: int) -> Any:
    random.seed(seed)
    try:
        return make(current)
    except Exception as exc:
        return type(exc)


@given(CURRENT, st.integers(0, 2**32))
def test_a_version_is_the_one_that_langgraph_makes(current: Any, seed: int) -> None:
    official = outcome(lambda given: theirs(given, None), current, seed)
    assert outcome(versions.next_version, current, seed) == official


@pytest.mark.parametrize(
    "number", [0.0, 0.5, 1e-4, 9.9e-5, 5e-324, 2**-53, 1 - 2**-53, 0.1 + 0.2, 1, True]
)
def test_a_random_part_is_written_as_python_writes_it(
    number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random, "random", lambda: number)
    assert versions.next_version("7.x") == theirs("7.x", None)


@compiled
@pytest.mark.parametrize("current", ["", "x", " 5", "+5", "1_0", "9" * 18, 10**17, -1, True, 1.5])
def test_what_takes_python_to_read_is_left_to_it(current: Any) -> None:
    assert core.next_version(current) is None


@compiled
@pytest.mark.parametrize("kind", [InMemorySaver, lgckpt.MemorySaver])
def test_the_step_makes_versions_itself(kind: Any) -> None:
    called: list[str] = []
    saver = kind()
    random.seed(3)
    expected = theirs("1.x", None)
    sys.setprofile(lambda frame, event, _: called.append(f"{event} {frame.f_code.co_name}"))
    try:
        found = step(saver.get_next_version)
    finally:
        sys.setprofile(None)
    assert found == expected
    assert called.count("call get_next_version") == 1, "for the first version alone"


@compiled
def test_a_saver_that_makes_its_own_is_asked() -> None:
    class Own(lgckpt.MemorySaver):
        def get_next_version(self, current: Any, channel: None) -> str:
            return f"{int((current or '0').split('.')[0]) + 1:032}.own"

    assert step(Own().get_next_version) == f"{2:032}.own"
