"""Whole graphs: ours accelerated on our saver, beside plain LangGraph on the official one."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import lgckpt
from benchmarks.measures.idle_saver import IdleSaver
from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings, stat
from benchmarks.savers import sides
from benchmarks.workloads import graphs
from benchmarks.workloads.chat import conversation

GROUP = "graph"
BRANCHES = 200
MESSAGES = 1_000
_CEILING = Goal(Kind.FASTER)
_WHY = "a saver that stores nothing: the rest is LangGraph's own Python, the most to be reached"


def run(settings: Settings) -> list[Result]:
    """Time both graphs, with LangGraph's default durability on both sides."""
    messages = conversation(MESSAGES)
    rounds = 2 if settings.quick else 5
    return [
        *_rows(
            settings,
            f"{BRANCHES} parallel branches, a superstep",
            lambda saver: graphs.parallel(saver, BRANCHES),
            {"results": [], "total": 0},
            settings.samples,
            Goal(Kind.FASTER, 1.3, 1.5),
        ),
        *_rows(
            settings,
            f"chat loop to {MESSAGES:,} messages, a superstep",
            lambda saver: graphs.chat(saver, messages),
            {"messages": messages[:1]},
            rounds,
            Goal(Kind.FASTER, 3, 4),
        ),
    ]


def _rows(
    settings: Settings,
    name: str,
    make: Callable[[Any], Any],
    value: dict[str, Any],
    samples: int,
    goal: Goal,
) -> list[Result]:
    kinds = sides("sqlite", self_check=settings.self_check)
    seconds: dict[str, list[float]] = defaultdict(list)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(dir=settings.directory)))
        both: dict[str, Graph] = {}
        for side, kind in kinds.items():
            saver = stack.enter_context(kind.open(directory / f"{side}.db"))
            accelerated = side == "ours" and not settings.self_check
            both[side] = Graph(make(saver), value, accelerated=accelerated)
        both["idle"] = Graph(make(IdleSaver()), value, accelerated=not settings.self_check)
        order = list(both)
        for _ in range(samples):
            for side in order:
                seconds[side].append(both[side].run())
            order.reverse()
        if not both["ours"].last == both["official"].last == both["idle"].last:
            raise AssertionError("the accelerated graph and the plain one end in other states")
        steps = both["ours"].steps()
    taken = {side: stat([one / steps for one in found], "ms") for side, found in seconds.items()}
    official = f"LangGraph, {kinds['official'].name}"
    rows = [(name, "ours", goal, ""), (f"{name}, nothing stored", "idle", _CEILING, _WHY)]
    return [
        Result(GROUP, row, "ms", taken[side], taken["official"], official, bar, note)
        for row, side, bar, note in rows
    ]


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
        self._config: Any = None
        self.last: Any = None

    def run(self) -> float:
        """Run it on a thread of its own; gives the seconds that took."""
        config = self._config = {
            "configurable": {"thread_id": f"{next(self._threads)}"},
            "recursion_limit": 5_000,
        }
        gc.collect()
        with self._step():
            start = perf_counter()
            self.last = self._graph.invoke(self._value, config)
            return perf_counter() - start

    def steps(self) -> int:
        """Supersteps of the last run, which had a saver."""
        found: int = self._graph.get_state(self._config).metadata["step"]
        return found

    def _step(self) -> AbstractContextManager[None]:
        return lgckpt.accelerated() if self._accelerated else nullcontext()
