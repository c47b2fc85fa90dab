"""The data of one run: samples, rows of the table, goals and results. No measuring here."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """How a row's score is made and read."""

    FASTER = "x faster"
    SMALLER = "x smaller"
    MORE = "x more"
    AT_MOST_TIMES = "x at most"
    AT_MOST = "at most"
    INFORMATION = "information"


@dataclass(frozen=True)
class Stat:
    """Samples of one quantity, summed up."""

    median: float
    low: float
    high: float
    count: int

    @classmethod
    def of(cls, samples: Sequence[float]) -> Stat:
        """Sum up samples: the median and the quartiles around it.

        Raises:
            ValueError: There are no samples.
        """
        if not samples:
            raise ValueError("no samples")
        if len(samples) < 2:
            return cls(samples[0], samples[0], samples[0], 1)
        low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
        return cls(median, low, high, len(samples))

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, relative to the median."""
        return (self.high - self.low) / 2 / abs(self.median) if self.median else 0.0


@dataclass(frozen=True)
class Goal:
    """What a row has to reach (`bar`) and may reach (`aim`), in the unit of its score."""

    kind: Kind = Kind.INFORMATION
    bar: float | None = None
    aim: float | None = None

    def reached(self, score: float, limit: float | None) -> bool | None:
        """Whether a score is as good as a limit; None where there is no limit."""
        if limit is None:
            return None
        if self.kind in (Kind.AT_MOST_TIMES, Kind.AT_MOST):
            return score <= limit
        return score >= limit


@dataclass(frozen=True)
class Row:
    """Two callables to time against each other.

    Attributes:
        name: What is done, unique within the group.
        ours: Does it with lgckpt.
        official: Does the same with the official package.
        goal: The bar and the aim.
        unit: Of the time shown: "us" or "ms".
        check: Called once with both results before anything is timed; raises if they differ.
    """

    name: str
    ours: Callable[[], Any]
    official: Callable[[], Any]
    goal: Goal = field(default_factory=Goal)
    unit: str = "ms"
    check: Callable[[Any, Any], None] | None = None


@dataclass(frozen=True)
class Point:
    """Where a result lies on a curve.

    Attributes:
        backend: Whose curve it is, as a heading.
        quantity: What is measured along it, as a heading.
        at: How many of what the group counts.
    """

    backend: str
    quantity: str
    at: int


@dataclass(frozen=True)
class Result:
    """One measured row.

    Attributes:
        group: The group of workloads.
        name: What was measured.
        unit: Of both sides' figures.
        ours: lgckpt's samples.
        other: What it is compared with, if anything.
        other_name: What that is.
        goal: The bar and the aim.
        note: What a reader must know to read the figure right.
        point: Where it lies on a curve, if it is part of one.
    """

    group: str
    name: str
    unit: str
    ours: Stat
    other: Stat | None
    other_name: str
    goal: Goal
    note: str = ""
    point: Point | None = None

    @property
    def score(self) -> float | None:
        """The figure the goal is about; None where there is nothing to compare with."""
        if self.goal.kind is Kind.AT_MOST:
            return self.ours.median
        if self.other is None:
            return None
        if self.goal.kind in (Kind.AT_MOST_TIMES, Kind.MORE):
            return self.ours.median / self.other.median
        return self.other.median / self.ours.median

    @property
    def holds(self) -> bool | None:
        """Whether the bar is reached; None where there is no bar."""
        return None if self.score is None else self.goal.reached(self.score, self.goal.bar)

    @property
    def aim_reached(self) -> bool | None:
        """Whether the aim is reached; None where there is no aim."""
        return None if self.score is None else self.goal.reached(self.score, self.goal.aim)
