"""LangGraph's own in-memory saver answers the same calls with the same checkpoints."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from tests.colours import Coloured
from tests.contract.sequences import Sequence

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("seed", range(8))
async def test_random_runs_read_like_the_official_saver(coloured: Coloured, seed: int) -> None:
    sequence = Sequence(seed)
    official = Coloured(InMemorySaver(), "sync")
    for number, call in enumerate(sequence.calls(60)):
        assert await call.of(coloured) == await call.of(official), f"call {number}: {call}"
    for call in sequence.readings():
        assert await call.of(coloured) == await call.of(official), call
