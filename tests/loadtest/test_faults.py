"""Each way in which a saver can be wrong is found, and none where it is right."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.loadtest.workloads import WORKLOADS
from tests.loadtest.broken import (
    DoublesCheckpoints,
    DoublesWrites,
    Forgets,
    IsStale,
    LosesPuts,
    LosesWrites,
    Make,
    TearsBatches,
    TearsMetadata,
    TearsValues,
    Wrong,
    played,
)

BROKEN: list[tuple[type[Wrong], str, set[str]]] = [
    (LosesPuts, "hitl", {"lost"}),
    (LosesWrites, "hitl", {"lost"}),
    (Forgets, "chat", {"lost"}),
    (TearsValues, "chat", {"torn"}),
    (TearsMetadata, "chat", {"torn"}),
    (TearsBatches, "hitl", {"lost", "torn"}),
    (IsStale, "chat", {"stale"}),
    (DoublesCheckpoints, "hitl", {"doubled"}),
    (DoublesWrites, "hitl", {"doubled"}),
]


@pytest.mark.parametrize("make", [lgckpt.MemorySaver, InMemorySaver])
@pytest.mark.parametrize("workload", WORKLOADS)
def test_nothing_is_found_where_nothing_is_wrong(make: Make, workload: str) -> None:
    found = asyncio.run(played(make(), workload, 60))
    assert not found.faults, found.examples
    assert not found.errors
    assert found.checked >= 3
    assert found.steps == 60
    assert {name for name, seen in found.latencies.items() if seen} >= {"put", "put_writes", "get"}


@pytest.mark.parametrize(
    ("broken", "workload", "kinds"), BROKEN, ids=lambda v: getattr(v, "__name__", None)
)
def test_each_kind_is_found(broken: type[Wrong], workload: str, kinds: set[str]) -> None:
    found = asyncio.run(played(broken(), workload, 120))
    assert found.faults
    assert set(found.faults) <= kinds
    assert found.examples[0].split(":")[0] in kinds


class Failing(lgckpt.MemorySaver):
    """Says of puts now and then that they failed: before, or after they were stored."""

    def __init__(self, *, stored: bool, times: int = 1) -> None:
        super().__init__()
        self.stored, self.times, self.calls = stored, times, 0

    async def aput(self, *args: Any) -> Any:
        self.calls += 1
        fails = self.calls % 10 < self.times
        if not fails or self.stored:
            done = await super().aput(*args)
        if fails:
            raise StorageError("the connection is gone")
        return done


@pytest.mark.parametrize("stored", [True, False])
def test_a_put_that_failed_may_be_there_or_not_and_is_made_again(stored: bool) -> None:
    found = asyncio.run(played(Failing(stored=stored), "hitl", 60, patience=5))
    assert not found.faults, found.examples
    assert found.errors["put", "StorageError"] >= 5
    assert found.steps == 60
    assert not found.given_up


def test_a_thread_that_only_fails_is_given_up() -> None:
    found = asyncio.run(played(Failing(stored=False, times=10), "hitl", 4, patience=0.03))
    assert found.given_up == 4
    assert found.steps == 0
    assert not found.faults


class Hanging(lgckpt.MemorySaver):
    """Never answers a read."""

    async def aget_tuple(self, config: Any) -> Any:
        await asyncio.Event().wait()


def test_a_call_that_never_answers_is_an_error() -> None:
    found = asyncio.run(played(Hanging(), "wide", 8, patience=0.0, timeout=0.05))
    assert found.errors["get", "TimeoutError"] >= 1
