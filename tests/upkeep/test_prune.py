"""`upkeep.prune`: what goes by age, by count, by run, and what it says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lgckpt import upkeep
from lgckpt.errors import ConfigurationError, CorruptCheckpointError
from lgckpt.saver import Saver
from lgckpt.upkeep import Pruned, Weight
from tests.backends import Backend
from tests.checkpoints import config
from tests.contract.stored import Stored, assert_nothing_missing, assert_nothing_unused, stored
from tests.upkeep.made import LARGE, Aged, damage_one, ids, row_of

pytestmark = pytest.mark.anyio


async def _prune(saver: Saver, **options: Any) -> Pruned:
    """Prune, after a dry run that must have said the same and changed nothing."""
    before = stored(saver)
    planned = await upkeep.aprune(saver, **options, dry_run=True)
    assert _sorted(stored(saver)) == _sorted(before)
    done = await upkeep.aprune(saver, **options)
    assert (planned.threads, planned.total) == (done.threads, done.total)
    assert (planned.dry_run, done.dry_run) == (True, False)
    assert_nothing_missing(saver)
    assert_nothing_unused(saver)
    _check_weight(done.total, before, stored(saver))
    return done


def _sorted(found: Stored) -> Any:
    return sorted(found.checkpoints), sorted(found.writes), found.chunks


def _check_weight(weight: Weight, before: Stored, after: Stored) -> None:
    shown = [sum(not row.flags for row in one.checkpoints) for one in (before, after)]
    assert weight.checkpoints == shown[0] - shown[1]
    assert weight.writes == len(before.writes) - len(after.writes)
    assert weight.chunks == before.count - after.count
    assert weight.bytes == before.payload - after.payload


async def test_a_thread_that_is_old_goes_whole_and_of_others_what_is_old(saver: Saver) -> None:
    old, live, young = (Aged(saver, name) for name in ("old", "live", "young"))
    for days in (50, 40):
        at = await old.put(days, {"large": LARGE})
        await saver.aput_writes(at, [("n", LARGE)], "task")
    for days in (60, 35, 1):
        await live.put(days, {"large": [*LARGE, days]})
    await young.put(2)
    done = await _prune(saver, older_than="30d")
    assert {one.thread_id: one.whole for one in done.threads} == {"old": True, "live": False}
    assert done.whole_threads == 1
    assert done.total.checkpoints == 4
    assert await ids(saver, "old") == []
    assert await ids(saver, "live") == live.ids[2:]
    assert await ids(saver, "young") == young.ids


async def test_the_latest_of_every_namespace_of_a_live_thread_stays(saver: Saver) -> None:
    root, memory = Aged(saver, "t"), Aged(saver, "t", ns="memory")
    for days in (60, 50):
        await memory.put(days)
    for days in (60, 1):
        await root.put(days)
    await _prune(saver, older_than=timedelta(days=30))
    assert await ids(saver, "t", "memory") == memory.ids[1:]
    assert await ids(saver, "t") == root.ids[1:]


async def test_the_age_is_that_of_the_checkpoint_not_of_its_name(saver: Saver) -> None:
    thread = Aged(saver, "t")
    await thread.put(40)
    found = await saver.aget_tuple(config("t"))
    renamed = {**found.checkpoint, "id": "not a uuid"}
    await saver.aput(config("u"), renamed, found.metadata, {})
    done = await _prune(saver, older_than="30d")
    assert sorted(one.thread_id for one in done.threads) == ["t", "u"]


async def test_the_newest_of_each_namespace_stay(saver: Saver) -> None:
    root, memory = Aged(saver, "t"), Aged(saver, "t", ns="memory")
    for days in range(9, 0, -1):
        await root.put(days, {"large": [*LARGE, days]})
        await memory.put(days)
    await _prune(saver, keep=3)
    assert await ids(saver, "t") == root.ids[-3:]
    assert await ids(saver, "t", "memory") == memory.ids[-3:]
    first = await saver.aget_tuple(config("t", root.ids[-3]))
    assert first.parent_config is None
    assert await _prune(saver, keep=3) == Pruned(False, (), 0, Weight(), ())


async def test_calls_of_subgraphs_go_with_the_checkpoint_they_started_from(saver: Saver) -> None:
    root = Aged(saver, "t")
    for number in range(4):
        at = await root.put(9 - number)
        call = Aged(saver, "t", ns=f"node:{number}")
        for _ in range(2):
            await call.put(9 - number, parents={"": at["configurable"]["checkpoint_id"]})
    await _prune(saver, keep=2)
    left = {one.config["configurable"]["checkpoint_ns"] async for one in saver.alist(config("t"))}
    every = {row.checkpoint_ns for row in stored(saver).checkpoints}
    assert left == {""}
    assert every == {"", "node:2", "node:3"}


async def test_keep_latest_is_what_prune_of_the_saver_does(backend: Backend) -> None:
    with backend.open() as one, backend.open() as other:
        for saver in (one, other):
            thread = Aged(saver, "t")
            for number in range(4):
                at = await thread.put(0, {"large": [*LARGE, number]})
                await saver.aput_writes(at, [("n", number)], "task")
        await _prune(one, keep_latest=True)
        await other.aprune(["t"])
        kept = [
            [(row.parent_id, row.flags) for row in stored(saver).checkpoints]
            for saver in (one, other)
        ]
        assert kept[0] == kept[1] == [(None, 0)]
        assert [len(stored(saver).writes) for saver in (one, other)] == [1, 1]


async def test_only_what_is_old_goes_if_the_latest_stay(saver: Saver) -> None:
    old, live = Aged(saver, "old"), Aged(saver, "live")
    for days in (50, 40, 35):
        await old.put(days)
    for days in (50, 40, 2, 1):
        await live.put(days)
    await _prune(saver, older_than="30d", keep_latest=True)
    assert await ids(saver, "old") == old.ids[-1:]
    assert await ids(saver, "live") == live.ids[2:]


async def test_what_is_old_and_many_goes(saver: Saver) -> None:
    thread = Aged(saver, "t")
    for days in (50, 45, 40, 2, 1):
        await thread.put(days)
    await _prune(saver, older_than="30d", keep=4)
    assert await ids(saver, "t") == thread.ids[1:]


async def test_runs_go_in_all_threads_or_in_those_named(saver: Saver) -> None:
    for name in ("a", "b", "c"):
        thread = Aged(saver, name)
        for run in ("one", "two", "one"):
            await thread.put(0, run_id=run)
    await Aged(saver, "other").put(0, run_id="two")
    done = await _prune(saver, runs=["one"], threads=["a", "other"])
    assert [one.thread_id for one in done.threads] == ["a"]
    assert [len(await ids(saver, name)) for name in ("a", "b", "c", "other")] == [1, 3, 3, 1]
    await _prune(saver, runs=["one", "two"], thread_prefix="b")
    assert [len(await ids(saver, name)) for name in ("a", "b", "c", "other")] == [1, 0, 3, 1]
    assert (await upkeep.aprune(saver, runs=["unknown"])).threads == ()
    await _prune(saver, runs=["one"], keep_latest=True)
    assert len(await ids(saver, "c")) == 2


async def test_only_the_threads_asked_for(saver: Saver) -> None:
    for name in ("support-1", "support-2", "sales-1"):
        thread = Aged(saver, name)
        for _ in range(3):
            await thread.put(0)
    await _prune(saver, keep=1, thread_prefix="support-")
    counts = [len(await ids(saver, name)) for name in ("support-1", "support-2", "sales-1")]
    assert counts == [1, 1, 3]
    await _prune(saver, keep=1, threads=["sales-1", "unknown"])
    assert len(await ids(saver, "sales-1")) == 1


async def test_a_damaged_thread_is_named_and_the_others_are_pruned(
    saver: Saver, backend: Backend
) -> None:
    for name in ("a", "b", "c"):
        thread = Aged(saver, name)
        for _ in range(3):
            await thread.put(40)
    row = row_of(saver, config("b", (await ids(saver, "b"))[1]))
    damage_one(saver, backend, "checkpoints", "state", row.state, lambda raw: raw[:-2])
    told: list[Any] = []
    done = await upkeep.aprune(saver, older_than="30d", progress=told.append)
    assert {one.thread_id for one in done.threads} == {"a", "c"}
    (trouble,) = done.troubles
    assert trouble.thread_id == "b"
    assert row.checkpoint_id in trouble.what
    assert set(told) == {*done.threads, trouble}
    assert len([r for r in stored(saver).checkpoints if r.thread_id == "b"]) == 3
    with pytest.raises(CorruptCheckpointError):
        await saver.aget_tuple(config("b", row.checkpoint_id))


async def test_pending_sends_from_before_v4_stay_with_whom_they_belong_to(saver: Saver) -> None:
    thread = Aged(saver, "t")
    at = []
    for _ in range(3):
        await thread.put(0)
        found = await saver.aget_tuple(thread.config)
        old = {**found.checkpoint, "v": 3, "pending_sends": []}
        at.append(await saver.aput(found.parent_config or config("t"), old, found.metadata, {}))
    await saver.aput_writes(at[1], [("__pregel_tasks", "send")], "task")
    before = await saver.aget_tuple(at[2])
    await _prune(saver, keep=1)
    assert await ids(saver, "t") == thread.ids[1:]
    assert await saver.aget_tuple(at[2]) == before


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"keep": 0},
        {"keep": -1},
        {"keep": 2, "keep_latest": True},
        {"older_than": "30"},
        {"older_than": "-3d"},
        {"older_than": "yesterday"},
        {"older_than": timedelta(days=-1)},
        {"older_than": "9" * 400 + "d"},
        {"keep": 1, "threads": "t"},
        {"runs": "r"},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        await upkeep.aprune("sqlite:///not-there.db", **options)


async def test_ages() -> None:
    for text, seconds in (("90s", 90), ("45m", 2700), ("12h", 43200), ("1.5d", 129600)):
        assert upkeep.age(text) == timedelta(seconds=seconds)
    assert upkeep.age("2w") == timedelta(days=14)


async def test_what_is_older_than_time_itself_is_nothing(saver: Saver) -> None:
    await Aged(saver, "t").put(40)
    assert (await _prune(saver, older_than="900000d")).threads == ()


def test_it_can_be_called_without_a_loop(saver: Saver) -> None:
    assert upkeep.prune(saver, keep=1) == Pruned(False, (), 0, Weight(), ())
