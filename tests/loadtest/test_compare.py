"""Two runs beside each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lgckpt.loadtest.report.compare import Change, changes, differences, pairs
from tests.loadtest import made


def faster() -> made.Run:
    run = made.run()
    return replace(run, sides=(made.side("lgckpt postgres", 5, 2400.0, 0.02), run.sides[1]))


def judged(before: made.Run, after: made.Run) -> dict[tuple[str, str], str]:
    return {(one.side, one.what): one.judged for one in changes(before, after)}


def test_what_got_better_is_called_so_and_the_rest_the_same() -> None:
    found = judged(made.run(), faster())
    assert found["lgckpt postgres", "supersteps/s"] == "better"
    assert found["lgckpt postgres", "put p50"] == "better"
    assert found["lgckpt postgres", "put p99"] == "better"
    assert {word for (side, _), word in found.items() if side == "official postgres"} == {"same"}
    back = judged(faster(), made.run())
    assert back["lgckpt postgres", "supersteps/s"] == "worse"
    assert back["lgckpt postgres", "put p50"] == "worse"


def test_a_change_within_the_unrest_is_none() -> None:
    change = Change("a", "put p99", 10.0, 11.0, 0.2, True, str)
    assert change.judged == "same"
    assert replace(change, after=13.0).judged == "worse"
    assert replace(change, after=7.0).judged == "better"
    assert replace(change, after=7.0, less_is_better=False).judged == "worse"
    assert replace(change, unrest=None).judged == ""
    assert replace(change, before=0.0).ratio is None


def test_too_few_samples_say_nothing() -> None:
    run = made.run()
    short = replace(run, sides=tuple(replace(one, samples=one.samples[:3]) for one in run.sides))
    assert set(judged(short, run).values()) == {"", "same"}


def test_sides_are_paired_by_name_or_else_by_place() -> None:
    run = made.run()
    turned = replace(run, sides=run.sides[::-1])
    assert [(a.name, b.name) for a, b in pairs(run, turned)] == [
        (side.name, side.name) for side in run.sides
    ]
    other = replace(run, sides=(replace(run.sides[0], name="lgckpt redis"),))
    assert changes(run, other)[0].side == "lgckpt postgres / lgckpt redis"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seed", 8, "seed: 7 and 8"),
        ("clients", 8, "clients: 64 and 8"),
        ("machine", {**made.run().machine, "cores": "8"}, "machine, cores: 2 and 8"),
        ("versions", {**made.run().versions, "asyncpg": "1"}, "versions, asyncpg: unknown and 1"),
    ],
)
def test_what_was_not_alike_is_told(name: str, value: object, said: str) -> None:
    run = made.run()
    assert differences(run, replace(run, **{name: value})) == [said]
    assert differences(run, run) == []
