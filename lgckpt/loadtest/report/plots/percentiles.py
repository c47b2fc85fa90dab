"""Latency by percentile: how long the best half, the 90, 99 and 99.9 of 100 calls took."""

from __future__ import annotations

from math import log10

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lgckpt.loadtest.latencies import Latencies, decoded
from lgckpt.loadtest.report.plots.style import figure, in_time, look, styled
from lgckpt.loadtest.results import OPERATIONS, OperationStats, Run

TICKS = (50.0, 90.0, 99.0, 99.9, 99.99, 99.999)
POINTS = 40
"""Points of a line for each further nine."""


def drawn(run: Run) -> Figure | None:
    """The figure, a panel for each kind of call; None if there were none."""
    found = [name for name in OPERATIONS if any(_of(side.operations, name) for side in run.sides)]
    if not found:
        return None
    with styled():
        rows = (len(found) + 1) // 2
        made = figure(0.5 + 2.7 * rows)
        panels = made.subplots(rows, 2, squeeze=False).flatten()
        for axes, name in zip(panels, found, strict=False):
            for index, side in enumerate(run.sides):
                if one := _of(side.operations, name):
                    _draw(axes, decoded(one), side.name, index)
            _finish(axes, name)
        for axes in panels[len(found) :]:
            axes.remove()
        made.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return made


def nines(percent: float) -> float:
    """Where a percentile stands: 0 at 0, 1 at 90, 2 at 99, 3 at 99.9."""
    return -log10(1 - percent / 100)


def curve(latencies: Latencies) -> tuple[list[float], list[float]]:
    """Places by `nines`, up to the slowest call, and the milliseconds there."""
    last = log10(max(latencies.count, 10))
    places = [index / POINTS for index in range(1, int(last * POINTS) + 1)]
    return places, latencies.percentiles([100 * (1 - 10**-place) for place in places])


def _of(operations: tuple[OperationStats, ...], name: str) -> OperationStats | None:
    return next((one for one in operations if one.operation == name and one.histogram), None)


def _draw(axes: Axes, latencies: Latencies, name: str, index: int) -> None:
    axes.plot(*curve(latencies), label=name, **look(index))


def _finish(axes: Axes, name: str) -> None:
    axes.set_title(name)
    in_time(axes)
    right = axes.get_xlim()[1]
    shown = [tick for tick in TICKS if nines(tick) <= right]
    axes.set_xlim(0, right)
    axes.set_xticks([nines(tick) for tick in shown], [f"{tick:g} %" for tick in shown])
    axes.set_xlabel("share of the calls that took no longer")
