"""`report.html`: one file that needs nothing else, for a reader who never saw such a report."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from lgckpt.loadtest.report import tables, words
from lgckpt.loadtest.report.figures import rate
from lgckpt.loadtest.report.plots import growth, load, percentiles, throughput
from lgckpt.loadtest.report.plots.style import picture
from lgckpt.loadtest.results import Run

_OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")


@dataclass(frozen=True)
class Plot:
    """A plot on the page; without a `source` the caption says why there is none."""

    title: str
    caption: str
    source: str


def html(run: Run) -> str:
    """The page."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters["options"] = options
    template = made.from_string(files(__package__).joinpath("page.html").read_text("utf-8"))
    unit = tables.unit_of(run)
    return template.render(
        run=run,
        started=_started(run),
        verdict=words.verdict(run),
        checked=sum(side.correctness.checked for side in run.sides),
        headlines=words.headlines(run),
        cautions=words.cautions(run),
        about=words.about(run.workload),
        loop_told=words.loop(run),
        facts=facts(run),
        sides=tables.sides(run),
        plots=plots(run),
        latencies=[tables.latencies(side.operations) for side in run.sides],
        levels=[(side.name, tables.levels(side, unit)) for side in run.sides if side.levels],
        checks=tables.checks(run),
        errors=tables.errors(run),
    )


def facts(run: Run) -> list[tuple[str, str]]:
    """How the run was done, as names and values."""
    return [
        ("load", _load(run)),
        ("measured", f"{run.duration:g} s{' a level' if _ramped(run) else ''}"),
        ("warm-up, not counted", f"{run.warmup:g} s"),
        ("client processes", str(run.processes)),
        ("seed", str(run.seed)),
    ]


def options(line: str) -> Markup:
    """A line with the options in it marked as such: no browser breaks them after their dashes."""
    marked = _OPTION.sub(r'<code class="option">\1</code>', str(escape(line)))
    return Markup(marked)  # noqa: S704 - what was given is escaped


def plots(run: Run) -> list[Plot]:
    """All plots, in the order of the page."""
    mixed = " All levels of the ramp are together here." if _ramped(run) else ""
    ramp = "" if _ramped(run) else " This run had one load only: --ramp 1..512 draws this plot."
    stored = growth.drawn(run)
    unknown = "" if stored else " No database told how much it grew, so there is no plot."
    return [
        _plot("Throughput over time", THROUGHPUT, throughput.drawn(run)),
        _plot("Latency percentiles", PERCENTILES + mixed, percentiles.drawn(run)),
        _plot("Latency against load", LOAD + ramp, load.drawn(run)),
        _plot("Bytes against steps", BYTES + unknown, stored),
    ]


def _plot(title: str, caption: str, drawn: Figure | None) -> Plot:
    if drawn is None:
        return Plot(title, caption, "")
    data = b64encode(picture(drawn)).decode("ascii")
    return Plot(title, caption, f"data:image/svg+xml;base64,{data}")


def _load(run: Run) -> str:
    loads = sorted({level.load for side in run.sides for level in side.levels})
    unit = "clients" if run.loop == "closed" else "supersteps a second"
    if loads:
        return f"a ramp of {', '.join(f'{load:g}' for load in loads)} {unit}"
    if run.rate is not None:
        return f"{rate(run.rate)} supersteps a second, at most {run.clients:,} at once"
    return f"{run.clients:,} {unit}"


def _ramped(run: Run) -> bool:
    return any(side.levels for side in run.sides)


def _started(run: Run) -> str:
    try:
        return datetime.fromisoformat(run.started).strftime("%d %B %Y, %H:%M %Z").strip()
    except ValueError:
        return run.started


THROUGHPUT = (
    "A steady line is what to hope for. Drops are pauses, of the database (checkpoints, vacuum, "
    "a restart) or of the machine; a line that sinks means that calls cost more as threads grow. "
    "Where sides take turns, a line has gaps during the other's."
)
PERCENTILES = (
    "Read it from the left: half of the calls took no longer than the line at 50 %, 99 of 100 no "
    "longer than at 99 %. Lower is better; a line that rises steeply at its right end means that "
    "a few calls wait very long. Both axes are stretched so that those are seen."
)
LOAD = (
    "As load rises, throughput first rises with it; from the knee on it hardly does, and calls "
    "wait in line instead."
)
BYTES = (
    "On the right, a level line costs the same for each superstep, however long its thread has "
    "become; one that rises stores more for each further step. The dotted grey line is what was "
    "handed over: the values that changed, each counted whole, so that a conversation counts "
    "again with every message it gains."
)
