"""Bytes against steps: what a database grows by as supersteps are written, and for each."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lgckpt.loadtest.report.figures import size
from lgckpt.loadtest.report.plots.style import figure, in_bytes, look, stretch, styled
from lgckpt.loadtest.results import Growth, Run

HANDED: dict[str, Any] = {"color": "#7b8794", "linestyle": ":"}

Points = list[tuple[int, int]]
"""Supersteps, and bytes."""


def drawn(run: Run) -> Figure | None:
    """The figure; None if no database told what it holds."""
    known = [side for side in run.sides if told(side.growth)]
    if not known:
        return None
    with styled():
        made = figure(4.2)
        panels = made.subplots(1, 2)
        for index, side in enumerate(run.sides):
            if points := told(side.growth):
                _lines(panels, points, f"stored by {side.name}", look(index))
        longest = max((side.growth for side in known), key=lambda points: points[-1].steps)
        if handed := [(point.steps, point.written) for point in longest if point.written]:
            _lines(panels, handed, "handed over: the changed values, whole", HANDED)
        _finish(*panels)
        made.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return made


def told(points: tuple[Growth, ...]) -> Points:
    """Steps and bytes, where the database told them."""
    return [
        (point.steps, point.stored) for point in points if point.stored is not None and point.steps
    ]


def each(points: Points) -> list[float]:
    """Bytes stored for each superstep written so far."""
    return [held / steps for steps, held in points]


def _lines(panels: tuple[Axes, Axes], points: Points, label: str, style: dict[str, Any]) -> None:
    steps = [step for step, _ in points]
    for axes, values in zip(
        panels, ([float(held) for _, held in points], each(points)), strict=True
    ):
        axes.plot(steps, values, label=label, marker="o" if len(steps) < 5 else "", **style)
        axes.annotate(
            size(round(values[-1])), (steps[-1], values[-1]), xytext=(0, 5),
            textcoords="offset points", ha="right", va="bottom", color=style["color"],
            fontsize=9, fontweight="bold", annotation_clip=False,
        )  # fmt: skip


def _finish(whole: Axes, single: Axes) -> None:
    whole.set_title("In all (less is better)")
    single.set_title("For each superstep so far")
    for axes in (whole, single):
        axes.margins(y=0.12)
    whole.set_ylim(bottom=0)
    stretch(single)
    for axes in (whole, single):
        in_bytes(axes)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel("supersteps written, of all threads together")
        axes.set_xlim(left=0)
