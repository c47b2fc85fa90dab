"""What was found damaged, by its place, while the rest is shown."""

from __future__ import annotations

from dataclasses import dataclass

from lgckpt.bulk import Place
from lgckpt.errors import CorruptCheckpointError, LgckptError


@dataclass(frozen=True, slots=True)
class Damage:
    """One checkpoint, write or channel that cannot be read."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str | None
    channel: str | None
    reason: str

    def __str__(self) -> str:
        where = f"thread {self.thread_id!r}, checkpoint_ns {self.checkpoint_ns!r}"
        where += f", checkpoint {self.checkpoint_id!r}"
        if self.channel is not None:
            where += f", channel {self.channel!r}"
        return f"{where}: {self.reason}"


def damage(exc: Exception, thread_id: str, place: Place, channel: str | None = None) -> Damage:
    """What an error says of a place."""
    if isinstance(exc, CorruptCheckpointError):
        return Damage(
            exc.thread_id, exc.checkpoint_ns, exc.checkpoint_id or place[1],
            exc.channel or channel, exc.reason,
        )  # fmt: skip
    return Damage(thread_id, *place, channel, str(exc))


DAMAGED = (LgckptError, ValueError, TypeError, EOFError, RecursionError)
"""What damaged bytes raise on their way."""
