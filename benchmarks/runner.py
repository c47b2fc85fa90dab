"""Timing: two sides in turn, in one process, medians of many samples."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.rows import Result, Row, Stat

_SAMPLE_SECONDS = 0.004
_UNITS = {"us": 1e6, "ms": 1e3, "s": 1.0}


@dataclass(frozen=True)
class Settings:
    """How large a run is.

    Attributes:
        quick: A short run: the same rows on fewer samples, and no 10,000 real puts.
        samples: Samples a side of a timed row.
        directory: Where databases are written; its disk is what commits wait for.
        self_check: Compare the official packages with themselves: every ratio should be 1.
    """

    quick: bool
    samples: int
    directory: Path
    self_check: bool = False


def timed(call: Callable[[], Any]) -> float:
    """Time one call, in seconds."""
    start = perf_counter()
    call()
    return perf_counter() - start


def interleave(
    calls: Mapping[str, Callable[[], Any]], samples: int, repeats: Mapping[str, int] | None = None
) -> dict[str, list[float]]:
    """Time callables in turn, the order reversed every round.

    Args:
        calls: What to time, by name.
        samples: Rounds; each gives every callable one sample.
        repeats: Calls within a sample, by name; 1 if not given.

    Returns:
        Seconds a call, by name, one for each round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    order = list(calls)
    for _ in range(samples):
        gc.collect()
        for name in order:
            count = repeats[name] if repeats else 1
            call = calls[name]
            start = perf_counter()
            for _ in range(count):
                call()
            seconds[name].append((perf_counter() - start) / count)
        order.reverse()
    return seconds


def measure(group: str, row: Row, settings: Settings) -> Result:
    """Check that both sides of a row agree, warm them up, and time them."""
    if row.check is not None:
        row.check(row.ours(), row.official())
    calls = {"ours": row.ours, "official": row.official}
    repeats = {name: _repeats(call) for name, call in calls.items()}
    seconds = interleave(calls, settings.samples, repeats)
    return Result(
        group=group,
        name=row.name,
        unit=row.unit,
        ours=stat(seconds["ours"], row.unit),
        other=stat(seconds["official"], row.unit),
        other_name="official",
        goal=row.goal,
    )


def stat(seconds: list[float], unit: str) -> Stat:
    """Sum up times in a unit: "us", "ms" or "s"."""
    return Stat.of([value * _UNITS[unit] for value in seconds])


def _repeats(call: Callable[[], Any]) -> int:
    call()
    return max(1, int(_SAMPLE_SECONDS / max(timed(call), 1e-9)))
