"""Which threads and checkpoints are moved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from langgraph.checkpoint.base.id import UUID, uuid6
from langgraph.types import Command

import lgckpt
from lgckpt.bulk import Mark
from lgckpt.errors import ConfigurationError
from lgckpt.migration import selected
from lgckpt.migration.filters import Shard
from lgckpt.migration.sides import Side
from lgckpt.migration.times import first_id, is_since, time_of
from lgckpt.packing import Packer
from tests.backends import Backend
from tests.checkpoints import checkpoint, config
from tests.compat.delta_graphs import NEVER, asking, both, chain, nested
from tests.contract.graphs import chat, counting, with_subgraphs
from tests.contract.stored import assert_nothing_unused, stored
from tests.migrate.sides import assert_same, fill, place, read

pytestmark = pytest.mark.anyio


def names(saver: lgckpt.Saver) -> set[str]:
    found = stored(saver)
    return {row.thread_id for row in (*found.checkpoints, *found.writes)}


async def filled(threads: list[str]) -> lgckpt.MemorySaver:
    saver = lgckpt.MemorySaver()
    for name in threads:
        await fill(saver, name, 1)
    return saver


async def test_shards_split_the_threads_between_them() -> None:
    threads = [f"thread {n}" for n in range(60)]
    source = await filled(threads)
    parts = []
    with lgckpt.MemorySaver() as whole:
        for number in (1, 2, 3):
            with lgckpt.MemorySaver() as target:
                await lgckpt.amigrate(source, target, shard=f"{number}/3", verify=True)
                parts.append(names(target))
            done = await lgckpt.amigrate(source, whole, shard=f"{number}/3", verify=True)
            assert done.ok
        assert_same(source, whole)
    assert all(10 < len(part) < 30 for part in parts)
    assert sum(map(len, parts)) == 60
    assert set().union(*parts) == set(threads)


def test_a_shard_is_the_same_everywhere() -> None:
    found = [name for name in ("a", "b", "c", "d", "é", "\ud800") if Shard(1, 2).holds(name)]
    assert found == ["b", "c", "d", "é", "\ud800"]


async def test_threads_by_name_and_by_prefix() -> None:
    source = await filled(["user-1", "user-2", "user-11", "other"])
    for options, wanted in (
        ({"threads": ["user-1", "other", "other"]}, {"user-1", "other"}),
        ({"thread_prefix": "user-1"}, {"user-1", "user-11"}),
        ({"threads": ["user-2", "other"], "thread_prefix": "user"}, {"user-2"}),
    ):
        with lgckpt.MemorySaver() as target:
            done = await lgckpt.amigrate(source, target, verify=True, **options)
            assert names(target) == wanted
            assert done.ok
            assert done.threads == len(wanted)


async def test_threads_that_are_not_there_are_named() -> None:
    source = await filled(["user-1", "other"])
    with lgckpt.MemorySaver() as target:
        asked = {"threads": ["user-1", "none", "nobody", "none"], "verify": True}
        done = await lgckpt.amigrate(source, target, **asked)
        assert names(target) == {"user-1"}
        assert done.missing == ("none", "nobody")
        assert not done.ok
        # Those of other parts are for whoever moves them.
        parts = [await lgckpt.amigrate(source, target, **asked, shard=f"{n}/2") for n in (1, 2)]
        assert sorted(name for part in parts for name in part.missing) == ["nobody", "none"]


@pytest.mark.parametrize(
    "given", ["2026-02-03T04:05:06.789012Z", "2026-02-03T05:05:06.789012+01:00"]
)
def test_a_time_is_the_least_id_of_that_time(given: str) -> None:
    time = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=timezone.utc)
    assert first_id(given) == first_id(time) == first_id(time.replace(tzinfo=None))
    found = UUID(hex=first_id(given))
    assert found.version == 6
    since_1582 = time - datetime(1582, 10, 15, tzinfo=timezone.utc)
    assert found.time == since_1582 // timedelta(microseconds=1) * 10


def test_ids_are_told_by_the_time_within() -> None:
    now = datetime.now(timezone.utc)
    made = str(uuid6(clock_seq=-2))
    assert is_since(made, first_id(now - timedelta(seconds=5)))
    assert not is_since(made, first_id(now + timedelta(seconds=5)))
    assert is_since(made, made)
    assert first_id(made) == made
    assert time_of(first_id(now)) == now
    assert time_of(str(uuid4())) is None
    assert time_of("first") is None


def test_what_has_no_time_in_its_id_is_moved() -> None:
    assert is_since("first", first_id("2030-01-01"))
    assert is_since("00000000-0000-4000-8000-000000000000", first_id("2030-01-01"))


@pytest.mark.parametrize("given", ["yesterday", "2026-13-01", "0001-01-01"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError):
        first_id(given)


async def test_since_moves_what_is_newer_and_its_chunks() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        made = await fill(source, "a", 6)
        await fill(source, "old", 2)
        start = place(made[3])[1]
        await source.adelete_thread("old")
        done = await lgckpt.amigrate(source, target, since=start, verify=True)
        assert done.ok
        assert (done.checkpoints, done.writes) == (3, 9)
        ours, theirs = read(source, "a")[:3], read(target, "a")
        assert [t.checkpoint for t in theirs] == [t.checkpoint for t in ours]
        assert [t.pending_writes for t in theirs] == [t.pending_writes for t in ours]
        assert theirs[-1].parent_config is None
        again = await lgckpt.amigrate(source, target, since=start)
        assert (again.checkpoints, again.writes) == (0, 0)


async def test_a_threads_choice_is_made_once_however_many_are_read_at_a_time(monkeypatch) -> None:
    made: list[str] = []

    def since(packer: Packer, least: str) -> selected.Choose:
        choose = real(packer, least)

        async def noted(side: Side, thread_id: str, marks: list[Mark]) -> selected.Choice:
            made.append(thread_id)
            return await choose(side, thread_id, marks)

        return noted

    real = selected.since
    monkeypatch.setattr(selected, "since", since)
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        threads = [f"thread {n}" for n in range(2 * selected.HELD)]
        for name in threads:
            for n in range(100):
                at = checkpoint({"n": n})
                source.put(config(name), at, {"source": "loop", "step": n}, {"n": 1})
        await lgckpt.amigrate(source, target, since="2020-01-01", workers=len(threads))
        assert sorted(made) == sorted(threads)
        assert_same(source, target)


async def test_since_leaves_threads_that_are_older_altogether() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        await fill(source, "old", 2)
        made = await fill(source, "new", 2)
        await lgckpt.amigrate(source, target, since=place(made[0])[1], verify=True)
        assert names(target) == {"new"}


async def test_since_keeps_the_chain_of_a_delta_channel(backend: Backend) -> None:
    with backend.open() as source, backend.open() as target:
        graph = chain(NEVER)(source)
        for n in range(4):
            await graph.ainvoke(both(f"{n}"), config("d"))
        newest = read(source, "d", "")[1]
        start = newest.config["configurable"]["checkpoint_id"]
        done = await lgckpt.amigrate(source, target, since=start, verify=True)
        assert done.ok
        assert len(read(target, "d", "")) == 2
        state = await chain(NEVER)(target).aget_state(config("d"))
        assert state.values == (await graph.aget_state(config("d"))).values
        assert len(state.values["log"]) == 12
        assert state.values["log"] == state.values["plain"]
        mine = await graph.ainvoke(both("go on"), config("d"))
        assert await chain(NEVER)(target).ainvoke(both("go on"), config("d")) == mine


async def test_since_keeps_the_state_of_a_subgraph_that_outlives_its_calls() -> None:
    def build(saver: lgckpt.Saver) -> object:
        inner = counting().compile(checkpointer=True)
        builder = with_subgraphs(inner=inner)
        builder.add_conditional_edges("inner", lambda state: "__end__")
        return builder.compile(checkpointer=saver)

    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        ours = build(source)
        await ours.ainvoke({"turn": 1, "log": ["one"]}, config("s"))
        start = str(uuid6(clock_seq=-2))
        await (
            chat()
            .compile(checkpointer=source)
            .aupdate_state(config("s"), {"log": ["late"]}, as_node="last")
        )
        await lgckpt.amigrate(source, target, since=start, verify=True)
        theirs = build(target)
        assert (await theirs.ainvoke({"turn": 2, "log": []}, config("s"))) == (
            await ours.ainvoke({"turn": 2, "log": []}, config("s"))
        )


async def test_since_keeps_an_interrupted_run_going(backend: Backend) -> None:
    with backend.open() as source, backend.open() as target:
        graph = asking(NEVER)(source)
        await graph.ainvoke(both("one"), config("q"))
        last = read(source, "q", "")[0].config["configurable"]["checkpoint_id"]
        await lgckpt.amigrate(source, target, since=last, verify=True)
        resumed = await asking(NEVER)(target).ainvoke(Command(resume="yes"), config("q"))
        assert resumed == await graph.ainvoke(Command(resume="yes"), config("q"))


@pytest.mark.parametrize("build", [chain(NEVER), chain(3), asking(NEVER), nested(NEVER, True)])
async def test_latest_only_is_what_prune_would_leave(build, backend: Backend) -> None:
    with backend.open() as source, backend.open() as target:
        graph = build(source)
        for n in range(4):
            await graph.ainvoke(both(f"{n}"), config("t"))
            if "?" in str(await graph.aget_state(config("t"))):
                await graph.ainvoke(Command(resume="yes"), config("t"))
        await fill(source, "plain", 5)
        before = stored(source)
        done = await lgckpt.amigrate(source, target, latest_only=True, verify=True)
        assert done.ok
        assert stored(source) == before
        again = await lgckpt.amigrate(source, target, latest_only=True)
        assert (again.checkpoints, again.writes) == (0, 0)
        await source.aprune(["t", "plain"])
        ours, theirs = stored(source), stored(target)
        assert len(theirs.checkpoints) == len(ours.checkpoints) < len(before.checkpoints)
        assert {r.key: r[3:6] for r in theirs.checkpoints} == {
            r.key: r[3:6] for r in ours.checkpoints
        }
        assert sorted(theirs.writes) == sorted(ours.writes)
        assert {k: set(v) for k, v in theirs.chunks.items() if v} == {
            k: set(v) for k, v in ours.chunks.items() if v
        }
        assert_nothing_unused(target)
        assert (await lgckpt.amigrate(source, target, verify_only=True)).ok
        mine = await graph.ainvoke(both("more"), config("t"))
        theirs = await build(target).ainvoke(both("more"), config("t"))
        assert [theirs["log"], theirs["plain"]] == [mine["log"], mine["plain"]]


async def test_latest_only_of_a_thread_that_went_on() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        graph = chain(NEVER)(source)
        await graph.ainvoke(both("1"), config("t"))
        await lgckpt.amigrate(source, target, latest_only=True)
        await graph.ainvoke(both("2"), config("t"))
        await lgckpt.amigrate(source, target, latest_only=True)
        state = (await chain(NEVER)(target).aget_state(config("t"))).values
        assert state == (await graph.aget_state(config("t"))).values
        assert len(state["log"]) == 6
