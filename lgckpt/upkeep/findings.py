"""What a doctor finds, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]
"""Something is lost or will be; something is wrong and nothing is lost; good to know."""

MOST = 1000
"""Findings that are held and returned; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: A word for programs, as "dangling-reference".
        what: What is wrong.
        mend: How to mend it.
        thread_id: Where; None where it is not within a thread, and so on for the others.
        repaired: Whether it was mended just now.
    """

    severity: Severity
    kind: str
    what: str
    mend: str
    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    channel: str | None = None
    repaired: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """What a doctor found.

    Attributes:
        threads: Threads that were looked at; likewise the next three.
        findings: The first of them.
        errors: How many there are of this severity; likewise the next two.
        repaired: How many findings were mended.
    """

    threads: int
    checkpoints: int
    writes: int
    chunks: int
    findings: tuple[Finding, ...]
    errors: int
    warnings: int
    notes: int
    repaired: int

    @property
    def healthy(self) -> bool:
        """Whether there is nothing left to mend; notes ask for nothing."""
        return not self.errors and not self.warnings


@dataclass
class Chart:
    """What was found so far.

    Attributes:
        tell: Called with each finding as it is made.
    """

    tell: Callable[[Finding], None] | None = None
    threads: int = 0
    checkpoints: int = 0
    writes: int = 0
    chunks: int = 0
    repaired: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: dict[Severity, int] = field(default_factory=dict)

    def add(self, found: Iterable[Finding]) -> None:
        """Write findings down; what was mended counts as that only."""
        for one in found:
            if len(self.findings) < MOST:
                self.findings.append(one)
            if one.repaired:
                self.repaired += 1
            else:
                self.counts[one.severity] = self.counts.get(one.severity, 0) + 1
            if self.tell is not None:
                self.tell(one)

    def diagnosis(self) -> Diagnosis:
        """All of it."""
        return Diagnosis(
            self.threads,
            self.checkpoints,
            self.writes,
            self.chunks,
            tuple(self.findings),
            self.counts.get("error", 0),
            self.counts.get("warning", 0),
            self.counts.get("note", 0),
            self.repaired,
        )
