"""A run, and a comparison of two, as the terminal shows them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table as Drawn
from rich.text import Text

from lgckpt.loadtest.report import tables, words
from lgckpt.loadtest.report.compare import Change, changes, differences
from lgckpt.loadtest.report.tables import Table
from lgckpt.loadtest.results import Run

STYLES = {"better": "green", "worse": "red", "same": "dim"}


def told(run: Run) -> RenderableType:
    """What a run found: verdict and answers, then the tables behind them."""
    return Group(*_told(run))


def _told(run: Run) -> Iterator[RenderableType]:
    yield Text(words.verdict(run), _colour(run))
    for line in words.headlines(run):
        yield Text(line)
    for line in words.cautions(run):
        yield Text(f"! {line}", "yellow")
    for side in run.sides:
        for example in side.correctness.examples:
            yield Text(f"{side.name}: {example}", "red")
    yield Text()
    yield drawn(tables.sides(run))
    for side in run.sides:
        yield from (Text(), Text(side.name, "bold"), drawn(tables.latencies(side.operations)))
        if side.levels:
            yield from (Text(), drawn(tables.levels(side, tables.unit_of(run))))
    if (failed := tables.errors(run)).rows:
        yield from (Text(), drawn(failed))


def _colour(run: Run) -> str:
    if run.wrong:
        return "bold red"
    checked = any(side.correctness.checked for side in run.sides)
    return "bold green" if checked and not any(side.errors for side in run.sides) else "bold yellow"


def drawn(table: Table) -> Drawn:
    """A table; its figures stand right."""
    made = Drawn(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for index, heading in enumerate(table.headings):
        made.add_column(Text(heading), justify="left" if index < table.named else "right")
    for row in table.rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def compared(before: Run, after: Run) -> RenderableType:
    """Two runs: what was not alike in how they were done, and each figure in both."""
    made = Drawn(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for index, heading in enumerate(("side", "what", "first", "second", "ratio", "unrest", "")):
        made.add_column(heading, justify="right" if 1 < index < 6 else "left")
    for change in changes(before, after):
        made.add_row(*(Text(cell) for cell in cells(change)), style=STYLES.get(change.judged, ""))
    warned = [Text(f"! not alike: {line}", "yellow") for line in differences(before, after)]
    verdicts = [
        Text(f"{which}: {words.verdict(run)}", "red" if run.wrong else "")
        for which, run in (("first", before), ("second", after))
    ]
    return Group(*warned, *verdicts, Text(), made, Text(), Text(EXPLAINED, "dim"))


EXPLAINED = (
    "Unrest is how much a figure went up and down within the two runs themselves: half of the "
    "distance between its quartiles, over its median, of both together. A change within it is "
    "called the same."
)


def cells(change: Change) -> tuple[str, ...]:
    """One row of a comparison as text."""
    return (
        change.side,
        change.what,
        change.shown(change.before),
        change.shown(change.after),
        "" if change.ratio is None else f"{change.ratio:.2f}x",
        "" if change.unrest is None else f"±{change.unrest:.0%}",
        change.judged,
    )


def tell(console: Console, shown: RenderableType) -> None:
    """Print it; where there is no terminal nothing is folded or cut."""
    console.print(shown, highlight=False, soft_wrap=not console.is_terminal)
