"""Acceleration switched while other threads and loops run graphs."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

import lgckpt
from tests.accelerate.scenarios import chain
from tests.accelerate.test_switching import originals_are_back

NAMES = [f"node{n}" for n in range(6)]


def test_switching_while_graphs_run() -> None:
    graph = chain(*NAMES).compile(checkpointer=lgckpt.MemorySaver())
    other = chain(*NAMES).compile(checkpointer=lgckpt.MemorySaver())
    done = Event()

    def switch() -> int:
        turns = 0
        while not done.is_set():
            with lgckpt.accelerated(graph), lgckpt.accelerated():
                lgckpt.status()
            lgckpt.accelerate(graph)
            lgckpt.decelerate(graph)
            turns += 1
        return turns

    def run(number: int) -> list[Any]:
        config: Any = {"configurable": {"thread_id": str(number)}}
        ran = graph if number % 2 else other
        if number % 3:
            return list(ran.invoke({"items": []}, config)["items"])
        return list(asyncio.run(ran.ainvoke({"items": []}, config))["items"])

    with ThreadPoolExecutor(6) as pool:
        switching = [pool.submit(switch) for _ in range(2)]
        try:
            results = list(pool.map(run, range(120)))
        finally:
            done.set()
        assert all(future.result() > 0 for future in switching)
    assert results == [NAMES] * 120
    assert originals_are_back()


def test_two_graphs_in_two_threads() -> None:
    """Each run keeps to its own path, however they overlap."""
    one, other = chain(*NAMES).compile(), chain(*NAMES).compile()
    lgckpt.accelerate(one)

    def run(graph: Any) -> set[bool]:
        seen: set[bool] = set()
        for _ in range(20):
            for chunk in graph.stream({"items": []}, stream_mode="debug"):
                seen.add(bool(chunk))
        return seen

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(run, (one, other))) == [{True}, {True}]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_after_a_fork() -> None:
    lgckpt.accelerate()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            lgckpt.decelerate()
            plain = originals_are_back()
            lgckpt.accelerate()
            ran = chain("a").compile().invoke({"items": []})["items"] == ["a"]
            status = 0 if plain and ran else 2
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert lgckpt.status().acceleration.scope == "all"
