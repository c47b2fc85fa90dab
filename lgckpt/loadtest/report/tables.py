"""The tables of a run as text: the same on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lgckpt.loadtest.report.figures import NONE, load, rate, share, size, took
from lgckpt.loadtest.results import Level, OperationStats, Run, Side

ENOUGH = 1000
"""Calls from which on one in a thousand of them is told apart from the slowest."""


@dataclass(frozen=True)
class Table:
    """Headings and rows; the first columns, as many as `named`, are words, the others figures."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    named: int = 1


def latencies(operations: Sequence[OperationStats]) -> Table:
    """How long calls took, one row a kind of call."""
    headings = ("call", "calls", "p50", "p95", "p99", "p99.9", "max", "errors")
    return Table(headings, tuple(_latency(one) for one in operations))


def _latency(one: OperationStats) -> tuple[str, ...]:
    errors = f"{sum(one.errors.values()):,}"
    if not one.count:
        return (one.operation, "0", NONE, NONE, NONE, NONE, NONE, errors)
    rare = took(one.p99_9_ms) if one.count >= ENOUGH else NONE
    common = (took(one.p50_ms), took(one.p95_ms), took(one.p99_ms))
    return (one.operation, f"{one.count:,}", *common, rare, took(one.max_ms), errors)


def sides(run: Run) -> Table:
    """One row a side: what it carried, and what that cost."""
    headings = ("side", "supersteps/s", "supersteps", "written", "stored", "client CPU", "errors")
    return Table(headings, tuple(_side(side) for side in run.sides))


def _side(side: Side) -> tuple[str, ...]:
    busy = share(side.cpu_seconds / side.seconds) if side.seconds else NONE
    return (
        side.name,
        rate(side.steps_per_second),
        f"{side.steps:,}",
        size(side.written),
        size(side.stored),
        busy,
        f"{sum(side.errors.values()):,}",
    )


def checks(run: Run) -> Table:
    """One row a side: reads compared with what had been written."""
    headings = ("side", "reads checked", "lost", "torn", "stale", "doubled")
    rows = []
    for side in run.sides:
        one = side.correctness
        counts = (one.checked, one.lost, one.torn, one.stale, one.doubled)
        rows.append((side.name, *(f"{count:,}" for count in counts)))
    return Table(headings, tuple(rows))


def errors(run: Run) -> Table:
    """Failed calls by side, call and kind; no rows if there are none."""
    rows = [
        (side.name, operation.operation, kind, f"{count:,}")
        for side in run.sides
        for operation in side.operations
        for kind, count in sorted(operation.errors.items())
    ]
    return Table(("side", "call", "error", "count"), tuple(rows), named=3)


def levels(side: Side, unit: str) -> Table:
    """The loads of a ramp: what came back at each, and how long a put took."""
    headings = (unit, "supersteps/s", "put p50", "put p99", "get p50", "get p99", "errors", "")
    return Table(headings, tuple(_level(level) for level in side.levels))


def _level(level: Level) -> tuple[str, ...]:
    by_name = {one.operation: one for one in level.operations}
    found = []
    for name in ("put", "get"):
        one = by_name.get(name)
        known = one is not None and one.count
        found += [took(one.p50_ms), took(one.p99_ms)] if one and known else [NONE, NONE]
    failed = sum(sum(one.errors.values()) for one in level.operations)
    knee = "knee" if level.knee else ""
    return (load(level.load), rate(level.steps_per_second), *found, f"{failed:,}", knee)


def unit_of(run: Run) -> str:
    """What the loads of a ramp are counted in."""
    return "clients" if run.loop == "closed" else "asked for/s"
