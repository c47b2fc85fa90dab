"""The step's functions beside LangGraph's: writes applied, and a checkpoint made and saved."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable
from time import perf_counter
from typing import Any

from langgraph.pregel import _algo, _checkpoint

from benchmarks.measures.idle_saver import IdleSaver
from benchmarks.rows import Goal, Kind, Result, Row
from benchmarks.runner import Settings, measure, stat
from benchmarks.savers import OFFICIAL, Saver, SaverKind, sides
from benchmarks.workloads.wide import CHANNELS, TASKS, Wide
from lgckpt import pregel

GROUP = "step"
_PUTS_PER_SAMPLE = 20
_WHY = "a put that stores nothing: the copies LangGraph makes and the checkpoint itself are left"
_Functions = tuple[Callable[..., Any], Callable[..., Any]]
_THEIRS: _Functions = _algo.apply_writes, _checkpoint.create_checkpoint
_OURS: _Functions = pregel.apply_writes, pregel.create_checkpoint


def run(settings: Settings) -> list[Result]:
    """Time both."""
    functions = _THEIRS if settings.self_check else _OURS
    rows = _applied(functions), _created(functions)
    return [*(measure(GROUP, row, settings) for row in rows), *_saved(functions, settings)]


def _applied(functions: _Functions) -> Row:
    return Row(
        name=f"apply_writes, {CHANNELS} channels, {TASKS} tasks",
        ours=_applying(functions[0]),
        official=_applying(_THEIRS[0]),
        goal=Goal(Kind.FASTER, 8, 25),
        unit="us",
        check=_equal,
    )


def _applying(apply_writes: Callable[..., Any]) -> Callable[[], Any]:
    with _memory(OFFICIAL["memory"]) as saver:
        wide = Wide(apply_writes, saver)
    tasks = wide.tasks()

    def call() -> Any:
        return wide.apply(tasks), wide.channels

    return call


def _created(functions: _Functions) -> Row:
    return Row(
        name=f"create_checkpoint alone, {CHANNELS} channels, 2 changed",
        ours=_creating(functions),
        official=_creating(_THEIRS),
        goal=Goal(Kind.FASTER),
        unit="us",
        check=_same_values,
    )


def _creating(functions: _Functions) -> Callable[[], Any]:
    with _memory(OFFICIAL["memory"]) as saver:
        wide = Wide(functions[0], saver)
    wide.checkpoint = functions[1](wide.checkpoint, wide.channels, 0)
    updated = wide.change_two()

    def call() -> Any:
        return functions[1](wide.checkpoint, wide.channels, 1, updated_channels=updated)

    return call


def _same_values(ours: Any, official: Any) -> None:
    if ours["channel_values"] != official["channel_values"] or ours.keys() != official.keys():
        raise AssertionError("create_checkpoint of lgckpt and of LangGraph disagree")


def _equal(ours: Any, official: Any) -> None:
    (mine, channels), (updated, others) = ours, official
    held = [{n: c.get() for n, c in one.items() if c.is_available()} for one in (channels, others)]
    if mine != updated or held[0] != held[1]:
        raise AssertionError("apply_writes of lgckpt and of LangGraph disagree")


class Side:
    """One side of the comparison: a wide state, and where its checkpoints go.

    Args:
        functions: What applies writes and makes checkpoints.
        saver: In memory.
    """

    def __init__(self, functions: _Functions, saver: Saver) -> None:
        self._create = functions[1]
        self._saver = saver
        self.wide = Wide(functions[0], saver)
        self._config: Any = {"configurable": {"thread_id": "wide", "checkpoint_ns": ""}}
        self._step = -1
        self._stored: dict[str, Any] = {}

    def save(self) -> float:
        """Make a checkpoint and put it, as LangGraph's loop does; seconds of just that."""
        wide, updated = self.wide, self.wide.change_two()
        self._step += 1
        metadata: Any = {"source": "loop", "step": self._step, "parents": {}}
        versions = wide.checkpoint["channel_versions"]
        stored = self._stored
        changed = {n: v for n, v in versions.items() if stored.get(n) != v}
        start = perf_counter()
        wide.checkpoint = self._create(
            wide.checkpoint, wide.channels, self._step, updated_channels=updated
        )
        copied = _checkpoint.copy_checkpoint(wide.checkpoint)
        self._config = self._saver.put(self._config, copied, metadata, changed)
        seconds = perf_counter() - start
        self._stored = dict(versions)
        return seconds

    def check(self) -> None:
        """Read the last checkpoint back.

        Raises:
            AssertionError: It is not what was put.
        """
        found = self._saver.get_tuple(self._config)
        if found is None or found.checkpoint["channel_values"] != self.wide.held():
            raise AssertionError(f"{self._saver!r} returned other values than were put")


def _memory(kind: SaverKind[Any]) -> Any:
    return kind.open(None)


def _saved(functions: _Functions, settings: Settings) -> list[Result]:
    kinds = sides("memory", self_check=settings.self_check)
    seconds: dict[str, list[float]] = defaultdict(list)
    with _memory(kinds["ours"]) as ours, _memory(kinds["official"]) as official:
        both = {"ours": Side(functions, ours), "official": Side(_THEIRS, official)}
        both["idle"] = Side(functions, IdleSaver())
        for side in both.values():
            side.save()
        order = list(both)
        for _ in range(settings.samples):
            gc.collect()
            for name in order:
                taken = [both[name].save() for _ in range(_PUTS_PER_SAMPLE)]
                seconds[name].append(sum(taken) / len(taken))
            order.reverse()
        for side in ("ours", "official"):
            both[side].check()
    name = f"create_checkpoint and put, {CHANNELS} channels, 2 changed"
    taken = {side: stat(found, "us") for side, found in seconds.items()}
    rows = [
        (name, "ours", Goal(Kind.FASTER, 5, 15), ""),
        (f"{name}, nothing stored", "idle", Goal(Kind.FASTER), _WHY),
    ]
    return [
        Result(GROUP, row, "us", taken[side], taken["official"], kinds["official"].name, bar, note)
        for row, side, bar, note in rows
    ]
