"""Where agents come from: each is a script on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lgckpt.loadtest.calls import Call, Pause, Script, Together
from lgckpt.loadtest.ledger import Ledger

MakeScript = Callable[[str, int], Script]
"""From a thread's id and a seed, the calls of an agent."""


@dataclass
class Agent:
    """One thread's life.

    Attributes:
        calls: What is still to be called.
        ledger: What was written.
        began: When its first call was due, by `time.perf_counter`, if it has a pace.
    """

    thread_id: str
    calls: Script
    ledger: Ledger = field(default_factory=Ledger)
    began: float | None = None

    def next(self) -> Call | Pause | Together | None:
        """What comes next; None at the end."""
        return next(self.calls, None)


class Dealer:
    """Hands out agents; the n-th has the same calls whoever asks, for the same seed.

    Args:
        make: Makes a script.
        seed: Of the run.
        prefix: What the ids of its threads begin with.
        numbers: The numbers that this process may give agents.
    """

    def __init__(self, make: MakeScript, seed: int, prefix: str, numbers: Iterator[int]) -> None:
        self._make = make
        self._seed = seed
        self._prefix = prefix
        self._numbers = numbers
        self.threads: list[str] = []

    def deal(self) -> Agent:
        """A new agent."""
        number = next(self._numbers)
        thread_id = f"{self._prefix}-{number}"
        self.threads.append(thread_id)
        return Agent(thread_id, self._make(thread_id, self._seed * 1_000_003 + number))
