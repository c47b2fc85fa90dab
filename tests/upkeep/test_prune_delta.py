"""Whatever goes, DeltaChannels of what stays are read by LangGraph as before."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest

from lgckpt import upkeep
from lgckpt.retention import keep_where
from lgckpt.saver import Saver
from tests.colours import Coloured
from tests.contract.graphs import Runner, parentless, replayed
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, stored

pytestmark = pytest.mark.anyio


async def _talk(saver: Saver, frequency: int, turns: int = 3) -> Runner:
    runner = Runner(Coloured(saver, "async"), replayed(frequency, supersteps=1))
    for turn in range(turns):
        await runner.invoke({"turn": turn, "log": [f"user {turn}"]}, "t")
    return runner


async def _states(runner: Runner) -> dict[str, Any]:
    """Every state that LangGraph shows, by checkpoint."""
    return {one.config["configurable"]["checkpoint_id"]: one for one in await runner.history("t")}


def _check(saver: Saver) -> None:
    assert_nothing_missing(saver)
    assert_nothing_unused(saver)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("frequency", [1, 4, 1000])
async def test_any_choice_of_what_stays_reads_as_before(
    saver: Saver, frequency: int, seed: int
) -> None:
    chance = random.Random(f"{frequency} {seed}")
    runner = await _talk(saver, frequency)
    for share in (0.6, 0.4):
        before = await _states(runner)
        stay = {one for one in before if chance.random() < share} or set(before)
        await saver._handle.driver(sync=False)(
            "edit_thread",
            "t",
            partial(
                keep_where,
                packer=saver._packer(),
                choose=lambda entries, stay=stay: [
                    e[:2] for e in entries if e.checkpoint_id in stay
                ],
            ),
        )
        _check(saver)
        after = await _states(runner)
        assert after.keys() == stay
        for name, state in after.items():
            assert parentless(state) == parentless(before[name])
        diagnosis = await upkeep.adoctor(saver)
        assert not [one for one in diagnosis.findings if one.thread_id]


@pytest.mark.parametrize("frequency", [1, 3, 1000])
@pytest.mark.parametrize("keep", [1, 4])
async def test_the_newest_stay_readable_and_the_thread_goes_on(
    saver: Saver, frequency: int, keep: int
) -> None:
    runner = await _talk(saver, frequency)
    before = await _states(runner)
    planned = await upkeep.aprune(saver, keep=keep, dry_run=True)
    hidden = sum(row.flags for row in stored(saver).checkpoints)
    payload = stored(saver).payload
    done = await upkeep.aprune(saver, keep=keep)
    assert planned.total == done.total
    assert done.total.bytes == payload - stored(saver).payload
    assert done.total.hidden == sum(row.flags for row in stored(saver).checkpoints) - hidden
    if frequency != 3:
        assert (done.total.hidden > 0) == (frequency > 1)
    _check(saver)
    after = await _states(runner)
    assert list(after) == list(before)[:keep]
    assert [parentless(one) for one in after.values()] == [
        parentless(before[name]) for name in after
    ]
    await runner.invoke({"turn": 9, "log": ["again"]}, "t")
    state = (await runner.state("t")).values
    assert (
        state["log"][: len(next(iter(before.values())).values["log"])]
        == (next(iter(before.values())).values["log"])
    )
