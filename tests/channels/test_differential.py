"""Any sequence of operations gives on our channels what it gives on LangGraph's."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph._internal._typing import MISSING
from langgraph.types import Overwrite

from tests.channels.kinds import KINDS, both, outcome, seen_of

VALUES = st.one_of(
    st.sampled_from(["a", "b", "c", None, 13, 1.5]),
    st.integers(-2, 15),
    st.lists(st.integers(0, 3), max_size=3),
    st.sets(st.sampled_from("ab"), max_size=2),
    st.builds(Overwrite, st.lists(st.integers(0, 3), max_size=2)),
    st.builds(lambda value: {"__overwrite__": value}, st.lists(st.integers(0, 3), max_size=2)),
)
SEQUENCES = st.one_of(st.lists(VALUES, max_size=4), st.lists(VALUES, max_size=2).map(tuple))
CHECKPOINTS = st.one_of(
    VALUES,
    st.just("missing"),
    st.tuples(VALUES, st.booleans()),
    st.tuples(st.sets(st.sampled_from("abc"), max_size=3), st.booleans()),
)
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), SEQUENCES),
        st.tuples(st.just("update"), st.lists(st.sampled_from("ab"), max_size=2)),
        st.tuples(st.sampled_from(["from_checkpoint", "becomes"]), CHECKPOINTS),
        st.tuples(
            st.sampled_from(
                ["get", "is_available", "checkpoint", "copy", "become a copy", "consume", "finish"]
            ),
            st.none(),
        ),
    ),
    max_size=25,
)


class Side:
    """A channel of one side, and what is done with it."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel

    def do(self, operation: str, argument: Any) -> Any:
        argument = MISSING if argument == "missing" else copy.deepcopy(argument)
        match operation:
            case "update":
                return self.channel.update(argument)
            case "from_checkpoint":
                return self.channel.from_checkpoint(argument)
            case "becomes":
                self.channel = self.channel.from_checkpoint(argument)
            case "become a copy":
                self.channel = self.channel.copy()
            case other:
                return getattr(self.channel, other)()
        return self.channel


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=200, deadline=None)
@given(operations=OPERATIONS)
def test_the_same_outcomes(name: str, operations: list[tuple[str, Any]]) -> None:
    mine, original = map(Side, both(name))
    for operation, argument in operations:
        found = outcome(lambda: mine.do(operation, argument))  # noqa: B023
        wanted = outcome(lambda: original.do(operation, argument))  # noqa: B023
        assert found == wanted, operation
        assert seen_of(mine.channel) == seen_of(original.channel), operation
        assert mine.channel == original.channel
