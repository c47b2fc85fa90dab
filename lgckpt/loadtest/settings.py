"""How a load test is done."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.load import Load

DURATION, RAMP_DURATION = 20.0, 5.0
"""Seconds on each side, and on each level of a ramp, if nothing is said."""

CLIENTS, OPEN_CLIENTS = 16, 256
"""Clients of a closed loop, and supersteps an open one may have under way, if nothing is said."""

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|m|min))?")


@dataclass(frozen=True)
class Settings:
    """How a load test is done.

    Attributes:
        url: What is tested.
        vs: Another target, tested in turns with the first.
        workload: See `lgckpt.loadtest.workloads.parse`.
        replay: A recording to play in place of a workload.
        pace: Of a recording: None for as fast as may be, 1.0 as it was recorded, 2.0 twice as fast.
        clients: Of a closed loop, or how many supersteps an open one may have under way.
        rate: Supersteps a second of an open loop.
        ramp: The least and the most clients, or supersteps a second if `ramp_rate`.
        ramp_rate: Whether the ramp is of rates.
        duration: Seconds on each side, or on each level of a ramp; None for what suits: `DURATION`,
            `RAMP_DURATION`, or as long as a recording takes at its pace.
        warmup: Seconds before, on each side.
        processes: Client processes.
        seed: What the workload is made from.
        chaos: Whether to kill the embedded server and start it again, now and then.
        connections: Of a saver's pool in each process.
        timeout: Seconds that a call may take.
        keep: Whether the threads are left in the database.
        interval: Seconds of a sample.
    """

    url: str
    vs: str | None = None
    workload: str = "chat"
    replay: Path | None = None
    pace: float | None = None
    clients: int = CLIENTS
    rate: float | None = None
    ramp: tuple[float, float] | None = None
    ramp_rate: bool = False
    duration: float | None = None
    warmup: float = 3.0
    processes: int = 1
    seed: int = 1
    chaos: bool = False
    connections: int = 10
    timeout: float = 30.0
    keep: bool = False
    interval: float = 1.0

    def __post_init__(self) -> None:
        counts = {
            "clients": self.clients,
            "processes": self.processes,
            "connections": self.connections,
        }
        for name, count in counts.items():
            if count < 1:
                raise ConfigurationError(f"{name}: at least 1, not {count}")
        spans = {
            "duration": 1.0 if self.duration is None else self.duration,
            "timeout": self.timeout,
            "interval": self.interval,
        }
        for name, seconds in spans.items():
            if not 0 < seconds < math.inf:
                raise ConfigurationError(f"{name}: more than nothing, not {seconds:g} seconds")
        if not 0 <= self.warmup < math.inf:
            raise ConfigurationError(f"warmup: no less than nothing, not {self.warmup:g} seconds")
        if self.rate is not None and self.ramp is not None:
            raise ConfigurationError("a rate or a ramp, not both")
        if self.pace is not None and self.replay is None:
            raise ConfigurationError("only a recording has a pace: --replay FILE --pace 1")
        if self.pace is not None and (self.rate is not None or self.ramp is not None):
            raise ConfigurationError("a pace is a rate already: no --rate and no --ramp with it")

    def levels(self) -> list[Load]:
        """The loads, ascending; one if there is no ramp."""
        if self.ramp is None:
            return [Load(self.clients, self.rate)]
        low, high = self.ramp
        steps = [low]
        while steps[-1] * 2 < high:
            steps.append(steps[-1] * 2)
        if high > low:
            steps.append(high)
        if self.ramp_rate:
            return [Load(self.clients, step) for step in steps]
        return [Load(int(step)) for step in steps]


def rate_of(text: str) -> float:
    """`500/s`, `500` or `30/min`, as supersteps a second.

    Raises:
        ConfigurationError: It is no rate.
    """
    found = _RATE.fullmatch(text.strip())
    if found is None or not float(found[1]):
        raise ConfigurationError(f"a rate is as 500/s or 30/min, not {text!r}")
    return float(found[1]) / (60 if (found[2] or "s").startswith("m") else 1)


def ramp_of(text: str) -> tuple[tuple[float, float], bool]:
    """`1..512`, or of rates `100/s..5000/s`; and whether it is of rates.

    Raises:
        ConfigurationError: It is no ramp.
    """
    low, dots, high = text.partition("..")
    if not dots:
        raise ConfigurationError(f"a ramp is as 1..512 or 100/s..5000/s, not {text!r}")
    of_rates = "/" in text
    if not of_rates and not (low.strip().isdecimal() and high.strip().isdecimal()):
        raise ConfigurationError(f"a ramp of clients is as 1..512, not {text!r}")
    found = rate_of(low), rate_of(high)
    if found[0] > found[1]:
        raise ConfigurationError(f"a ramp goes up, not {text!r}")
    return found, of_rates


_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """`90`, `90s`, `5m` or `1h`, in seconds.

    Raises:
        ConfigurationError: It is no length of time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?", text.strip())
    if found is None:
        raise ConfigurationError(f"a duration is as 30s, 5m or 1h, not {text!r}")
    return float(found[1]) * _UNITS[found[2] or ""]
