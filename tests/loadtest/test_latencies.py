"""Histograms of latencies: exact to three digits, and added up across processes."""

from __future__ import annotations

from random import Random

import pytest

from lgckpt.loadtest.latencies import Latencies, decoded

PERCENTS = (50, 95, 99, 99.9, 100)


def test_percentiles_are_those_of_the_sorted_values() -> None:
    rng = Random(3)
    values = sorted(rng.lognormvariate(-6, 1) for _ in range(20_000))
    latencies = Latencies()
    for value in values:
        latencies.record(value)
    for percent in PERCENTS:
        exact = values[max(0, round(len(values) * percent / 100) - 1)] * 1000
        assert latencies.percentile(percent) == pytest.approx(exact, rel=2e-3)
    assert latencies.percentiles(PERCENTS) == [latencies.percentile(one) for one in PERCENTS]
    stats = latencies.stats("put", {"TimeoutError": 2})
    assert stats.mean_ms == pytest.approx(sum(values) / len(values) * 1000, rel=2e-3)
    assert (stats.count, stats.errors) == (20_000, {"TimeoutError": 2})


def test_the_mean_is_the_librarys() -> None:
    rng = Random(4)
    latencies = Latencies()
    for _ in range(5_000):
        latencies.record(rng.lognormvariate(-4, 2))
    assert latencies.mean() == pytest.approx(latencies._histogram.get_mean_value() / 1000)


def test_those_of_several_processes_add_up() -> None:
    parts, whole = [Latencies(), Latencies()], Latencies()
    for index in range(1000):
        parts[index % 2].record(index / 1000)
        whole.record(index / 1000)
    summed = Latencies()
    for part in parts:
        summed.add(part.encoded())
    assert summed.stats("get") == whole.stats("get")
    assert decoded(whole.stats("get")).percentile(99) == whole.percentile(99)


def test_what_is_beyond_the_range_is_kept() -> None:
    latencies = Latencies()
    latencies.record(0.0)
    latencies.record(1e6)
    assert latencies.count == 2
    assert latencies.percentile(100) == pytest.approx(3_600_000, rel=2e-3)


def test_nothing_recorded_is_told_as_nothing() -> None:
    latencies = Latencies()
    latencies.add(latencies.encoded())
    stats = latencies.stats("list")
    assert (stats.count, stats.p50_ms, stats.max_ms, stats.histogram) == (0, 0.0, 0.0, "")
