"""What a load test may be told, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest.calls import Put
from lgckpt.loadtest.knee import with_knee
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.results import Level
from lgckpt.loadtest.settings import Settings, ramp_of, rate_of, seconds_of
from lgckpt.loadtest.targets import open_saver, start
from lgckpt.loadtest.worker import share
from lgckpt.loadtest.workloads import WORKLOADS, parse


def test_figures_are_read() -> None:
    assert rate_of("500/s") == rate_of("500") == 500
    assert rate_of("30/min") == 0.5
    assert ramp_of("1..512") == ((1, 512), False)
    assert ramp_of("100/s..5000/s") == ((100, 5000), True)
    assert [seconds_of(one) for one in ("90", "90s", "5m", "1h", "0.5s")] == [
        90,
        90,
        300,
        3600,
        0.5,
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: rate_of("fast"), lambda: rate_of("0/s"), lambda: ramp_of("1-5"),
        lambda: ramp_of("9..2"), lambda: ramp_of("1.5..3"), lambda: seconds_of("soon"),
        lambda: parse("chatty"), lambda: parse("mixed:chat=-1"), lambda: parse("mixed:chat=x"),
        lambda: parse("mixed:talk=1"), lambda: parse("chat:2"),
        lambda: Settings("memory://", clients=0), lambda: Settings("memory://", duration=0),
        lambda: Settings("memory://", warmup=-1), lambda: Settings("memory://", pace=1),
        lambda: Settings("memory://", rate=5, ramp=(1, 2)),
        lambda: start("sqlite://embedded"), lambda: start("ftp://embedded"),
        lambda: open_saver("langgraph+mongodb://x", 1),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError):
        wrong()


def test_a_ramp_doubles_up_to_its_end() -> None:
    loads = Settings("memory://", ramp=(1, 12)).levels()
    assert loads == [Load(1), Load(2), Load(4), Load(8), Load(12)]
    rates = Settings("memory://", ramp=(100, 400), ramp_rate=True, clients=9).levels()
    assert rates == [Load(9, 100), Load(9, 200), Load(9, 400)]
    assert Settings("memory://", ramp=(3, 3)).levels() == [Load(3)]


@pytest.mark.parametrize("load", [Load(7), Load(7, 90.0), Load(2, 90.0)])
def test_processes_share_a_load(load: Load) -> None:
    shares = [one for one in (share(load, i, 3) for i in range(3)) if one]
    assert sum(one.clients for one in shares) == load.clients
    if load.rate is not None:
        assert sum(one.rate or 0 for one in shares) == pytest.approx(load.rate)


def _levels(*pairs: tuple[float, float]) -> list[Level]:
    return [Level(load, rate, 1.0, ()) for load, rate in pairs]


def test_the_knee_of_a_closed_loop_is_where_more_clients_bring_no_more() -> None:
    found = with_knee(_levels((1, 100), (2, 190), (4, 350), (8, 370), (16, 365)), is_open=False)
    assert [one.load for one in found if one.knee] == [4]


def test_the_knee_of_an_open_loop_is_the_last_rate_that_was_carried() -> None:
    found = with_knee(_levels((100, 100), (200, 199), (400, 310), (800, 790)), is_open=True)
    assert [one.load for one in found if one.knee] == [200]
    none = with_knee(_levels((100, 50), (200, 60)), is_open=True)
    assert not any(one.knee for one in none)


@pytest.mark.parametrize("name", [*WORKLOADS, "mixed:chat=1,hitl=2"])
def test_the_same_seed_gives_the_same_values(name: str) -> None:
    def values(seed: int) -> list[Any]:
        calls = parse(name).script("t", seed)
        return [one.checkpoint["channel_values"] for one in calls if isinstance(one, Put)]

    assert values(3) == values(3)
    assert values(3) != values(4)


def test_a_mixture_follows_its_weights() -> None:
    mixture = parse("mixed:chat=3,wide=1")
    assert mixture.name == "mixed:chat=3,wide=1"
    wide = 0
    for seed in range(400):
        first = next(mixture.script("t", seed))
        assert isinstance(first, Put)
        wide += len(first.checkpoint["channel_values"]) > 100
    assert 60 < wide < 140
