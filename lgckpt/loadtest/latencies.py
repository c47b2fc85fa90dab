"""Latencies of one kind of call, in an HdrHistogram.

After Gil Tene's HdrHistogram (http://hdrhistogram.org), by the `hdrhistogram` package: three
digits of every value from a microsecond to an hour, at a fixed and small cost of memory and time,
and histograms of several processes add up to the same as one of all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hdrh.histogram import HdrHistogram

from lgckpt.loadtest.results import OperationStats

LOWEST, HIGHEST, DIGITS = 1, 3600 * 1_000_000, 3
"""What is told apart: microseconds, up to an hour, three significant digits."""

TOLD = (50.0, 95.0, 99.0, 99.9, 100.0)
"""The percentiles of `OperationStats`."""

MICROSECONDS, PER_MILLISECOND = 1_000_000, 1_000


class Latencies:
    """A histogram that one thread records into."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(LOWEST, HIGHEST, DIGITS)

    def record(self, seconds: float) -> None:
        """Add one latency; what is beyond the range counts as its nearest end."""
        value = min(max(round(seconds * MICROSECONDS), LOWEST), HIGHEST)
        self._histogram.record_value(value)

    def add(self, encoded: str) -> None:
        """Add what another process or interval recorded, as `encoded` gave it."""
        if encoded:
            self._histogram.decode_and_add(encoded)

    def encoded(self) -> str:
        """The histogram in format V2, compressed, as base64; "" if it is empty."""
        if not self.count:
            return ""
        found: bytes = self._histogram.encode()
        return found.decode("ascii")

    @property
    def count(self) -> int:
        """How many were recorded."""
        found: int = self._histogram.get_total_count()
        return found

    def percentile(self, percent: float) -> float:
        """Milliseconds within which `percent` of the calls came back; 0.0 if there are none."""
        found: int = self._histogram.get_value_at_percentile(percent) if self.count else 0
        return found / PER_MILLISECOND

    def percentiles(self, percents: Sequence[float]) -> list[float]:
        """Many of them, in one pass; ascending, the last above 0."""
        if not self.count:
            return [0.0] * len(percents)
        found: dict[float, int] = self._histogram.get_percentile_to_value_dict(percents)
        return [found[percent] / PER_MILLISECOND for percent in percents]

    def mean(self) -> float:
        """Milliseconds of a call on average; 0.0 if there are none."""
        if not self.count:
            return 0.0
        histogram = self._histogram
        # The library's own takes 40 ms, for it looks at all places that hold nothing one by one;
        # that is too long for something that is told each second.
        found = (
            (histogram.get_value_from_index(at), n) for at, n in enumerate(histogram.counts) if n
        )
        # Both ends of a place together are twice its middle.
        total = sum(
            n * ((value + histogram.get_highest_equivalent_value(value) + 1) // 2)
            for value, n in found
        )
        return float(total) / self.count / PER_MILLISECOND

    def stats(self, operation: str, errors: Mapping[str, int] | None = None) -> OperationStats:
        """What is told of them."""
        p50, p95, p99, p99_9, most = self.percentiles(TOLD)
        return OperationStats(
            operation=operation,
            count=self.count,
            mean_ms=self.mean(),
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            p99_9_ms=p99_9,
            max_ms=most,
            errors=dict(errors or {}),
            histogram=self.encoded(),
        )


def decoded(stats: OperationStats) -> Latencies:
    """The histogram behind what is told."""
    found = Latencies()
    found.add(stats.histogram)
    return found
