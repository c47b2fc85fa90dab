"""A run with two sides, made up from a seed: what a report is made of in these tests."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import exp
from random import Random

from lgckpt.loadtest.latencies import Latencies
from lgckpt.loadtest.results import (
    OPERATIONS,
    Correctness,
    Event,
    Growth,
    Level,
    OperationStats,
    Run,
    Sample,
    Side,
)

SECONDS = 30
SCALE = {"put": 1.0, "put_writes": 0.6, "get": 1.4, "list": 3.0}


def operations(rng: Random, median: float, count: int = 1500) -> tuple[OperationStats, ...]:
    """Calls with a long tail; `median` is put's, in seconds."""
    found = []
    for name in OPERATIONS:
        latencies = Latencies()
        for _ in range(count):
            latencies.record(median * SCALE[name] * exp(rng.gauss(0, 0.5)))
        found.append(latencies.stats(name))
    return tuple(found)


def side(name: str, seed: int, speed: float, kept: float) -> Side:
    """One that does `speed` supersteps a second and stores `kept` of what it is handed."""
    rng = Random(seed)
    samples = tuple(_sample(rng, at, speed) for at in range(1, SECONDS + 1))
    growth = tuple(
        Growth(round(speed * at), 64, _handed(speed * at), round(_handed(speed * at) * kept))
        for at in range(1, SECONDS + 1)
    )
    steps = sum(sample.steps for sample in samples)
    return Side(
        name=name,
        url="postgresql://app:***@db/agents",
        server="PostgreSQL 18.1",
        steps=steps,
        seconds=float(SECONDS),
        operations=operations(rng, 2.0 / speed),
        samples=samples,
        growth=growth,
        correctness=Correctness(checked=steps // 3),
        written=_handed(steps),
        stored=growth[-1].stored,
        cpu_seconds=SECONDS * 0.6,
    )


def _handed(steps: float) -> int:
    """Bytes of conversations that grow, each handed over anew in every step."""
    return round(steps * (2000 + steps))


def _sample(rng: Random, at: int, speed: float) -> Sample:
    steps = round(speed * rng.uniform(0.9, 1.1))
    wait = 2000.0 / speed
    p50 = {name: wait * SCALE[name] for name in OPERATIONS}
    p99 = {name: wait * SCALE[name] * rng.uniform(3, 5) for name in OPERATIONS}
    counts = dict.fromkeys(OPERATIONS, steps)
    return Sample(float(at), 1.0, steps, counts, p50, p99, cpu=0.6)


@cache
def run() -> Run:
    """Ours beside the official saver."""
    return Run(
        started="2026-05-04T10:00:00+00:00",
        workload="chat",
        seed=7,
        loop="closed",
        clients=64,
        rate=None,
        duration=float(SECONDS),
        warmup=5.0,
        processes=1,
        versions={"lgckpt": "0.1.0", "langgraph": "1.2.15", "python": "3.11.9"},
        machine={"cpu": "some CPU", "cores": "2", "memory": "8 GB", "system": "Linux"},
        sides=(
            side("lgckpt postgres", 1, 1200.0, 0.02),
            side("official postgres", 2, 340.0, 1.1),
        ),
        command="lgckpt loadtest postgresql://app:***@db/agents --clients 64",
    )


@cache
def ramped() -> Run:
    """The same with a ramp, each side with a knee."""
    made = run()
    return replace(
        made,
        sides=tuple(
            replace(one, levels=_levels(Random(index), one.steps_per_second, index))
            for index, one in enumerate(made.sides)
        ),
    )


def _levels(rng: Random, most: float, seed: int) -> tuple[Level, ...]:
    found = []
    knee = 16 if seed else 64
    for load in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512):
        carried = most * load / (load + knee / 4)
        wait = load / carried / 4
        found.append(Level(load, carried, 5.0, operations(rng, wait, 60), knee=load == knee))
    return tuple(found)


@cache
def killed() -> Run:
    """A run whose server was killed twice, and whose first side lost something."""
    made = run()
    first = made.sides[0]
    samples = tuple(
        replace(one, steps=0, errors=12) if one.at in (10.0, 20.0) else one for one in first.samples
    )
    stats = replace(first.operations[0], errors={"StorageError": 20, "TimeoutError": 4})
    wrong = Correctness(2000, lost=2, stale=1, examples=("thread c-7: step 41 of 42 was read",))
    hurt = replace(
        first,
        samples=samples,
        operations=(stats, *first.operations[1:]),
        events=(Event(9.2, "killed"), Event(10.4, "back"), Event(19.1, "killed")),
        correctness=wrong,
    )
    return replace(made, sides=(hurt, made.sides[1]))
