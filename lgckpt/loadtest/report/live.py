"""A run while it goes on: drawn anew on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Drawn
from rich.text import Text

from lgckpt.loadtest.report import tables
from lgckpt.loadtest.report.figures import load, rate, share, size
from lgckpt.loadtest.report.terminal import drawn
from lgckpt.loadtest.results import Progress, Run, Sample, Side

Watch = Callable[[Run, Progress], None]
"""Is given the run as it is so far, and where it is."""

BARS = " ▁▂▃▄▅▆▇█"
SHOWN = 40
"""Intervals in the little plot of the throughput."""

RAMP = 12
"""Levels of a ramp that are listed: the last ones."""

EVENTS = 4
"""Events that are listed: the last ones."""

LINE_EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


@contextmanager
def watching(console: Console, *, quiet: bool = False) -> Iterator[Watch]:
    """Something to show a run with.

    Args:
        console: Where to; standard error, so that the results can be piped.
        quiet: Show nothing.
    """
    if quiet:
        yield lambda _run, _progress: None
    elif not console.is_terminal:
        yield Lines(console).show
    else:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda run, progress: live.update(view(run, progress), refresh=True)


class Lines:
    """A line every few seconds."""

    def __init__(self, console: Console, every: float = LINE_EVERY) -> None:
        self._console = console
        self._every = every
        self._last = monotonic()

    def show(self, run: Run, progress: Progress) -> None:
        """Print where it is, unless that was printed a moment ago."""
        if monotonic() - self._last < self._every:
            return
        self._last = monotonic()
        sides = "; ".join(f"{side.name} {_now(side)}/s" for side in run.sides)
        line = f"{progress.phase}, {progress.elapsed:.0f} of {progress.total:.0f} s: {sides}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def view(run: Run, progress: Progress) -> RenderableType:
    """The whole picture at one moment."""
    return Group(
        _heading(run, progress), *(part for side in run.sides for part in _side(run, side))
    )


def _heading(run: Run, progress: Progress) -> RenderableType:
    line = Drawn.grid(padding=(0, 1))
    turn = f" · {progress.side}" if progress.side else ""
    done = ProgressBar(total=max(progress.total, 0.001), completed=progress.elapsed, width=24)
    clock = f"{progress.elapsed:.0f} of {progress.total:.0f} s"
    line.add_row(done, Text(clock), Text(f"{progress.phase}{turn}", "bold"))
    # On a line of its own: with its weights, the name of a mixture is as long as one.
    return Group(Text(run.workload, "bold cyan"), line)


def _side(run: Run, side: Side) -> Iterator[RenderableType]:
    yield Text()
    if not side.operations:
        yield Text.assemble((side.name, "bold"), "  nothing was measured yet")
        yield _checked(side)
        return
    yield Text.assemble(
        (side.name, "bold"), "  ", (f"{_now(side)} supersteps/s", "bold green"), "  ",
        (spark(side.samples), "green"),
    )  # fmt: skip
    yield Text(_costs(run, side), "dim")
    busy = f"; client CPU {share(side.samples[-1].cpu)}" if side.samples else ""
    yield Text.assemble(_checked(side), (busy, "dim"))
    yield drawn(tables.latencies(side.operations))
    if side.levels:
        yield Text(_ramp(run, side), "cyan")
    if side.events:
        events = ", ".join(f"{one.what} at {one.at:.0f} s" for one in side.events[-EVENTS:])
        yield Text(events, "magenta")


def spark(samples: tuple[Sample, ...]) -> str:
    """Throughput of the last intervals as a row of bars."""
    rates = [one.steps / one.seconds if one.seconds else 0.0 for one in samples[-SHOWN:]]
    most = max(rates, default=0.0)
    steps = len(BARS) - 1
    return "".join(BARS[round(value / most * steps)] if most else BARS[0] for value in rates)


def _now(side: Side) -> str:
    last = side.samples[-1] if side.samples else None
    return rate(last.steps / last.seconds) if last and last.seconds else rate(side.steps_per_second)


def _costs(run: Run, side: Side) -> str:
    stored = f"{size(side.growth[-1].stored if side.growth else side.stored)} stored"
    if run.warmup:
        stored += " (+ warm-up)"
    return f"{side.steps:,} supersteps, {size(side.written)} written, {stored}"


def _checked(side: Side) -> Text:
    one = side.correctness
    if not one.wrong:
        return Text(f"{one.checked:,} reads checked, all right", "dim")
    wrong = f"{one.lost:,} lost, {one.torn:,} torn, {one.stale:,} stale, {one.doubled:,} doubled"
    return Text(f"{one.checked:,} reads checked: {wrong}", "bold red")


def _ramp(run: Run, side: Side) -> str:
    unit = "clients" if run.loop == "closed" else "due/s"
    found = ", ".join(
        f"{load(level.load)}: {rate(level.steps_per_second)}{' (knee)' if level.knee else ''}"
        for level in side.levels[-RAMP:]
    )
    return f"supersteps/s by {unit}: {found}"
