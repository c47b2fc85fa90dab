"""What a migration has done so far: counted by the engine, shown by whoever wants to."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic

from lgckpt.bulk import Batch, size_of
from lgckpt.migration.report import LISTED, Damage


@dataclass
class Progress:
    """Counters of one migration; what they count is in `lgckpt.migration.report.Migration`.

    Attributes:
        stage: What is being done: "migrate" or "verify".
        places: Places gone through in this pass: moved, found equal, or skipped.
        places_in_all: How many the source has; None until they are counted.
    """

    stage: str = "migrate"
    passes: int = 0
    threads: int = 0
    threads_moved: int = 0
    places: int = 0
    places_in_all: int | None = None
    checkpoints: int = 0
    writes: int = 0
    bytes: int = 0
    skipped: int = 0
    damage: list[Damage] = field(default_factory=list)
    started: float = field(default_factory=monotonic)
    pass_started: float = field(default_factory=monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return monotonic() - self.started

    @property
    def rate(self) -> float:
        """Places a second, in this pass."""
        return self.places / max(monotonic() - self.pass_started, 1e-3)

    @property
    def seconds_left(self) -> float | None:
        """How long this pass still takes at this rate; None if that is not known."""
        if self.places_in_all is None or not self.places:
            return None
        return max(self.places_in_all - self.places, 0) / self.rate

    def begin(self, stage: str) -> None:
        """Start counting for a pass, or for the verification."""
        if stage == "migrate":
            self.passes += 1
            self.skipped = 0
            self.damage.clear()
        self.stage = stage
        self.threads = self.places = 0
        self.places_in_all = None
        self.pass_started = monotonic()

    def moved(self, batch: Batch) -> None:
        """Count what was stored on the target."""
        self.checkpoints += len(batch.rows)
        self.writes += len(batch.writes)
        self.bytes += size_of(batch)

    def skip(self, damage: list[Damage]) -> None:
        """Count what was left out."""
        self.skipped += len(damage)
        self.damage += damage[: max(0, LISTED - len(self.damage))]
