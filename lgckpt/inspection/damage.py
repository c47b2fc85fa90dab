"""What was found damaged, by its place, while the rest is shown."""

from __future__ import annotations

from lgckpt.bulk import Place
from lgckpt.errors import CorruptCheckpointError, LgckptError
from lgckpt.migration.report import Damage


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
