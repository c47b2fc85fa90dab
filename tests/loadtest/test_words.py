"""The sentences of a report say what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgckpt.loadtest.report import figures, words
from tests.loadtest import made


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0.0004, "0 µs"),
        (0.5, "500 µs"),
        (1.0, "1.00 ms"),
        (18.04, "18.0 ms"),
        (384.2, "384 ms"),
        (999.7, "1.00 s"),
        (61_000.0, "61.0 s"),
        (3_600_000.0, "3,600 s"),
    ],
)
def test_times(milliseconds: float, shown: str) -> None:
    assert figures.took(milliseconds) == shown


def test_other_figures() -> None:
    assert [figures.rate(one) for one in (0, 1.5, 99.96, 12345)] == ["0", "1.50", "100", "12,345"]
    assert [figures.share(one) for one in (0.015, 0.6, 1.85)] == ["1.5 %", "60 %", "185 %"]
    assert [figures.tick(one) for one in (0.5, 5, 5000)] == ["500 µs", "5 ms", "5 s"]
    assert figures.size(None) == "-"


def test_the_other_side_is_told_by_ratios() -> None:
    run = made.run()
    (told,) = [line for line in words.headlines(run) if ", beside " in line]
    first, second = run.sides
    ratio = first.steps_per_second / second.steps_per_second
    assert f"{ratio:.3g} times the supersteps" in told
    assert "of the time of a put at p99" in told
    assert "of the bytes stored a superstep" in told
    turned = words.headlines(replace(run, sides=run.sides[::-1]))
    assert any("29 % of the supersteps" in line for line in turned)


def test_a_ramp_is_told_by_its_best_and_its_knee() -> None:
    lines = words.headlines(made.ramped())
    assert any("carried up to 1,157 supersteps a second, at 512 clients" in one for one in lines)
    assert any("lgckpt postgres has its knee at 64 clients: 954" in one for one in lines)
    run = made.ramped()
    flat = replace(run.sides[0], levels=run.sides[0].levels[:3])
    lines = words.headlines(replace(run, sides=(flat,)))
    assert "lgckpt postgres had no knee up to 4 clients." in lines


@pytest.mark.parametrize(
    ("loop", "rates", "knee", "said"),
    [
        ("closed", (500, 490), 0, "has its knee where it carried most, at 1 client: more load"),
        ("closed", (470, 490), 0, "has its knee at 1 client: 470 supersteps a second came back"),
        ("closed", (250, 490), 1, "was not past its knee at 2 clients, the most tried: only"),
        ("open", (1, 2), 1, "was not past its knee at 2 supersteps a second due, the most tried"),
        ("open", (0.5, 0.6), None, "fell behind at 1 supersteps a second due already, the least"),
    ],
)
def test_a_knee_is_only_told_where_there_was_more_load(
    loop: str, rates: tuple[float, float], knee: int | None, said: str
) -> None:
    run = made.ramped()
    levels = tuple(
        replace(level, load=load, steps_per_second=carried, knee=load - 1 == knee)
        for level, load, carried in zip(run.sides[0].levels, (1, 2), rates, strict=False)
    )
    run = replace(run, loop=loop, sides=(replace(run.sides[0], levels=levels),))
    (line,) = (line for line in words.headlines(run) if "knee" in line)
    assert line.startswith(f"lgckpt postgres {said}")


def test_clients_that_were_the_limit_are_told() -> None:
    run = made.run()
    assert words.cautions(run) == []
    busy = replace(run.sides[0], cpu_seconds=29.0)
    (said,) = words.cautions(replace(run, sides=(busy,)))
    assert "97 % of the time" in said
    assert words.cautions(replace(run, sides=(busy,), processes=2)) == []


def test_too_few_calls_are_told() -> None:
    run = made.run()
    few = replace(run.sides[0], operations=made.operations(made.Random(1), 0.001, 50))
    (said,) = words.cautions(replace(run, sides=(few,)))
    assert "fewer than 100 calls of put, put_writes, get, list" in said


def test_every_workload_is_described() -> None:
    for name in ("chat", "research", "fanout", "wide", "hitl", "mixed:chat=3,hitl=1", "replay x"):
        assert words.about(name)
    assert words.about("another") == ""


def test_kills_are_told() -> None:
    said = words.cautions(made.killed())
    assert any("killed at 9 s, back at 10 s, killed at 19 s" in line for line in said)


def test_what_was_due_and_came_too_late_is_told() -> None:
    run = replace(made.run(), loop="open", rate=1000.0)
    side = run.sides[0]
    assert "carried the load: of 30,000 supersteps" in words.headlines(run)[0]
    late = replace(run, sides=(replace(side, late=1),))
    assert "fell behind: of 30,000 supersteps" in words.headlines(late)[0]
    ended_early = replace(side, seconds=10.0, steps=10_000)
    assert (
        "of 10,000 supersteps that were due, 1,000 a second, 10,000 came back"
        in (words.headlines(replace(run, sides=(ended_early,)))[0])
    )
