"""How long a thread lives after its last use: the `ttl` of every saver that has one."""

from __future__ import annotations

import math
from datetime import timedelta
from numbers import Real

from lgckpt.errors import ConfigurationError

SHORTEST = 0.001
LONGEST = 10.0**10
"""Seconds, about 300 years: the databases count in integers of 64 bits."""


def seconds(ttl: object, *, unit: float = 1.0) -> float | None:
    """A `ttl` in seconds; None for ever.

    Args:
        ttl: A number, a timedelta or None, as the caller gave it.
        unit: Seconds that a number counts by.

    Raises:
        ConfigurationError: It is no length of time, or none that a thread could live.
    """
    if ttl is None:
        return None
    if isinstance(ttl, timedelta):
        found = ttl.total_seconds()
    elif isinstance(ttl, Real) and not isinstance(ttl, bool):
        found = _number(ttl) * unit
    else:
        found = math.nan
    if not SHORTEST <= found <= LONGEST:
        raise ConfigurationError(
            "a ttl is a number or a timedelta, between a millisecond and 10**10 seconds, "
            f"not {ttl!r}"
        )
    return found


def _number(value: Real) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
