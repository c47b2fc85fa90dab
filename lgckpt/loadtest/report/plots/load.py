"""Latency against load: what a ramp found at each number of clients, or at each rate."""

from __future__ import annotations

from math import nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from lgckpt.loadtest.report.figures import load
from lgckpt.loadtest.report.plots.style import (
    COLOURS,
    figure,
    in_rates,
    in_time,
    look,
    styled,
)
from lgckpt.loadtest.results import Level, Run, Side


def drawn(run: Run) -> Figure | None:
    """The figure; None without a ramp."""
    if not any(side.levels for side in run.sides):
        return None
    with styled():
        made = figure(6.2)
        panels = made.subplot_mosaic([["steps", "steps"], ["put", "get"]])
        for index, side in enumerate(run.sides):
            _draw(panels, side, index)
        unit = "clients" if run.loop == "closed" else "supersteps a second that were due"
        places = sorted({level.load for side in run.sides for level in side.levels})
        for name, axes in panels.items():
            _finish(axes, name, unit, places)
        made.legend(*panels["steps"].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return made


def waits(levels: tuple[Level, ...], name: str, percentile: str) -> list[float]:
    """A percentile of a kind of call at each level, in milliseconds; NaN where it has none."""
    found = []
    for level in levels:
        one = next((one for one in level.operations if one.operation == name and one.count), None)
        found.append(nan if one is None else float(getattr(one, percentile)))
    return found


def _draw(panels: dict[str, Axes], side: Side, index: int) -> None:
    loads = [level.load for level in side.levels]
    rates = [level.steps_per_second for level in side.levels]
    panels["steps"].plot(loads, rates, marker="o", label=side.name, **look(index))
    for level in side.levels:
        if level.knee:
            _knee(panels["steps"], level, index)
    for name in ("put", "get"):
        colour = look(index)["color"]
        axes = panels[name]
        axes.plot(loads, waits(side.levels, name, "p50_ms"), color=colour, marker="o")
        axes.plot(loads, waits(side.levels, name, "p99_ms"), color=colour, marker="^", ls=":")


def _knee(axes: Axes, level: Level, index: int) -> None:
    colour = COLOURS[index % len(COLOURS)]
    axes.plot(
        [level.load],
        [level.steps_per_second],
        "o",
        ms=14,
        mfc="none",
        mec=colour,
        mew=2,
        clip_on=False,
    )
    axes.annotate(
        f"knee: {load(level.load)}", (level.load, level.steps_per_second), xytext=(0, -18),
        textcoords="offset points", ha="center", color=colour, fontsize=8.5,
    )  # fmt: skip


def _finish(axes: Axes, name: str, unit: str, places: list[float]) -> None:
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: load(value)))
    axes.set_xlabel(unit)
    if name == "steps":
        axes.set_title("Supersteps finished a second (more is better)")
        axes.set_ylim(bottom=0)
        in_rates(axes)
        return
    axes.set_title(f"{name}: p50 (dots) and p99 (triangles)")
    in_time(axes)
