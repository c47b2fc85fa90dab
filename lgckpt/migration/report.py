"""What a migration reports: frozen, and `dataclasses.asdict` gives its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lgckpt.errors import CorruptCheckpointError

LISTED = 1000
"""Of damaged places and of differences, so many are listed; all are counted."""

Kind = Literal["missing", "extra", "changed"]


@dataclass(frozen=True)
class Damage:
    """Something of the source that cannot be moved.

    Attributes:
        checkpoint_id: None where the damage is not within one checkpoint.
        channel: None where the damage is not within one channel.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str | None
    channel: str | None
    reason: str

    def error(self) -> CorruptCheckpointError:
        """The same, to be raised."""
        return CorruptCheckpointError(
            self.reason,
            thread_id=self.thread_id,
            checkpoint_ns=self.checkpoint_ns,
            checkpoint_id=self.checkpoint_id,
            channel=self.channel,
        )

    @classmethod
    def of(cls, error: CorruptCheckpointError) -> Damage:
        """What an error names."""
        return cls(
            error.thread_id,
            error.checkpoint_ns,
            error.checkpoint_id,
            error.channel,
            error.reason,
        )

    def __str__(self) -> str:
        return str(self.error())


@dataclass(frozen=True)
class Difference:
    """Something that is not the same on both sides.

    Attributes:
        kind: Missing or extra on the target, or changed.
        what: "thread", "checkpoint", "parent", "metadata", "channel messages", "write ...".
    """

    kind: Kind
    thread_id: str
    checkpoint_ns: str | None
    checkpoint_id: str | None
    what: str

    def __str__(self) -> str:
        where = f"thread {self.thread_id!r}"
        if self.checkpoint_ns is not None:
            where += f", checkpoint_ns {self.checkpoint_ns!r}"
        if self.checkpoint_id is not None:
            where += f", checkpoint {self.checkpoint_id!r}"
        return f"{self.kind}: {self.what} ({where})"


@dataclass(frozen=True)
class Verification:
    """What a comparison of both sides found.

    Attributes:
        different: How many differences there are; `differences` lists the first of them.
    """

    threads: int
    checkpoints: int
    writes: int
    different: int
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether both sides hold the same."""
        return not self.different


@dataclass(frozen=True)
class Migration:
    """What a migration did, or with `dry_run` what it would do.

    Attributes:
        source: The source's URL, without a password.
        target: The target's.
        threads: Threads looked at, in the last pass.
        threads_moved: Threads of which something was moved; one moved in two passes counts twice.
        checkpoints: Checkpoints moved.
        writes: Pending writes moved, those of checkpoints that were there already too.
        bytes: Stored bytes moved: rows, writes and chunks.
        skipped: Damaged checkpoints and writes left out, in the last pass; `damage` lists the
            first of them.
        passes: How often the source was gone through.
        seconds: How long it took, without `verification`.
        rate: Checkpoints moved a second.
        missing: Threads asked for by name that the source does not have.
        verification: What `verify` found; None if it was not asked for.
    """

    source: str
    target: str
    dry_run: bool
    threads: int
    threads_moved: int
    checkpoints: int
    writes: int
    bytes: int
    skipped: int
    damage: tuple[Damage, ...]
    passes: int
    seconds: float
    rate: float
    missing: tuple[str, ...] = ()
    verification: Verification | None = None

    @property
    def ok(self) -> bool:
        """Whether all asked for was there and sound, and nothing differs if that was asked for."""
        equal = self.verification is None or self.verification.equal
        return equal and not self.skipped and not self.missing
