"""Bytes against steps: what the database holds as supersteps are written, and was handed."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lgckpt.loadtest.report.figures import size
from lgckpt.loadtest.report.plots.style import COLOURS, figure, in_bytes, look, styled
from lgckpt.loadtest.results import Growth, Run

WIDE = 30.0
"""The ratio of the sides' ends from which on the axis is logarithmic."""


def drawn(run: Run) -> Figure | None:
    """The figure; None if no database told what it holds."""
    known = [side for side in run.sides if told(side.growth)]
    if not known:
        return None
    with styled():
        made = figure(4.2)
        axes = made.subplots()
        for index, side in enumerate(run.sides):
            points = told(side.growth)
            if points:
                _line(axes, points, f"stored by {side.name}", look(index))
        longest = max((side.growth for side in known), key=lambda points: points[-1].steps)
        handed = [(point.steps, point.written) for point in longest if point.written]
        if handed:
            _line(
                axes, handed, "handed over: the new values alone", {"color": "#7b8794", "ls": ":"}
            )
        _finish(axes)
        made.legend(loc="outside upper left", ncols=3)
    return made


def told(points: tuple[Growth, ...]) -> list[tuple[int, int]]:
    """Steps and bytes, where the database told them."""
    return [(point.steps, point.stored) for point in points if point.stored is not None]


def _line(axes: Axes, points: list[tuple[int, int]], label: str, style: dict[str, Any]) -> None:
    steps, values = zip(*points, strict=True)
    axes.plot(steps, values, label=label, **style)
    axes.annotate(
        size(values[-1]), (steps[-1], values[-1]), xytext=(5, 0), textcoords="offset points",
        va="center", color=style.get("color", COLOURS[0]), fontsize=9, annotation_clip=False,
    )  # fmt: skip


def _finish(axes: Axes) -> None:
    ends = [float(line.get_ydata()[-1]) for line in axes.get_lines()]  # type: ignore[index,arg-type]
    logarithmic = min(ends) > 0 and max(ends) / min(ends) > WIDE
    axes.set_title("Bytes in the database" + (" (logarithmic)" if logarithmic else ""))
    if logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    in_bytes(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("supersteps written, of all threads together")
    axes.set_xlim(left=0)
    axes.margins(x=0.08)
