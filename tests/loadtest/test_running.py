"""A run, with clients that only take their time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from lgckpt.loadtest.hands import Hands
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.recorder import Snapshot
from lgckpt.loadtest.results import Progress, Run
from lgckpt.loadtest.running import LoadTest
from lgckpt.loadtest.settings import Settings
from lgckpt.loadtest.worker import Order

INTERVAL = 0.2


class Slow:
    """Clients whose last supersteps end a little after the time is over."""

    async def run(self, load: Load, seconds: float) -> None:
        await asyncio.sleep(seconds + INTERVAL / 10)

    async def snapshot(self) -> Snapshot:
        return Snapshot(steps=1)

    async def nothing(self) -> None:
        pass

    stop = settle = clean = close = nothing


async def hired(orders: Sequence[Order]) -> Hands:
    return Hands([Slow() for _ in orders])


@pytest.mark.parametrize("duration", [3 * INTERVAL, 3.3 * INTERVAL, INTERVAL, INTERVAL / 3])
def test_no_sample_is_of_a_turns_last_moment_alone(duration: float) -> None:
    settings = Settings(url="memory://", duration=duration, warmup=0.0, interval=INTERVAL)
    run = asyncio.run(LoadTest(settings, hire=hired).run())
    (side,) = run.sides
    assert min(one.seconds for one in side.samples) > min(duration, INTERVAL / 2)
    assert side.seconds == pytest.approx(sum(one.seconds for one in side.samples))
    assert side.seconds >= duration


def test_clients_that_go_on_past_the_end_are_still_sampled() -> None:
    class Slower(Slow):
        async def run(self, load: Load, seconds: float) -> None:
            await asyncio.sleep(seconds + 5 * INTERVAL)

    async def hired(orders: Sequence[Order]) -> Hands:
        return Hands([Slower()])

    settings = Settings(url="memory://", duration=INTERVAL, warmup=0.0, interval=INTERVAL)
    (side,) = asyncio.run(LoadTest(settings, hire=hired).run()).sides
    assert len(side.samples) >= 3


def test_what_is_done_in_the_warm_up_is_not_counted() -> None:
    phases: list[tuple[str, int]] = []

    def watch(run: Run, progress: Progress) -> None:
        phases.append((progress.phase, run.sides[0].steps))

    settings = Settings(
        url="memory://", duration=2 * INTERVAL, warmup=3 * INTERVAL, interval=INTERVAL
    )
    (side,) = asyncio.run(LoadTest(settings, hire=hired, watch=watch).run()).sides
    warm = [steps for phase, steps in phases if phase == "warm-up"]
    assert warm == [0] * len(warm) != []
    assert side.steps == len(side.samples) == sum(phase == "measuring" for phase, _ in phases)
    assert side.samples[0].at < side.samples[0].seconds + INTERVAL / 4
    assert side.seconds < 3 * INTERVAL
    # What is stored was stored by all of them.
    assert side.growth[-1].steps == side.steps + len(warm)
