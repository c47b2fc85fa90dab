"""Whole graphs: ours accelerated on our saver, beside plain LangGraph on the official one."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import lgckpt
from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings, stat
from benchmarks.savers import Saver, sides
from benchmarks.workloads import graphs
from benchmarks.workloads.chat import conversation

GROUP = "graph"
BRANCHES = 200
MESSAGES = 1_000


def run(settings: Settings) -> list[Result]:
    """Time both graphs, with LangGraph's default durability on both sides."""
    messages = conversation(MESSAGES)
    rounds = 2 if settings.quick else 5
    return [
        _row(
            settings,
            f"{BRANCHES} parallel branches, a superstep",
            lambda saver: graphs.parallel(saver, BRANCHES),
            {"results": [], "total": 0},
            settings.samples,
            Goal(Kind.FASTER, 1.3, 1.5),
        ),
        _row(
            settings,
            f"chat loop to {MESSAGES:,} messages, a superstep",
            lambda saver: graphs.chat(saver, messages),
            {"messages": messages[:1]},
            rounds,
            Goal(Kind.FASTER, 3, 4),
        ),
    ]


def _row(
    settings: Settings,
    name: str,
    make: Callable[[Saver], Any],
    value: dict[str, Any],
    samples: int,
    goal: Goal,
) -> Result:
    kinds = sides("sqlite", self_check=settings.self_check)
    seconds: dict[str, list[float]] = {side: [] for side in kinds}
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(dir=settings.directory)))
        both: dict[str, Graph] = {}
        for side, kind in kinds.items():
            saver = stack.enter_context(kind.open(directory / f"{side}.db"))
            accelerated = side == "ours" and not settings.self_check
            both[side] = Graph(make(saver), value, accelerated=accelerated)
        order = list(both)
        for _ in range(samples):
            for side in order:
                seconds[side].append(both[side].superstep())
            order.reverse()
        if both["ours"].last != both["official"].last:
            raise AssertionError("the accelerated graph and the plain one end in other states")
    return Result(
        group=GROUP,
        name=name,
        unit="ms",
        ours=stat(seconds["ours"], "ms"),
        other=stat(seconds["official"], "ms"),
        other_name=f"LangGraph, {kinds['official'].name}",
        goal=goal,
    )


class Graph:
    """One side of the comparison.

    Args:
        graph: Compiled, with a saver.
        value: Its input.
        accelerated: It runs with the native step.

    Attributes:
        last: What the last run ended with.
    """

    def __init__(self, graph: Any, value: dict[str, Any], *, accelerated: bool) -> None:
        self._graph = graph
        self._value = value
        self._accelerated = accelerated
        self._threads = count()
        self.last: Any = None

    def superstep(self) -> float:
        """Run it on a thread of its own; seconds a superstep."""
        config = {"configurable": {"thread_id": f"{next(self._threads)}"}, "recursion_limit": 5_000}
        gc.collect()
        with self._step():
            start = perf_counter()
            self.last = self._graph.invoke(self._value, config)
            seconds = perf_counter() - start
        steps = self._graph.get_state(config).metadata["step"]
        return seconds / steps

    def _step(self) -> AbstractContextManager[None]:
        return lgckpt.accelerated() if self._accelerated else nullcontext()
