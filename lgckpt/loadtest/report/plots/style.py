"""How all plots look, and how one becomes a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from math import isfinite
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from lgckpt.loadtest.report.figures import size, tick

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""One a side, told apart by colour-blind readers too (Okabe and Ito, 2008)."""

LINES = ("-", "--", "-.", ":")
"""One a side: the plots are readable in black and white."""

INK, FAINT, WARNING = "#1f2933", "#d5dbe1", "#b42318"

_SETTINGS: Any = {
    "axes.edgecolor": FAINT,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "lgckpt",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
}
WIDTH = 9.6
"""Inches."""


@contextmanager
def styled() -> Iterator[None]:
    """What is drawn within looks as all plots do; the caller's own settings are left alone."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def figure(height: float) -> Figure:
    """An empty figure of the page's width, `height` inches high."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def look(index: int) -> dict[str, Any]:
    """Colour and line of the side with this index."""
    return {"color": COLOURS[index % len(COLOURS)], "linestyle": LINES[index % len(LINES)]}


def in_time(axes: Axes) -> None:
    """Make the y axis one of times, logarithmic; it holds milliseconds, and all lines already."""
    stretch(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def stretch(axes: Axes) -> None:
    """Make the y axis logarithmic, if any line on it has a place there."""
    if not isfinite(axes.yaxis.get_minpos()):
        return
    axes.set_yscale("log")
    lowest, highest = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1,) if highest > 1000 * lowest else (1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())


def in_bytes(axes: Axes) -> None:
    """Label the y axis with sizes."""
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: size(int(value)).replace(".0 ", " "))
    )


def in_rates(axes: Axes) -> None:
    """Label the y axis with rates."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))


def picture(drawn: Figure, form: str = "svg") -> bytes:
    """A figure as a file; the same figure gives the same bytes.

    Args:
        drawn: The figure.
        form: "svg" or "png".
    """
    held = BytesIO()
    with styled():
        drawn.savefig(held, format=form, metadata={"Date": None} if form == "svg" else None)
    return held.getvalue()
