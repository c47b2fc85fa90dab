"""Pruned threads with a DeltaChannel: the value stays, and what it is rebuilt from stays hidden."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkpoints import Config, config
from tests.colours import Coloured
from tests.contract.graphs import (
    DURABILITIES,
    Durability,
    Runner,
    chat,
    named,
    parentless,
    replayed,
)
from tests.contract.stored import (
    Stored,
    assert_nothing_missing,
    assert_nothing_unused,
    stored,
)

pytestmark = pytest.mark.anyio

BOTH = ("pruned", "twin")
CASES: list[tuple[int, Durability]] = [
    *((1000, durability) for durability in DURABILITIES),
    (3, "sync"),
    (3, "exit"),
    (1, "sync"),
]


async def _turn(runner: Runner, number: int, thread: str, **options: Any) -> None:
    await runner.invoke({"turn": number, "log": [f"user {number}"]}, thread, **options)


async def _prune(coloured: Coloured) -> Stored:
    await coloured.prune(["pruned"])
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)
    return stored(coloured.saver)


def _rows(found: Stored, thread: str = "pruned") -> list[str]:
    return [row.checkpoint_id for row in found.checkpoints if row.thread_id == thread]


async def _assert_twins(runner: Runner) -> None:
    pruned, twin = [await runner.state(thread) for thread in BOTH]
    assert pruned.values == twin.values
    assert pruned.next == twin.next


@pytest.mark.parametrize(("frequency", "durability"), CASES)
async def test_the_state_stays_and_the_next_turns_are_the_same(
    coloured: Coloured, frequency: int, durability: Durability
) -> None:
    runner = Runner(coloured, replayed(frequency, supersteps=1))
    for number in range(3):
        for thread in BOTH:
            await _turn(runner, number, thread, durability=durability)
        before = await runner.state("pruned")
        await _prune(coloured)
        (only,) = await runner.history("pruned")
        assert parentless(only) == parentless(before)
        await _assert_twins(runner)


@pytest.mark.slow
async def test_ten_supersteps_of_six_parallel_writers_stay_in_order(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=10))
    live = await runner.invoke({"turn": 0, "log": ["user"]}, "pruned")
    assert len(live["log"]) == 1 + 2 * 6 * 10
    assert (await runner.state("pruned")).values["log"] == live["log"]
    await _prune(coloured)
    assert (await runner.state("pruned")).values["log"] == live["log"]


async def test_hidden_rows_are_not_visible(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _turn(runner, 0, "pruned")
    before = await coloured.list(config("pruned"))
    hidden = set(_rows(await _prune(coloured))) - {before[0].checkpoint["id"]}
    assert hidden
    (head,) = await coloured.list(None)
    # The parent stays in sight: LangGraph puts a copy of the head below it.
    assert head == before[0]
    for one in before[1:]:
        assert await coloured.get_tuple(one.config) is None
        assert await coloured.get(one.config) is None
        assert await coloured.list(one.config) == []
    assert await coloured.list(None, before=head.config) == []
    assert await coloured.list(config("pruned"), filter={"step": before[1].metadata["step"]}) == []


async def test_hidden_rows_hold_only_what_is_replayed(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _turn(runner, 0, "pruned")
    head = (await coloured.get_tuple(config("pruned"))).checkpoint["id"]
    after = await _prune(coloured)
    channels = {w.channel for w in after.writes if w.checkpoint_id != head}
    assert channels == {"log", "idle"}
    assert all(row.run_id is None for row in after.checkpoints if row.checkpoint_id != head)


@pytest.mark.parametrize("frequency", [2, 3])
async def test_a_later_prune_drops_hidden_rows_that_a_snapshot_made_needless(
    coloured: Coloured, frequency: int
) -> None:
    runner = Runner(coloured, replayed(frequency, supersteps=1))
    sizes = []
    for number in range(5):
        await _turn(runner, number, "pruned")
        live = (await runner.state("pruned")).values
        sizes.append(len(_rows(await _prune(coloured))))
        assert (await runner.state("pruned")).values == live
    assert max(sizes) <= 16
    assert sizes[-1] <= max(sizes[:3])


async def test_what_a_snapshot_covers_goes_at_once(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1))
    for number in range(3):
        await _turn(runner, number, "pruned")
    live = (await runner.state("pruned")).values
    head = (await coloured.get_tuple(config("pruned"))).checkpoint["id"]
    assert _rows(await _prune(coloured)) == [head]
    assert (await runner.state("pruned")).values == live


async def test_a_hidden_row_that_is_stored_again_is_visible(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _turn(runner, 0, "pruned")
    older = (await coloured.list(config("pruned")))[1]
    await _prune(coloured)
    await coloured.put(config("pruned"), older.checkpoint, older.metadata, {})
    assert (await coloured.get_tuple(older.config)).checkpoint["id"] == older.checkpoint["id"]


async def test_a_put_onto_a_hidden_parent_has_all_its_values(coloured: Coloured) -> None:
    """A run that read the checkpoint before it was pruned goes on from it."""
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _turn(runner, 0, "pruned")
    older = (await coloured.list(config("pruned")))[2]
    await _prune(coloured)
    child = {**older.checkpoint, "id": older.checkpoint["id"] + "x"}
    at = await coloured.put(older.config, child, older.metadata, {})
    assert (await coloured.get_tuple(at)).checkpoint == child


async def test_a_copy_of_the_kept_checkpoint_has_the_same_state(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    for thread in BOTH:
        await _turn(runner, 0, thread)
    await _prune(coloured)
    for thread in BOTH:
        await runner.update(thread, None, "__copy__")
    await _assert_twins(runner)


async def test_an_update_of_the_kept_checkpoint_builds_on_its_state(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    for thread in BOTH:
        await _turn(runner, 0, thread)
    await _prune(coloured)
    for thread in BOTH:
        await runner.update(thread, {"log": ["updated"]}, "join")
    assert "updated" in (await runner.state("pruned")).values["log"][-1]
    await _assert_twins(runner)
    await _prune(coloured)
    await _assert_twins(runner)


async def test_a_thread_that_switches_to_a_delta_channel_goes_on(coloured: Coloured) -> None:
    plain, delta = Runner(coloured, chat()), Runner(coloured, replayed(1000, supersteps=1))
    for number in range(2):
        for thread in BOTH:
            await plain.invoke({"turn": number, "log": [f"user {number}"]}, thread)
    for thread in BOTH:
        await _turn(delta, 2, thread)
    live = (await delta.state("pruned")).values
    await _prune(coloured)
    assert (await delta.state("pruned")).values == live
    for thread in BOTH:
        await _turn(delta, 3, thread)
    await _assert_twins(delta)


async def test_ordinary_and_delta_threads_are_pruned_in_one_call(coloured: Coloured) -> None:
    plain, delta = Runner(coloured, chat()), Runner(coloured, replayed(1000, supersteps=1))
    for number in range(2):
        await plain.invoke({"turn": number, "log": ["user"]}, "plain")
        await _turn(delta, number, "pruned")
    before = [await plain.state("plain"), await delta.state("pruned")]
    await coloured.prune(["plain", "pruned"])
    after = [await plain.state("plain"), await delta.state("pruned")]
    assert [parentless(one) for one in after] == [parentless(one) for one in before]
    assert after[0].parent_config is None
    assert len(_rows(stored(coloured.saver), "plain")) == 1


@pytest.mark.parametrize("frequency", [3, 1000])
async def test_the_history_of_what_is_kept_is_the_same(coloured: Coloured, frequency: int) -> None:
    runner = Runner(coloured, replayed(frequency))
    for number in range(2):
        await _turn(runner, number, "pruned")

    async def histories(at: Config) -> Any:
        return [
            await coloured.get_delta_channel_history(config=at, channels=names)
            for names in (["log"], ["idle"], ["log", "idle", "unknown"])
        ]

    head = (await coloured.get_tuple(config("pruned"))).config
    before = await histories(head)
    await _prune(coloured)
    after = await histories(head)
    channels = (await coloured.get_tuple(head)).checkpoint["channel_values"]
    for old, new in zip(before, after, strict=True):
        needed = [name for name in old if name not in channels]
        assert {name: new[name] for name in needed} == {name: old[name] for name in needed}


async def test_a_copied_thread_takes_the_hidden_rows_along(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await _turn(runner, 0, "pruned")
    live = (await runner.state("pruned")).values
    await _prune(coloured)
    await coloured.copy_thread("pruned", "copy")
    await coloured.delete_thread("pruned")
    assert (await runner.state("copy")).values == live
    assert len(await coloured.list(None)) == 1
    await _turn(runner, 1, "copy")
    assert (await runner.state(named("copy"))).values["log"][: len(live["log"])] == live["log"]
