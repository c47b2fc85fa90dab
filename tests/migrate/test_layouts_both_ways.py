"""LangGraph's own databases to lgckpt and back: the same tuples, and graphs that go on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.bulk import Mark
from lgckpt.rows import HIDDEN
from lgckpt.saver import Saver
from tests.checkpoints import checkpoint, config
from tests.compat import delta_graphs
from tests.migrate.histories import go_on, live
from tests.migrate.layouts import (
    LAYOUTS,
    POSTGRES,
    Layout,
    Sides,
    every_mark,
    every_thread,
    move,
    nothing,
    tuples,
)

pytestmark = pytest.mark.anyio

NAMESPACES = ("", "A", "a", "a|b", "\u00e9")
IDS = ("1", "B", "a", "\u00df")


@pytest.fixture(params=LAYOUTS, ids=lambda one: one.name)
def layout(request: pytest.FixtureRequest) -> Layout:
    found: Layout = request.param
    return found


@pytest.fixture(params=["memory", "sqlite"])
def ours(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Saver]:
    memory = request.param == "memory"
    with lgckpt.MemorySaver() if memory else lgckpt.SqliteSaver(tmp_path / "ours.db") as saver:
        yield saver


async def test_everything_arrives_and_comes_back(layout: Layout, ours: Saver) -> None:
    with layout.database() as old, layout.database() as new:
        async with Sides() as side:
            with layout.saver(old) as official:
                await live(official)
                before = tuples(official)
            assert len(before) > 40
            assert any(one.pending_writes for one in before.values())
            source, target = side(old), side(new)
            assert await move(source, side(ours)) == len(before)
            assert tuples(ours) == before
            assert await move(side(ours), target) == len(before)
            with layout.saver(new) as official:
                assert tuples(official) == before
                writes = await every_mark(target, "writes alone")
                assert writes == await every_mark(source, "writes alone")
                assert [(mark.etag, mark.writes) for mark in writes] == [(None, 1)]
                after = await go_on(official)
            with layout.saver(old) as official:
                assert await go_on(official) == after
            assert await go_on(ours) == after


async def test_between_the_layouts(layout: Layout) -> None:
    other = next(one for one in LAYOUTS if one is not layout)
    with layout.database() as old, other.database() as new:
        async with Sides() as side:
            with layout.saver(old) as official:
                await live(official)
                before = tuples(official)
            await move(side(old), side(new))
            with other.saver(new) as official:
                found = tuples(official)
                assert found.keys() == before.keys()
                for key, one in before.items():
                    assert found[key].metadata == one.metadata
                    assert found[key].parent_config == one.parent_config
                    assert found[key].pending_writes == one.pending_writes
                after = await go_on(official)
            with layout.saver(old) as official:
                assert await go_on(official) == after


async def test_filters_and_runs_are_found(layout: Layout) -> None:
    with layout.database() as old, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            with layout.saver(old) as official:
                await live(official)
                await move(side(old), side(ours))
                for wanted in ({"source": "input"}, {"step": 1}, {"run_id": "run 2"}):
                    expected = [one.config for one in official.list(None, filter=wanted)]
                    found = [one.config for one in ours.list(None, filter=wanted)]
                    assert sorted(map(str, found)) == sorted(map(str, expected))
                    assert expected
            ours.delete_for_runs(["run 1", "run 2"])
            assert not [one for one in tuples(ours).values() if "run_id" in one.metadata]


async def test_moving_twice_changes_nothing(layout: Layout) -> None:
    with layout.database() as old, layout.database() as new, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            with layout.saver(old) as official:
                await live(official)
            source = side(old)
            await move(source, side(ours))
            before = tuples(ours)
            await move(source, side(ours), size=3)
            assert tuples(ours) == before
            for size in (5, 4):
                await move(side(ours), side(new), size=size)
                with layout.saver(new) as official:
                    assert tuples(official) == before


async def test_what_changed_replaces_what_was_there(layout: Layout) -> None:
    with layout.database() as url, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            for text in ("one", "two"):
                made = checkpoint({"a": text}, id="1")
                at = ours.put(config("t"), made, {"step": 1, "source": text}, {"a": 1})
                ours.put_writes(at, [("__error__", text)], "task")
                await move(side(ours), side(url))
            with layout.saver(url) as official:
                found = official.get_tuple(config("t"))
            assert found.checkpoint["channel_values"] == {"a": "two"}
            assert found.metadata["source"] == "two"
            assert found.pending_writes == [("task", "__error__", "two")]


@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_marks_and_threads_come_in_pages(layout: Layout, limit: int) -> None:
    expected = {}
    names = ["", "=", "T", "t", "t2", "\u00e9"]
    with layout.database() as url, layout.saver(url) as official:
        for n, place in enumerate(product(NAMESPACES, IDS)):
            ns, checkpoint_id = place
            writes = n % 3
            if n % 4:
                made = checkpoint({"n": n}, id=checkpoint_id)
                official.put(config("t", ns=ns), made, {"step": n}, {"n": 1})
            if writes:
                at = config("t", checkpoint_id, ns)
                official.put_writes(at, [("n", k) for k in range(writes)], "task")
            if n % 4 or writes:
                expected[place] = Mark(*place, b"" if n % 4 else None, 0, writes)
        for name in names:
            official.put(config(name, ns="0"), checkpoint({}, id="1"), {"step": 1}, {})
        expected["0", "1"] = Mark("0", "1", b"", 0, 0)
        official.put_writes(config("alone", "1"), [("n", 1)], "task")
        async with Sides() as side:
            found = await every_mark(side(url), "t", limit)
            assert found == [expected[place] for place in sorted(expected)]
            assert sorted(await every_thread(side(url), limit)) == sorted([*names, "alone"])
            assert await every_mark(side(url), "absent", limit) == []


async def test_to_ask_whether_threads_are_there_keeps_nothing_of_them() -> None:
    with POSTGRES.database() as url, POSTGRES.saver(url) as official:
        for thread in ("a", "b"):
            for n in range(3):
                official.put(config(thread), checkpoint({}, id=str(n)), {"step": n}, {})
        async with Sides() as side:
            source = side(url)
            for thread in ("a", "b"):
                assert len(await source.marks(thread, None, 1)) == 1
            assert not source._ahead
            assert [mark.checkpoint_id for mark in await every_mark(source, "a", 1)] == list("012")
            assert not source._ahead


async def test_a_batch_without_all_its_chunks_is_refused(layout: Layout) -> None:
    with layout.database() as url, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            made = checkpoint({"a": [f"{i}" * 90 for i in range(300)]}, id="1")
            ours.put(config("t"), made, {"step": 1}, {"a": 1})
            source, target = side(ours), side(url)
            await target.setup()
            batch = await source.fetch("t", [("", "1")], lambda _: True)
            assert batch.claims
            assert not await target.load("t", batch)
            assert await every_thread(target) == []


@pytest.mark.parametrize("frequency", [2, delta_graphs.NEVER])
async def test_hidden_rows_carry_a_delta_channel_over(layout: Layout, frequency: int) -> None:
    """Pruned, a DeltaChannel is rebuilt from hidden rows; so it is where none can be hidden."""
    build = delta_graphs.chain(frequency)
    with layout.database() as url, lgckpt.MemorySaver() as ours, lgckpt.MemorySaver() as again:
        async with Sides() as side:
            graph = build(ours)
            for turn in range(3):
                graph.invoke(delta_graphs.both(f"turn {turn}"), config("t"))
            ours.prune(["t"])
            expected = graph.get_state(config("t")).values
            assert expected["log"] == expected["plain"]
            await move(side(ours), side(url))
            with layout.saver(url) as official:
                assert build(official).get_state(config("t")).values == expected
            await move(side(url), side(again))
            assert tuples(again) == tuples(ours)
            hidden = [[m.flags for m in await every_mark(side(s), "t")] for s in (ours, again)]
            assert hidden[0] == hidden[1]
            assert HIDDEN in hidden[0]
            with layout.saver(url) as official:
                build(official).invoke(delta_graphs.both("more"), config("t"))
                found = build(official).get_state(config("t")).values
            build(again).invoke(delta_graphs.both("more"), config("t"))
            assert build(again).get_state(config("t")).values == found
            assert found["log"] == found["plain"]


async def test_a_fetch_needs_nothing_of_the_one_before(layout: Layout) -> None:
    """Whatever was fetched before, and whatever of it arrived: a batch is whole in itself."""
    with layout.database() as url, lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            with layout.saver(url) as official:
                await live(official)
                before = tuples(official)
            source, target = side(url), side(ours)
            for thread in await every_thread(source):
                places = [mark.place for mark in await every_mark(source, thread)]
                for place in [*places[::-1], *places]:
                    batch = await source.fetch(thread, [place], nothing)
                    assert not batch.claims
                    ours.delete_thread(thread)
                    assert await target.load(thread, batch)
                    for one in tuples(ours).values():
                        key = tuple(one.config["configurable"].values())
                        assert one == before[key]


def sizes(saver: Any) -> int:
    everything = saver._handle.storage._all.values()
    rows = [row for thread in everything for row in thread.rows.values()]
    chunks = [frame for thread in everything for frame in thread.chunks.values()]
    return sum(len(row.state) + len(row.refs) for row in rows) + sum(map(len, chunks))


async def test_the_result_is_as_small_as_what_is_put(layout: Layout) -> None:
    with (
        layout.database() as url,
        lgckpt.MemorySaver() as moved,
        lgckpt.MemorySaver() as put,
        layout.saver(url) as official,
    ):
        async with Sides() as side:
            at = {saver: config("t") for saver in (official, put)}
            messages: list[Any] = []
            for step in range(60):
                messages = [*messages, {"id": step, "text": f"message {step} " * 40}]
                versions = {"messages": f"{step:032}.1", "note": f"{step // 9:032}.1"}
                note = [f"{step // 9} of the notes " * 30]
                made = checkpoint({"messages": messages, "note": note}, versions)
                new = versions if step % 9 == 0 else {"messages": versions["messages"]}
                for saver, place in at.items():
                    at[saver] = saver.put(place, made, {"step": step, "source": "loop"}, new)
            await move(side(url), side(moved))
            assert sizes(moved) <= 1.05 * sizes(put)
            assert tuples(moved) == tuples(put)
