"""What is known of one side of a run so far."""

from __future__ import annotations

from collections import Counter

from lgckpt.loadtest.latencies import Latencies
from lgckpt.loadtest.recorder import EXAMPLES, Snapshot
from lgckpt.loadtest.results import (
    OPERATIONS,
    Correctness,
    Event,
    Growth,
    Level,
    OperationStats,
    Sample,
    Side,
)
from lgckpt.loadtest.targets import Target


class Calls:
    """Latencies and errors of all operations over some time."""

    def __init__(self) -> None:
        self.latencies = {name: Latencies() for name in OPERATIONS}
        self.errors: Counter[tuple[str, str]] = Counter()
        self.steps = 0
        self.seconds = 0.0

    def add(self, found: Snapshot, seconds: float) -> None:
        """Add what happened in so many seconds."""
        self.errors.update(found.errors)
        self.steps += found.steps
        self.seconds += seconds
        for name, values in found.latencies.items():
            record = self.latencies[name].record
            for value in values:
                record(value)

    def stats(self) -> tuple[OperationStats, ...]:
        """What is told of the operations that there were."""
        found = []
        for name, latencies in self.latencies.items():
            errors = {kind: n for (of, kind), n in self.errors.items() if of == name}
            if latencies.count or errors:
                found.append(latencies.stats(name, errors))
        return tuple(found)


class Tally:
    """One side.

    Args:
        target: What is tested.
        name: Unique in the run.
    """

    def __init__(self, target: Target, name: str) -> None:
        self.target = target
        self.name = name
        self.server = ""
        self.all = Calls()
        self.level: tuple[float, Calls] | None = None
        self.levels: list[Level] = []
        self.samples: list[Sample] = []
        self.growth: list[Growth] = []
        self.events: list[Event] = []
        self.given_up = 0
        self.late = 0
        self._correct = Snapshot()
        self._so_far = Snapshot()
        self._measured = Snapshot()
        self._grown = 0
        self._before: int | None = None

    def grew(self, stored: int | None) -> None:
        """Note what the database holds now, at the end of one of this side's turns or within it."""
        if stored is not None and self._before is not None:
            self._grown += stored - self._before
        self._before = stored if stored is not None else self._before
        done = self._so_far
        told = self._grown if stored is not None else None
        self.growth.append(Growth(done.steps, done.threads, done.written, told))

    def turn(self, stored: int | None) -> None:
        """Note what the database holds as a turn begins: what came meanwhile is not this side's."""
        if stored is not None:
            self._before = stored

    def checked(self, found: Snapshot) -> None:
        """Add what reads showed, measured or not."""
        one = self._correct
        one.checked += found.checked
        one.faults.update(found.faults)
        one.examples = (one.examples + found.examples)[:EXAMPLES]
        self.given_up += found.given_up

    def add(self, found: Snapshot, seconds: float, at: float | None) -> None:
        """Add an interval.

        Args:
            found: What happened in it.
            seconds: How long it was.
            at: Its end since measuring began; None if it is not measured.
        """
        self.checked(found)
        self._add_totals(self._so_far, found)
        if at is None:
            return
        self.late += found.late
        self._add_totals(self._measured, found)
        self.all.add(found, seconds)
        if self.level is not None:
            self.level[1].add(found, seconds)
        self.samples.append(_sample(found, seconds, at))

    @staticmethod
    def _add_totals(to: Snapshot, found: Snapshot) -> None:
        for name in ("steps", "threads", "written", "cpu"):
            setattr(to, name, getattr(to, name) + getattr(found, name))

    def begin_level(self, load: float) -> None:
        """What is measured from now on is at this load."""
        self.level = (load, Calls())

    def end_level(self) -> None:
        """That load is done with."""
        if self.level is None:
            return
        load, calls = self.level
        self.level = None
        rate = calls.steps / calls.seconds if calls.seconds else 0.0
        self.levels.append(Level(load, rate, calls.seconds, calls.stats()))

    def side(self) -> Side:
        """All of it."""
        faults = self._correct.faults
        return Side(
            name=self.name,
            url=self.target.given,
            server=self.server,
            steps=self.all.steps,
            seconds=self.all.seconds,
            operations=self.all.stats(),
            samples=tuple(self.samples),
            levels=tuple(self.levels),
            growth=tuple(self.growth),
            correctness=Correctness(
                checked=self._correct.checked,
                lost=faults["lost"],
                torn=faults["torn"],
                stale=faults["stale"],
                doubled=faults["doubled"],
                examples=tuple(self._correct.examples),
            ),
            events=tuple(self.events),
            written=self._measured.written,
            stored=self.growth[-1].stored if self.growth else None,
            cpu_seconds=self._measured.cpu,
            given_up=self.given_up,
            late=self.late,
        )


def _sample(found: Snapshot, seconds: float, at: float) -> Sample:
    counts, p50, p99 = {}, {}, {}
    for name, values in found.latencies.items():
        if values:
            ordered = sorted(values)
            counts[name] = len(ordered)
            p50[name] = ordered[len(ordered) // 2] * 1000
            p99[name] = ordered[min(len(ordered) * 99 // 100, len(ordered) - 1)] * 1000
    return Sample(
        at=at,
        seconds=seconds,
        steps=found.steps,
        counts=counts,
        p50_ms=p50,
        p99_ms=p99,
        errors=sum(found.errors.values()),
        cpu=found.cpu / seconds if seconds else 0.0,
    )
