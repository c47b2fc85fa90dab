"""The live view and the summary, as a terminal gets them."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console, RenderableType

from lgckpt.loadtest.report import live, terminal
from lgckpt.loadtest.results import Correctness, Progress, Run
from tests.loadtest import made

HALF = Progress("measuring", 15.0, 30.0, "lgckpt postgres")


def printed(shown: RenderableType, width: int = 80) -> str:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(shown, highlight=False)
    written = console.file
    assert isinstance(written, StringIO)
    return written.getvalue()


@pytest.mark.parametrize("run", [made.run(), made.ramped()])
def test_the_live_view_fits_a_small_terminal(run: Run) -> None:
    lines = printed(live.view(run, HALF)).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80


def test_the_live_view_has_the_whole_name_of_a_mixture() -> None:
    name = "mixed:chat=6,hitl=2,fanout=1,wide=1,research=0.5"
    progress = Progress("deleting its threads", 30.0, 30.0, "official postgres")
    shown = printed(live.view(replace(made.run(), workload=name), progress))
    assert name in shown
    assert "30 of 30 s" in shown
    assert "deleting its threads · official postgres" in shown


def test_the_live_view_has_every_call_of_every_side() -> None:
    shown = printed(live.view(made.killed(), HALF))
    assert "15 of 30 s" in shown
    assert "measuring · lgckpt postgres" in shown
    assert "2,000 reads checked: 2 lost, 0 torn, 1 stale, 0 doubled" in shown
    assert "killed at 9 s, back at 10 s, killed at 19 s" in shown
    for side in made.killed().sides:
        for row in live.tables.latencies(side.operations).rows:
            assert all(cell in shown for cell in row)


def test_the_live_view_of_a_ramp_has_its_levels() -> None:
    shown = printed(live.view(made.ramped(), HALF), width=200)
    assert "64: 954 (knee)" in shown


def test_the_little_plot_is_that_of_the_throughput() -> None:
    sample = made.run().sides[0].samples[0]
    steps = (0, 50, 100)
    assert live.spark(tuple(replace(sample, steps=count) for count in steps)) == " ▄█"
    assert live.spark(()) == ""


def test_a_run_that_only_began_is_shown() -> None:
    run = made.run()
    empty = tuple(
        replace(one, steps=0, seconds=0.0, operations=(), samples=(), growth=(), stored=None,
                correctness=Correctness())
        for one in run.sides
    )  # fmt: skip
    shown = printed(live.view(replace(run, sides=empty), Progress("warm-up", 0, 0)))
    assert shown.count("nothing was measured yet") == len(run.sides)
    assert "p99" not in shown
    assert "stored" not in shown
    assert "No read was checked" in printed(terminal.told(replace(run, sides=empty)))


def test_without_a_terminal_there_is_a_line_now_and_then() -> None:
    console = Console(file=StringIO(), width=40)
    lines = live.Lines(console, every=0.0)
    lines.show(made.run(), HALF)
    quick = live.Lines(console, every=3600.0)
    quick.show(made.run(), HALF)
    written = console.file
    assert isinstance(written, StringIO)
    (line,) = written.getvalue().splitlines()
    assert line.startswith("measuring, 15 of 30 s: lgckpt postgres 1,")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_watch_draws_only_on_a_terminal(terminal: bool) -> None:
    console = Console(file=StringIO(), width=80, force_terminal=terminal)
    with live.watching(console) as watch:
        watch(made.run(), HALF)
    written = console.file
    assert isinstance(written, StringIO)
    assert ("supersteps/s" in written.getvalue()) == terminal


def test_a_quiet_watch_writes_nothing() -> None:
    console = Console(file=StringIO(), width=80, force_terminal=True)
    with live.watching(console, quiet=True) as watch:
        watch(made.run(), HALF)
    written = console.file
    assert isinstance(written, StringIO)
    assert written.getvalue() == ""


@pytest.mark.parametrize("run", [made.run(), made.ramped(), made.killed()])
def test_the_summary_has_the_answers_and_all_figures(run: Run) -> None:
    shown = printed(terminal.told(run), width=300)
    for line in (terminal.words.verdict(run), *terminal.words.headlines(run)):
        assert line in shown
    for side in run.sides:
        for row in terminal.tables.latencies(side.operations).rows:
            assert all(cell in shown for cell in row)
        assert shown.count("knee  ") <= len(run.sides)
    for kind in run.sides[0].errors:
        assert kind in shown


def test_a_comparison_says_what_was_not_alike() -> None:
    run = made.run()
    shown = printed(terminal.compared(run, replace(run, seed=8)), width=120)
    assert "! not alike: seed: 7 and 8" in shown
    assert "1.00x" in shown
    assert "same" in shown
