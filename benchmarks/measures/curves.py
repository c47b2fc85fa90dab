"""Curves: the same measurement at sizes that grow, as rows of the table and lines of a plot."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.measures.growth import Samples
from benchmarks.rows import Goal, Kind, Point, Result, Stat

BACKENDS = {"sqlite": "SQLite", "postgres": "Postgres", "redis": "Redis"}
"""As headings."""

OFFICIAL = {"sqlite": "SqliteSaver", "postgres": "PostgresSaver", "redis": "RedisSaver"}
"""The official savers."""

_KINDS = {"ms": Kind.FASTER, "kB": Kind.SMALLER, "/s": Kind.MORE}


def point(
    group: str, backend: str, at: int, counted: str, quantity: str, unit: str, samples: Samples
) -> Result:
    """Make a row of one point.

    Args:
        group: Of the row.
        backend: A key of `BACKENDS`.
        at: How many of what is counted.
        counted: What is counted, as the row's name has it.
        quantity: What was measured.
        unit: Of the samples.
        samples: Of both sides.
    """
    heading = BACKENDS[backend]
    return Result(
        group=group,
        name=f"{heading}: {quantity}, {at:,} {counted}",
        unit=unit,
        ours=Stat.of(samples["ours"]),
        other=Stat.of(samples["official"]),
        other_name=OFFICIAL[backend],
        goal=Goal(_KINDS[unit]),
        point=Point(heading, quantity, at),
    )


def in_ms(seconds: Mapping[str, list[float]]) -> Samples:
    """Samples in milliseconds."""
    return {side: [value * 1e3 for value in values] for side, values in seconds.items()}
