"""What clients did, noted at the cost of an append and told by intervals."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from time import process_time

from lgckpt.loadtest.checking import Fault
from lgckpt.loadtest.results import OPERATIONS

EXAMPLES = 10
"""Faults that are kept in words."""


@dataclass
class Snapshot:
    """What happened in an interval; those of several processes, and of several intervals, add up.

    Attributes:
        latencies: Seconds from when each call was due to its end, by operation.
        errors: By operation and kind.
        steps: Supersteps that were finished.
        threads: Threads that were begun.
        written: Bytes of state handed over.
        checked: Reads that were compared.
        faults: By kind.
        examples: The first few, in words.
        late: Supersteps that were due, and never begun.
        given_up: Threads left alone after calls that failed again and again.
        cpu: CPU seconds of the process.
    """

    latencies: dict[str, array[float]] = field(
        default_factory=lambda: {name: array("d") for name in OPERATIONS}
    )
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: int = 0
    threads: int = 0
    written: int = 0
    checked: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    late: int = 0
    given_up: int = 0
    cpu: float = 0.0

    def add(self, other: Snapshot) -> None:
        """Add another's to this one."""
        for name, values in other.latencies.items():
            self.latencies[name].extend(values)
        self.errors.update(other.errors)
        self.faults.update(other.faults)
        self.examples = (self.examples + other.examples)[:EXAMPLES]
        for name in ("steps", "threads", "written", "checked", "late", "given_up", "cpu"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Recorder:
    """Where the clients of one process note what they do."""

    def __init__(self) -> None:
        self._now = Snapshot()
        self._cpu = process_time()

    def call(self, operation: str, due: float, end: float, size: int) -> None:
        """Note a call that came back.

        Args:
            operation: Which.
            due: When it should have been made, by `time.perf_counter`.
            end: When it came back.
            size: Bytes of state that it handed over.
        """
        now = self._now
        now.latencies[operation].append(end - due)
        now.written += size
        if operation == "put":
            now.steps += 1

    def error(self, operation: str, kind: str) -> None:
        """Note a call that failed."""
        self._now.errors[operation, kind] += 1

    def read(self, faults: list[Fault]) -> None:
        """Note a read that was compared."""
        now = self._now
        now.checked += 1
        # A read is wrong once, by the first thing that is wrong with it.
        for fault in faults[:1]:
            now.faults[fault.kind] += 1
        for fault in faults:
            if len(now.examples) < EXAMPLES:
                now.examples.append(f"{fault.kind}: {fault.what}")

    def thread(self) -> None:
        """Note a thread that was begun."""
        self._now.threads += 1

    def late(self, steps: int) -> None:
        """Note supersteps that were due, and not begun before all ended."""
        self._now.late += steps

    def give_up(self) -> None:
        """Note a thread that was left alone."""
        self._now.given_up += 1

    def snapshot(self) -> Snapshot:
        """What happened since this was called last."""
        found, self._now = self._now, Snapshot()
        cpu = process_time()
        found.cpu, self._cpu = cpu - self._cpu, cpu
        return found
