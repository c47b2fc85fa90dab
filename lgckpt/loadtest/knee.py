"""Where a ramp's knee is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lgckpt.loadtest.results import Level

ENOUGH = 0.9
"""Of the best throughput, in a closed loop."""

CARRIED = 0.95
"""Of what was asked for, in an open loop."""


def with_knee(levels: Sequence[Level], *, is_open: bool) -> tuple[Level, ...]:
    """Mark the knee: more load than there brings next to nothing but latency.

    In a closed loop it is the least load that reaches nine tenths of the best throughput of all;
    in an open one the highest up to which all that was asked for was done.
    """
    at = _open(levels) if is_open else _closed(levels)
    return tuple(replace(level, knee=number == at) for number, level in enumerate(levels))


def _closed(levels: Sequence[Level]) -> int | None:
    best = max((level.steps_per_second for level in levels), default=0.0)
    good = (n for n, one in enumerate(levels) if best and one.steps_per_second >= best * ENOUGH)
    return next(good, None)


def _open(levels: Sequence[Level]) -> int | None:
    found = None
    for number, level in enumerate(levels):
        if level.steps_per_second < level.load * CARRIED:
            break
        found = number
    return found
