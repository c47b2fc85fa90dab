"""Every test here is bounded in time."""

from __future__ import annotations

from tests.survive.conftest import bounded, seed

__all__ = ["bounded", "seed"]
