"""The time within a checkpoint's id: LangGraph's are UUIDs of version 6 (RFC 9562)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from uuid import UUID

from lgckpt.errors import ConfigurationError

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_GREGORIAN = datetime(1582, 10, 15, tzinfo=timezone.utc)
"""From when the time in a UUID is counted, in steps of 100 ns (RFC 9562, section 5.1)."""


def time_of(checkpoint_id: str) -> datetime | None:
    """The time within a checkpoint's id, as LangGraph makes them: a UUID of version 6."""
    try:
        found = UUID(checkpoint_id)
    except ValueError:
        return None
    if found.version != 6:
        return None
    ticks = (found.time_low << 28) | (found.time_mid << 12) | (found.time_hi_version & 0xFFF)
    return _GREGORIAN + timedelta(microseconds=ticks // 10)


def first_id(since: str | datetime) -> str:
    """The least checkpoint id that is not before a time.

    Args:
        since: A checkpoint id, or a time, in ISO 8601 if it is text; UTC unless it says otherwise.
            LangGraph's ids are UUIDs of version 6, which are ordered by the time within.

    Raises:
        ConfigurationError: It is neither.
    """
    if isinstance(since, str):
        if _UUID.fullmatch(since):
            return since
        try:
            since = datetime.fromisoformat(since.replace("Z", "+00:00"))
        except ValueError as exc:
            raise ConfigurationError(
                f"a time in ISO 8601 or a checkpoint id, not {since!r}"
            ) from exc
    if since.tzinfo is None:
        since = since.replace(tzinfo=timezone.utc)
    ticks = (since - _GREGORIAN) // timedelta(microseconds=1) * 10
    if not 0 <= ticks < 1 << 60:
        raise ConfigurationError(f"no checkpoint id has the time {since}")
    high, low = f"{ticks >> 12:012x}", f"{ticks & 0xFFF:03x}"
    return f"{high[:8]}-{high[8:]}-6{low}-8000-000000000000"


def is_since(checkpoint_id: str, least: str) -> bool:
    """Whether a checkpoint is not before the one of id `least`; what has no time in its id is."""
    match = _UUID.fullmatch(checkpoint_id)
    if match is None or match[1] != "6":
        return True
    return checkpoint_id >= least
