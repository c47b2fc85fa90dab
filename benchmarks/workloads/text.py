"""The text of the benchmarks is that of the load tests; see there."""

from __future__ import annotations

from lgckpt.loadtest.text import Prose

__all__ = ["Prose"]
