"""What a load test found: frozen dataclasses, and `results.json` (a versioned schema)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lgckpt.errors import ConfigurationError

SCHEMA = 1
"""Version of `results.json`. A file of a newer one is refused; older ones are read for ever."""

OPERATIONS = ("put", "put_writes", "get", "list")
"""The calls that are timed, in the order in which they are shown."""


@dataclass(frozen=True)
class OperationStats:
    """One kind of call on one side, over the measured time.

    Latencies are in milliseconds, from the moment at which the call was due.

    Attributes:
        operation: One of `OPERATIONS`.
        count: Calls that came back.
        errors: Calls that failed, by kind: the name of the exception's class.
        histogram: All latencies in microseconds, as an HdrHistogram of format V2 (compressed,
            base64); "" where there are none. Any HdrHistogram library reads it.
    """

    operation: str
    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float
    errors: Mapping[str, int] = field(default_factory=dict)
    histogram: str = ""


@dataclass(frozen=True)
class Sample:
    """One interval, of about a second, of one side's time series.

    Attributes:
        at: Its end, in seconds since measuring began, by the clock on the wall. Where the sides
            take turns, a side has no samples in the other's turns.
        seconds: How long it was.
        steps: Supersteps that were finished in it.
        counts: Calls finished in it, by operation.
        p50_ms: Median latency in it, by operation.
        p99_ms: By operation.
        errors: Calls that failed in it.
        cpu: CPU time of the clients' processes over `seconds`: 1.0 is one core busy.
    """

    at: float
    seconds: float
    steps: int
    counts: Mapping[str, int]
    p50_ms: Mapping[str, float]
    p99_ms: Mapping[str, float]
    errors: int = 0
    cpu: float = 0.0


@dataclass(frozen=True)
class Level:
    """One load of a ramp on one side.

    Attributes:
        load: Clients of a closed loop, or supersteps a second that an open loop asked for.
        steps_per_second: Supersteps a second that came back.
        seconds: How long it was held.
        operations: The calls at this load.
        knee: More load than this brings no more throughput worth its latency.
    """

    load: float
    steps_per_second: float
    seconds: float
    operations: tuple[OperationStats, ...]
    knee: bool = False


@dataclass(frozen=True)
class Growth:
    """What was stored when so many supersteps had been written, warm-up included.

    Attributes:
        steps: Supersteps of all threads so far.
        threads: Threads so far.
        written: Bytes of state that the graphs handed over so far, as the plain serializer
            packs the values new in each step.
        stored: Bytes by which the database grew for it, as it tells them; None if it does not.
    """

    steps: int
    threads: int
    written: int
    stored: int | None


@dataclass(frozen=True)
class Correctness:
    """Reads compared with what the same client had written. Anything but `checked` fails the run.

    Attributes:
        checked: Reads that were compared.
        lost: Acknowledged data that was not there.
        torn: Some of a checkpoint or of a batch of writes, and not the rest.
        stale: An older state than the one acknowledged last.
        doubled: Data that was there twice.
        examples: The first few, in words.
    """

    checked: int = 0
    lost: int = 0
    torn: int = 0
    stale: int = 0
    doubled: int = 0
    examples: tuple[str, ...] = ()

    @property
    def wrong(self) -> int:
        """How many reads were not what had been written."""
        return self.lost + self.torn + self.stale + self.doubled


@dataclass(frozen=True)
class Event:
    """Something that a reader of the plots must know of, such as the server being killed.

    Attributes:
        at: Seconds, on the clock of `Sample.at`.
        what: In a few words.
    """

    at: float
    what: str


@dataclass(frozen=True)
class Side:
    """What was found on one target.

    Attributes:
        name: Short and unique in the run: "lgckpt postgres", "official postgres".
        url: The target, its password hidden.
        server: The database and its version, as it calls itself: "PostgreSQL 18.1".
        steps: Supersteps that came back in the measured time.
        seconds: The measured time on this side.
        operations: The calls, in the order of `OPERATIONS`.
        samples: The time series.
        levels: The loads of a ramp, ascending; empty without one.
        growth: What was stored as the steps went on, ascending.
        correctness: The checks.
        events: Kills and restarts.
        written: Bytes of state handed over (see `Growth.written`) in the measured time.
        stored: Bytes by which the database grew, warm-up included; None if it does not tell.
        cpu_seconds: CPU time of the clients' processes in the measured time.
        given_up: Threads that were left after a call that failed again and again.
        late: Supersteps that were due in an open loop, and not begun in time.
    """

    name: str
    url: str
    server: str
    steps: int
    seconds: float
    operations: tuple[OperationStats, ...]
    samples: tuple[Sample, ...] = ()
    levels: tuple[Level, ...] = ()
    growth: tuple[Growth, ...] = ()
    correctness: Correctness = field(default_factory=Correctness)
    events: tuple[Event, ...] = ()
    written: int = 0
    stored: int | None = None
    cpu_seconds: float = 0.0
    given_up: int = 0
    late: int = 0

    @property
    def steps_per_second(self) -> float:
        """Supersteps a second over the measured time."""
        return self.steps / self.seconds if self.seconds else 0.0

    @property
    def errors(self) -> dict[str, int]:
        """Failed calls of all operations, by kind."""
        found: dict[str, int] = {}
        for operation in self.operations:
            for kind, count in operation.errors.items():
                found[kind] = found.get(kind, 0) + count
        return found


@dataclass(frozen=True)
class Run:
    """A load test: how it was done, and what was found on each side.

    Attributes:
        started: When, as ISO 8601 with the time zone.
        workload: Its name; of a mix, with the weights: "mixed:chat=3,hitl=1".
        seed: What the workload was made from.
        loop: "closed" (each client waits for an answer, then goes on) or "open" (supersteps are
            due at a fixed rate, whether or not earlier ones came back).
        clients: Of a closed loop, the most of a ramp; of an open one, how many there may be.
        rate: Supersteps a second of an open loop; None in a closed one.
        duration: Seconds that were asked for, on each side or level.
        warmup: Seconds before them that are not counted.
        processes: Client processes.
        versions: Of lgckpt, LangGraph, Python and the drivers.
        machine: Of the client: "cpu", "cores", "memory", "system".
        command: The command line, passwords hidden; "" if there was none.
        notes: Anything else that a reader must know.
    """

    started: str
    workload: str
    seed: int
    loop: str
    clients: int
    rate: float | None
    duration: float
    warmup: float
    processes: int
    versions: Mapping[str, str]
    machine: Mapping[str, str]
    sides: tuple[Side, ...]
    command: str = ""
    notes: tuple[str, ...] = ()

    @property
    def wrong(self) -> int:
        """Reads, of all sides, that were not what had been written."""
        return sum(side.correctness.wrong for side in self.sides)


@dataclass(frozen=True)
class Progress:
    """Where a run is, for whoever watches it.

    Attributes:
        phase: "warm-up", "measuring", "64 clients", "settling": in a word or two.
        elapsed: Seconds of the whole run so far.
        total: Seconds that it will take about.
        side: The side whose turn it is; "" where they all are.
    """

    phase: str
    elapsed: float
    total: float
    side: str = ""


def document(run: Run) -> dict[str, Any]:
    """A run as what JSON can hold, with the version of its schema."""
    return {"schema": SCHEMA, **asdict(run)}


def write(run: Run, path: Path) -> None:
    """Write `results.json`."""
    path.write_text(
        json.dumps(document(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def read(path: Path) -> Run:
    """Read what `write` wrote.

    Raises:
        ConfigurationError: It is not there, no such file, or one of a newer lgckpt.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ConfigurationError(f"{path} is not the JSON of a load test") from exc
    schema = found.pop("schema", None) if isinstance(found, dict) else None
    if not isinstance(schema, int):
        raise ConfigurationError(f"{path} is not the JSON of a load test")
    if schema > SCHEMA:
        raise ConfigurationError(
            f"{path} has schema {schema}, of a newer lgckpt; this one reads up to {SCHEMA}"
        )
    try:
        return _run(found)
    except (KeyError, TypeError, AttributeError) as exc:
        raise ConfigurationError(f"{path} is damaged: {exc}") from exc


def _run(found: dict[str, Any]) -> Run:
    sides = tuple(_side(side) for side in found["sides"])
    return Run(**{**found, "sides": sides, "notes": tuple(found["notes"])})


def _side(found: dict[str, Any]) -> Side:
    checks = found["correctness"]
    return Side(
        **{
            **found,
            "operations": _operations(found["operations"]),
            "samples": tuple(Sample(**one) for one in found["samples"]),
            "levels": tuple(_level(one) for one in found["levels"]),
            "growth": tuple(Growth(**one) for one in found["growth"]),
            "correctness": Correctness(**{**checks, "examples": tuple(checks["examples"])}),
            "events": tuple(Event(**one) for one in found["events"]),
        }
    )


def _level(found: dict[str, Any]) -> Level:
    return Level(**{**found, "operations": _operations(found["operations"])})


def _operations(found: list[dict[str, Any]]) -> tuple[OperationStats, ...]:
    return tuple(OperationStats(**one) for one in found)
