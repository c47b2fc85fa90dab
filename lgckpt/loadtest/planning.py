"""What a run consists of."""

from __future__ import annotations

from dataclasses import dataclass

from lgckpt.loadtest.load import Load
from lgckpt.loadtest.settings import DURATION, RAMP_DURATION, Settings
from lgckpt.loadtest.tape import read_tape
from lgckpt.loadtest.workloads import parse


@dataclass(frozen=True)
class Plan:
    """What a run consists of.

    Attributes:
        workload: Its name for people.
        levels: The loads, ascending.
        seconds: Of each level on each side.
        warmup: Seconds before, on each side.
    """

    workload: str
    levels: tuple[Load, ...]
    seconds: float
    warmup: float

    def total(self, sides: int) -> float:
        """Seconds that all of it takes, about."""
        return sides * (self.warmup + self.seconds * len(self.levels))


def plan_of(settings: Settings) -> Plan:
    """Plan a run.

    Raises:
        ConfigurationError: The settings make no sense.
    """
    levels = settings.levels()
    seconds = settings.duration or (DURATION if settings.ramp is None else RAMP_DURATION)
    if settings.replay is None:
        return Plan(parse(settings.workload).name, tuple(levels), seconds, settings.warmup)
    tape = read_tape(settings.replay)
    name = f"replay:{settings.replay.name}"
    if settings.pace is None:
        return Plan(name, tuple(levels), seconds, settings.warmup)
    # As many clients as threads were under way at once; nothing is warmed up, or the beginning
    # of the recording would be missing.
    span = settings.duration or max(tape.seconds / settings.pace, settings.interval)
    return Plan(name, (Load(max(settings.clients, tape.overlap)),), span, 0.0)
