"""`python -m benchmarks.plots [RESULTS.json]`: curves of a run as PNG pictures in docs/figures.

Takes the newest full run in `bench-results` unless told which. A picture has a row of panels
for each backend, and a column for each quantity.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from benchmarks import report
from benchmarks.rows import Result, Stat

FIGURES = Path("docs/figures")
_OURS, _OTHER = "#0072b2", "#d55e00"
"""Told apart by those who see few colours, too."""

_TITLES = {
    "messages": ("Cost of a superstep against the length of the chat", "messages in the thread"),
    "clients": ("Throughput against async clients that share one saver", "clients"),
    "threads": ("Cost of a small superstep against the number of threads", "threads"),
}
_WIDTH, _HEIGHT = 4.6, 3.1
"""Inches of a panel."""


def main() -> None:
    """Draw the curves of a run."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else report.newest()
    for picture in draw(*report.load(path), FIGURES):
        print(picture)


def draw(run: Mapping[str, Any], results: Sequence[Result], directory: Path) -> list[Path]:
    """Draw a picture for each group that has curves.

    Args:
        run: When and on what it was measured.
        results: Of the run.
        directory: Where pictures go; those of the same name are replaced.

    Returns:
        The pictures.
    """
    directory.mkdir(parents=True, exist_ok=True)
    drawn = []
    for group, (title, counted) in _TITLES.items():
        mine = [result for result in results if result.group == group and result.point]
        if mine:
            path = directory / f"{group}.png"
            _picture(mine, title, counted, _measured(run)).savefig(path, dpi=130)
            drawn.append(path)
    return drawn


def _picture(results: Sequence[Result], title: str, counted: str, measured: str) -> Figure:
    panels: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        assert result.point is not None
        panels.setdefault((result.point.backend, result.point.quantity), []).append(result)
    backends = list(dict.fromkeys(backend for backend, _ in panels))
    quantities = list(dict.fromkeys(quantity for _, quantity in panels))
    if len(quantities) == 1:  # one row of backends
        rows, columns = 1, len(backends)
    else:
        rows, columns = len(backends), len(quantities)
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows + 1.0), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for number, ((backend, quantity), mine) in enumerate(panels.items()):
        axis = axes[number // columns][number % columns]
        _panel(axis, mine, f"{backend}: {quantity}", counted)
    figure.suptitle(title, fontsize=14, fontweight="bold")
    figure.supxlabel(measured, fontsize=7, color="#555555")
    return figure


def _panel(axis: Axes, results: Sequence[Result], title: str, counted: str) -> None:
    ordered = sorted(results, key=lambda result: result.point.at if result.point else 0)
    at = [result.point.at for result in ordered if result.point]
    others = [result.other for result in ordered if result.other]
    _line(axis, at, [result.ours for result in ordered], _OURS, "o", "lgckpt")
    _line(axis, at, others, _OTHER, "s", ordered[0].other_name)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(counted, fontsize=9)
    axis.set_ylabel(_UNITS[ordered[0].unit], fontsize=9)
    axis.set_xticks(at, [f"{value:,}" for value in at])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axis.yaxis.set_minor_formatter(NullFormatter())
    _at_least_a_decade(axis)
    axis.tick_params(labelsize=8)
    axis.tick_params(which="minor", length=0)
    axis.grid(visible=True, which="major", color="#dddddd", linewidth=0.7)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)


_UNITS = {"ms": "milliseconds", "kB": "kilobytes", "/s": "supersteps a second"}


def _line(
    axis: Axes, at: Sequence[int], stats: Sequence[Stat], colour: str, marker: str, name: str
) -> None:
    # A logarithmic axis has no place for what a reused page made nothing or less.
    shown = [(x, stat) for x, stat in zip(at, stats, strict=True) if stat.median > 0]
    xs = [x for x, _ in shown]
    axis.plot(
        xs,
        [stat.median for _, stat in shown],
        color=colour,
        marker=marker,
        markersize=4,
        label=name,
    )
    lows = [max(stat.low, stat.median / 100) for _, stat in shown]
    axis.fill_between(xs, lows, [s.high for _, s in shown], color=colour, alpha=0.15, linewidth=0)


def _at_least_a_decade(axis: Axes) -> None:
    """Keep noise from looking like a slope: an axis spans a factor of ten at least."""
    low, high = axis.get_ylim()
    if high / low < 10:
        middle = (low * high) ** 0.5
        axis.set_ylim(middle / 10**0.55, middle * 10**0.55)


def _measured(run: Mapping[str, Any]) -> str:
    machine = run["machine"]
    names = ("lgckpt", "langgraph-checkpoint", "asyncpg", "psycopg", "redis")
    packages = machine["packages"]
    versions = ", ".join(f"{name} {packages[name]}" for name in names if name in packages)
    quick = "" if run["run"] == "full" else f"a {run['run']} run, not for comparison; "
    return (
        f"{quick}{run['date'][:10]}; {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['system']}; {machine['python']}; {versions}.\n"
        "Medians; the band lies between the quartiles. Both axes are logarithmic."
    )


if __name__ == "__main__":
    main()
