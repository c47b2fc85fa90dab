"""Threads that share a channel: every update is there, none is torn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lgckpt import channels as ours

THREADS, EACH = 8, 2000


@pytest.fixture(autouse=True)
def _hurried() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def larger(old: int, new: int) -> int:
    return max(old, new)


def together(work: Any) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


def test_a_topic_loses_nothing() -> None:
    topic: Any = ours.Topic(int, accumulate=True)

    def work(thread: int) -> None:
        for number in range(EACH):
            topic.update([(thread, number), [(thread, number)]])
            assert len(topic.get()) >= 2 * number

    together(work)
    assert len(topic.get()) == 2 * THREADS * EACH
    for thread in range(THREADS):
        mine = [number for one, number in topic.values if one == thread]
        assert mine == sorted(mine)


def test_values_are_whole() -> None:
    last: Any = ours.LastValue(tuple)
    barrier: Any = ours.NamedBarrierValueAfterFinish(str, set("abcdefgh"))
    total: Any = ours.BinaryOperatorAggregate(int, larger)

    def work(thread: int) -> None:
        for number in range(EACH):
            last.update([(thread, number, thread + number)])
            one, other, both = last.copy().get()
            assert one + other == both
            barrier.update(["abcdefgh"[thread]])
            barrier.finish()
            barrier.consume()
            assert barrier.checkpoint()[0] <= barrier.names
            total.update([number])

    together(work)
    assert 0 < total.get() < EACH
