"""What LangGraph's own savers store is what a checkpoint had."""

from __future__ import annotations

import pytest
from langgraph.channels.named_barrier_value import (
    NamedBarrierValue,
    NamedBarrierValueAfterFinish,
)


@pytest.fixture(autouse=True)
def _whole_barriers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A barrier hands out the very set that it goes on adding to.

    LangGraph's savers serialize it in the background, and may find there what the next superstep
    added: two checkpoints with one version of the channel and two values, of which LangGraph's
    Postgres tables hold one. That is theirs, and not what is tested here.
    """
    monkeypatch.setattr(NamedBarrierValue, "checkpoint", lambda self: set(self.seen))
    monkeypatch.setattr(
        NamedBarrierValueAfterFinish,
        "checkpoint",
        lambda self: (set(self.seen), self.finished),
    )
