"""Two runs beside each other: what changed, and whether it is more than the runs' own unrest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from lgckpt.loadtest.report.figures import rate, size, took
from lgckpt.loadtest.results import OPERATIONS, OperationStats, Run, Sample, Side

FEWEST = 4
"""Samples from which on a spread is told."""

CALM = 0.02
"""The least unrest that is assumed: no smaller change is called one."""


UNEVEN = 0.1
"""The unrest of what is stored: it depends on how long the threads were when a run ended."""


@dataclass(frozen=True)
class Change:
    """One figure in two runs.

    Attributes:
        side: Whose it is: its name, or both names where they differ.
        what: "supersteps/s", "put p50", "stored a superstep".
        before: In the first run.
        after: In the second.
        ratio: The second over the first; None if one of them is zero.
        unrest: By which share the figure went up and down within the runs themselves (half of
            the distance of the quartiles over the median, of both runs together); None if that
            is not known.
        less_is_better: Which way is the better one.
        shown: Writes a figure with its unit.
    """

    side: str
    what: str
    before: float
    after: float
    unrest: float | None
    less_is_better: bool
    shown: Callable[[float], str]

    @property
    def ratio(self) -> float | None:
        """The second over the first; None if one of them is zero."""
        return self.after / self.before if self.before and self.after else None

    @property
    def judged(self) -> str:
        """Said in a word: "better", "worse", "same" (within the unrest); "" if not known."""
        if self.ratio is None or self.unrest is None:
            return ""
        if abs(self.ratio - 1) <= self.unrest:
            return "same"
        return "better" if (self.ratio < 1) == self.less_is_better else "worse"


def differences(before: Run, after: Run) -> list[str]:
    """What was not the same in how the runs were done, so that they compare less."""
    names = ("workload", "seed", "loop", "clients", "rate", "duration", "warmup", "processes")
    found = [
        f"{name}: {getattr(before, name)} and {getattr(after, name)}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    for what in ("machine", "versions"):
        one, other = getattr(before, what), getattr(after, what)
        found += [
            f"{what}, {key}: {one.get(key, 'unknown')} and {other.get(key, 'unknown')}"
            for key in sorted({*one, *other})
            if one.get(key) != other.get(key)
        ]
    return found


def pairs(before: Run, after: Run) -> list[tuple[Side, Side]]:
    """Sides of the same name; without any, those at the same place."""
    named = {side.name: side for side in after.sides}
    found = [(side, named[side.name]) for side in before.sides if side.name in named]
    return found or list(zip(before.sides, after.sides, strict=False))


def changes(before: Run, after: Run) -> list[Change]:
    """All figures that both runs have."""
    return [one for pair in pairs(before, after) for one in _changes(*pair)]


def jsonable(before: Run, after: Run) -> dict[str, Any]:
    """A comparison for programs; times are in milliseconds."""
    found = changes(before, after)
    names = ("side", "what", "before", "after", "ratio", "unrest", "judged")
    return {
        "differences": differences(before, after),
        "wrong": {"before": before.wrong, "after": after.wrong},
        "changes": [{name: getattr(change, name) for name in names} for change in found],
    }


def _changes(one: Side, other: Side) -> Iterator[Change]:
    name = one.name if one.name == other.name else f"{one.name} / {other.name}"
    unrest = _unrest(one, other, lambda sample: sample.steps / sample.seconds)
    rates = (one.steps_per_second, other.steps_per_second)
    yield Change(name, "supersteps/s", *rates, unrest, False, rate)
    for call in OPERATIONS:
        first, second = _named(one, call), _named(other, call)
        if first is None or second is None:
            continue
        for what, waits in (("p50", "p50_ms"), ("p99", "p99_ms")):
            unrest = _unrest(one, other, _wait(waits, call))
            figures = (getattr(first, waits), getattr(second, waits))
            yield Change(name, f"{call} {what}", *figures, unrest, True, took)
    if one.growth and other.growth:
        stored = (_stored(one), _stored(other))
        yield Change(name, "stored a superstep", *stored, UNEVEN, True, lambda n: size(round(n)))


def _wait(field: str, call: str) -> Callable[[Sample], float | None]:
    return lambda sample: getattr(sample, field).get(call)


def _named(side: Side, call: str) -> OperationStats | None:
    return next((one for one in side.operations if one.operation == call and one.count), None)


def _stored(side: Side) -> float:
    last = side.growth[-1]
    return (last.stored or 0) / last.steps if last.steps else 0.0


def _unrest(one: Side, other: Side, value: Callable[[Sample], float | None]) -> float | None:
    shares = [
        _spread([found for sample in side.samples if (found := value(sample)) is not None])
        for side in (one, other)
    ]
    known = [share for share in shares if share is not None]
    return max(sum(known), CALM) if len(known) == len(shares) else None


def _spread(values: Sequence[float]) -> float | None:
    if len(values) < FEWEST or not median(values):
        return None
    low, _, high = quantiles(values, n=4)
    return (high - low) / 2 / median(values)
