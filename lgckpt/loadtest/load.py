"""How much is asked of a database."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """How much is asked of a database.

    Attributes:
        clients: Of a closed loop, or how many an open one may have under way.
        rate: Supersteps a second of an open loop; None for a closed one.
    """

    clients: int
    rate: float | None = None
