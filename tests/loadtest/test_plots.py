"""The plots hold what was measured, and the same run draws the same bytes."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from math import isnan
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from lgckpt.loadtest.report.plots import growth, load, percentiles, throughput
from lgckpt.loadtest.report.plots.style import picture
from lgckpt.loadtest.results import Growth, Run, Side
from tests.loadtest import made

PLOTS = [throughput, percentiles, load, growth]


def lines(figure: Figure | None, panel: int) -> dict[str, list[float]]:
    assert figure is not None
    return {
        str(line.get_label()): [float(value) for value in np.asarray(line.get_ydata())]
        for line in figure.axes[panel].get_lines()
    }


def test_throughput_is_that_of_the_samples() -> None:
    run = made.killed()
    shown = lines(throughput.drawn(run), 0)
    for side in run.sides:
        assert shown[side.name] == [sample.steps / sample.seconds for sample in side.samples]
    assert shown["lgckpt postgres: calls failed"] == [0.0, 0.0]
    figure = throughput.drawn(run)
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("killed (lgckpt postgres)") == 2


def test_a_line_has_a_gap_where_the_other_side_had_its_turn() -> None:
    samples = made.run().sides[0].samples
    kept = (*samples[:5], *samples[10:15])
    times, values = throughput.series(kept, [1.0] * 10)
    assert times == [0.5, 1.5, 2.5, 3.5, 4.5, 10.0, 10.5, 11.5, 12.5, 13.5, 14.5]
    parts = [len(list(part)) for gap, part in groupby(values, isnan) if not gap]
    assert parts == [5, 5]


def test_percentiles_are_those_of_the_histograms() -> None:
    run = made.run()
    figure = percentiles.drawn(run)
    assert figure is not None
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(made.OPERATIONS)
    put = run.sides[0].operations[0]
    places, waits = percentiles.curve(percentiles.decoded(put))
    assert waits[places.index(2.0)] == put.p99_ms
    assert lines(figure, 0)["lgckpt postgres"] == waits
    assert waits == sorted(waits)


def test_load_shows_every_level_and_the_knee() -> None:
    run = made.ramped()
    figure = load.drawn(run)
    shown = lines(figure, 0)
    for side in run.sides:
        assert shown[side.name] == [level.steps_per_second for level in side.levels]
    assert figure is not None
    assert [text.get_text() for text in figure.axes[0].texts] == ["knee: 64", "knee: 16"]
    levels = run.sides[0].levels
    assert load.waits(levels, "put", "p99_ms") == [one.operations[0].p99_ms for one in levels]
    assert all(isnan(wait) for wait in load.waits(levels, "none", "p99_ms"))


def test_growth_is_what_the_database_told() -> None:
    run = made.run()
    figure = growth.drawn(run)
    first = run.sides[0].growth
    whole = lines(figure, 0)
    assert whole["stored by lgckpt postgres"] == [point.stored for point in first]
    assert whole["handed over: the changed values, whole"] == [point.written for point in first]
    single = lines(figure, 1)["stored by lgckpt postgres"]
    assert single == [(point.stored or 0) / point.steps for point in first]


def test_what_is_not_known_is_not_drawn() -> None:
    run = made.run()
    bare = replace(run, sides=tuple(_bare(side) for side in run.sides))
    assert [plot.drawn(bare) for plot in PLOTS] == [None] * 4
    assert load.drawn(run) is None


def _bare(side: Side) -> Side:
    return replace(side, operations=(), samples=(), growth=(Growth(1, 1, 1, None),))


def test_little_is_drawn_too() -> None:
    run = made.run()
    one = run.sides[0]
    put = replace(one.operations[0], count=0, histogram="")
    still = replace(one.samples[0], steps=0, p99_ms={}, p50_ms={})
    little = replace(
        one,
        operations=(put, one.operations[2]),
        samples=(still,),
        growth=(Growth(0, 0, 0, 8192), Growth(10, 1, 0, 0)),
        levels=(replace(made.ramped().sides[0].levels[0], operations=(put,)),),
    )
    for plot in PLOTS:
        figure = plot.drawn(replace(run, sides=(little,)))
        assert figure is not None
        assert picture(figure, "png").startswith(b"\x89PNG")


@pytest.mark.parametrize("plot", PLOTS)
def test_a_picture_is_whole_and_the_same_each_time(plot: Any) -> None:
    settings = dict(mpl.rcParams)
    drawn = [picture(plot.drawn(_named(made.ramped()))) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert ElementTree.fromstring(drawn[0]).tag.endswith("svg")
    assert dict(mpl.rcParams) == settings


def _named(run: Run) -> Run:
    """With names that are markup elsewhere."""
    odd = ("$cost_{of}$ <b>&", "lgckpt %s {0}")
    sides = tuple(replace(side, name=name) for side, name in zip(run.sides, odd, strict=True))
    return replace(run, sides=sides)
