"""Deleted runs in threads with a DeltaChannel: every surviving checkpoint reads as before."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkpoints import config
from tests.colours import Coloured
from tests.contract.graphs import Durability, Runner, named, replayed
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, stored

pytestmark = pytest.mark.anyio

RUNS = ("r0", "r1", "r2")


async def _runs(runner: Runner, thread: str = "t", **options: Any) -> None:
    for number, run in enumerate(RUNS):
        turn = {"turn": number, "log": [f"user {number}"]}
        await runner.invoke(turn, named(thread, run), **options)


async def _values(runner: Runner, at: Any) -> Any:
    return (await runner.state(at)).values


CASES: list[tuple[int, Durability, tuple[str, ...]]] = [
    (1000, "sync", ("r0",)),
    (1000, "sync", ("r0", "r2")),
    (1000, "async", ("r1",)),
    (1000, "exit", ("r0",)),
    (1000, "exit", ("r1", "r2")),
    (3, "sync", ("r0", "r1")),
    (3, "exit", ("r1",)),
    (1, "sync", ("r1",)),
]


@pytest.mark.parametrize(("frequency", "durability", "gone"), CASES)
async def test_every_surviving_checkpoint_has_its_state(
    coloured: Coloured, frequency: int, durability: Durability, gone: tuple[str, ...]
) -> None:
    runner = Runner(coloured, replayed(frequency, supersteps=1))
    await _runs(runner, durability=durability)
    before = [(one, await _values(runner, one.config)) for one in await coloured.list(config("t"))]
    await coloured.delete_for_runs(gone)
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)
    kept = [(one, values) for one, values in before if one.metadata["run_id"] not in gone]
    assert 0 < len(kept) < len(before)
    listed = await coloured.list(config("t"))
    assert [one.config for one in listed] == [one.config for one, _ in kept]
    for one, values in kept:
        assert await _values(runner, one.config) == values


async def test_deleted_runs_can_be_deleted_one_after_another(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _runs(runner)
    live = await _values(runner, "t")
    for run in RUNS[:-1]:
        await coloured.delete_for_runs([run])
        assert_nothing_missing(coloured.saver)
        assert_nothing_unused(coloured.saver)
        assert await _values(runner, "t") == live
    await coloured.prune(["t"])
    assert await _values(runner, "t") == live
    await coloured.delete_for_runs([RUNS[-1]])
    assert stored(coloured.saver).checkpoints == []
    assert stored(coloured.saver).writes == []
    assert stored(coloured.saver).count == 0


async def test_the_thread_goes_on_after_it(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _runs(runner)
    await coloured.delete_for_runs(["r0", "r1"])
    await _runs(runner, "twin")
    for thread in ("t", "twin"):
        await runner.invoke({"turn": 9, "log": ["user 9"]}, thread)
    assert await _values(runner, "t") == await _values(runner, "twin")


async def test_what_a_deleted_run_alone_replayed_goes(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _runs(runner)
    await coloured.delete_for_runs(["r1", "r2"])
    kept = {one.checkpoint["id"] for one in await coloured.list(config("t"))}
    assert {row.checkpoint_id for row in stored(coloured.saver).checkpoints} == kept


async def test_hidden_rows_name_no_run(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _runs(runner)
    live = await _values(runner, "t")
    await coloured.delete_for_runs(["r0"])
    rows = stored(coloured.saver).checkpoints
    assert len(rows) > len(await coloured.list(config("t")))
    assert {row.run_id for row in rows} == {None, "r1", "r2"}
    await coloured.delete_for_runs(["r0"])
    assert await _values(runner, "t") == live
