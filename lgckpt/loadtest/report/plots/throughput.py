"""Throughput over time: what a side carried in each interval, and how long a put then took."""

from __future__ import annotations

from math import nan
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lgckpt.loadtest.report.plots.style import (
    INK,
    WARNING,
    figure,
    in_rates,
    in_time,
    look,
    styled,
)
from lgckpt.loadtest.results import Run, Sample, Side

GAP = 1.5
"""How many intervals without a sample interrupt the line."""


def drawn(run: Run) -> Figure | None:
    """The figure; None without a time series."""
    if not any(side.samples for side in run.sides):
        return None
    with styled():
        made = figure(5.4)
        upper, lower = made.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for index, side in enumerate(run.sides):
            _steps(upper, side, index)
            _waits(lower, side, index)
            for event in side.events:
                whose = f" ({side.name})" if len(run.sides) > 1 else ""
                _mark(upper, lower, event.at, event.what + whose)
        _finish(upper, lower)
    return made


def series(samples: tuple[Sample, ...], values: list[float]) -> tuple[list[float], list[float]]:
    """Points of a line, at the middle of each interval, with a gap where there was none."""
    times: list[float] = []
    found: list[float] = []
    for index, (sample, value) in enumerate(zip(samples, values, strict=True)):
        began = sample.at - sample.seconds
        if index and began - samples[index - 1].at > GAP * sample.seconds:
            times.append(began)
            found.append(nan)
        times.append(sample.at - sample.seconds / 2)
        found.append(value)
    return times, found


def _steps(axes: Axes, side: Side, index: int) -> None:
    rates = [one.steps / one.seconds if one.seconds else 0.0 for one in side.samples]
    axes.plot(
        *series(side.samples, rates),
        label=side.name,
        marker=_marker(side),
        clip_on=False,
        **look(index),
    )
    failed = [
        (one.at - one.seconds / 2, value)
        for one, value in zip(side.samples, rates, strict=True)
        if one.errors
    ]
    if failed:
        times, values = zip(*failed, strict=True)
        cross: dict[str, Any] = {
            "markersize": 7,
            "markeredgewidth": 2,
            "clip_on": False,
            "zorder": 5,
        }
        label = f"{side.name}: calls failed"
        axes.plot(times, values, "x", color=WARNING, label=label, **cross)


def _waits(axes: Axes, side: Side, index: int) -> None:
    waits = [one.p99_ms.get("put", nan) for one in side.samples]
    axes.plot(*series(side.samples, waits), marker=_marker(side), **look(index))


def _marker(side: Side) -> str:
    return "o" if len(side.samples) < 40 else ""


def _mark(upper: Axes, lower: Axes, at: float, what: str) -> None:
    for axes in (upper, lower):
        axes.axvline(at, color=INK, linewidth=1, linestyle=":")
    upper.annotate(
        what, (at, 1), xycoords=("data", "axes fraction"), xytext=(3, -3),
        textcoords="offset points", rotation=90, va="top", fontsize=8,
    )  # fmt: skip


def _finish(upper: Axes, lower: Axes) -> None:
    upper.set_title("Supersteps finished a second (more is better)")
    upper.set_ylim(bottom=0)
    in_rates(upper)
    upper.figure.legend(loc="outside upper left", ncols=4)
    lower.set_title("p99 of put in the same interval (less is better)")
    in_time(lower)
    lower.set_xlabel("seconds since measuring began")
    lower.set_xlim(left=0)
