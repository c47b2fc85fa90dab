"""Whole threads into a storage, batch by batch, and chunks that nothing needs out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lgckpt.bulk import Batch
from lgckpt.rows import HIDDEN, Chunk, ThreadEdit
from tests.backends import BACKENDS, Backend
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.bulk import Verbs, named, nothing, ordered
from tests.contract.graphs import Runner, replayed
from tests.contract.lives import PLACES
from tests.contract.neighbours import neighbour_of
from tests.contract.sequences import Sequence
from tests.contract.stored import (
    assert_nothing_missing,
    assert_nothing_unused,
    drop_chunks,
    stored,
)

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(300)]
OTHER = {"memory": "sqlite", "sqlite": "redis", "postgres": "memory", "redis": "postgres"}
"""To which backend each is copied: every one is read from and written to."""


@contextmanager
def beside(backend: Backend, colour: str) -> Iterator[Coloured]:
    """A fresh saver of another kind."""
    name = OTHER.get(backend.name, "sqlite-memory")
    (other,) = (one for one in BACKENDS if one.name == name)
    with other.open() as saver:
        yield Coloured(saver, colour)


async def place_of(coloured: Coloured, name: str, values: dict[str, Any]) -> tuple[str, str]:
    """Where the only checkpoint of a new thread is."""
    at = await Thread(coloured, name).put(values)
    return "", at["configurable"]["checkpoint_id"]


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_a_copy_reads_as_the_original(
    coloured: Coloured, backend: Backend, size: int
) -> None:
    sequence = Sequence(size, deletes=False)
    for call in sequence.calls(60):
        await call.of(coloured)
    with beside(backend, coloured.colour) as other:
        for name in await Verbs(coloured).every_thread(10):
            await Verbs(coloured).copy_to(Verbs(other), name, size)
        for call in sequence.readings():
            assert await call.of(other) == await call.of(coloured)
        assert await other.list(None) == await coloured.list(None)
        for name in ("t1", "t2"):
            original = await Verbs(coloured).everything(name)
            assert original.rows
            assert original == await Verbs(other).everything(name)
        assert_nothing_missing(other.saver)
        assert_nothing_unused(other.saver)


async def test_a_delta_channel_arrives_with_its_hidden_rows(
    coloured: Coloured, backend: Backend
) -> None:
    graph = replayed(1000, supersteps=1)
    runner = Runner(coloured, graph)
    for turn in range(2):
        await runner.invoke({"turn": turn, "log": [f"user {turn}"]}, "t")
    await coloured.prune(["t"])
    await runner.invoke({"turn": 2, "log": ["user 2"]}, "t")
    batch = await Verbs(coloured).everything("t")
    assert any(row.flags & HIDDEN for row in batch.rows)
    with beside(backend, coloured.colour) as other:
        await Verbs(coloured).copy_to(Verbs(other), "t", 4)
        assert await Verbs(other).everything("t") == batch
        for one in await coloured.list(config("t")):
            asked = {"config": one.config, "channels": ["log", "idle"]}
            history = await coloured.get_delta_channel_history(**asked)
            assert await other.get_delta_channel_history(**asked) == history
        theirs = Runner(other, graph)
        assert await theirs.history("t") == await runner.history("t")
        states = []
        for going_on in (runner, theirs):
            await going_on.invoke({"turn": 3, "log": ["user 3"]}, "t")
            states.append((await going_on.state("t")).values)
        assert states[0] == states[1]
        assert len(states[0]["log"]) > 40


async def test_a_batch_goes_to_the_thread_that_is_named(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    place = await place_of(coloured, "t", {"large": LARGE})
    at = config("t", place[1])
    await coloured.put_writes(at, [("n", 1), ("large", LARGE)], "task")
    batch = await verbs.everything("t")
    assert await verbs.load("twin", batch)
    assert await verbs.everything("twin") == ordered(named(batch, "twin"))
    assert await verbs.everything("t") == batch
    (twin,) = await coloured.list(config("twin"))
    assert twin.checkpoint == (await coloured.get_tuple(at)).checkpoint
    assert_nothing_missing(coloured.saver)


async def test_loaded_twice_it_is_the_same(coloured: Coloured) -> None:
    for call in Sequence(9).calls(50):
        await call.of(coloured)
    verbs = Verbs(coloured)
    batch = await verbs.everything("t1")
    before = stored(coloured.saver)
    for thread in ("t1", "new", "new"):
        assert await verbs.load(thread, batch)
    assert await verbs.everything("new") == ordered(named(batch, "new"))
    await coloured.delete_thread("new")
    after = stored(coloured.saver)
    assert sorted(after.checkpoints, key=repr) == sorted(before.checkpoints, key=repr)
    assert sorted(after.writes, key=repr) == sorted(before.writes, key=repr)
    assert after.chunks == before.chunks


async def test_rows_and_writes_of_the_same_key_are_replaced(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    place = await place_of(coloured, "t", {"n": 1})
    at = config("t", place[1])
    await coloured.put_writes(at, [("n", 1), ("m", 2)], "task")
    await coloured.put_writes(at, [("n", 3)], "other")
    (row,) = (before := await verbs.everything("t")).rows
    changed = row._replace(run_id="r", parent_id="p", metadata=row.metadata[:], etag=b"x" * 8)
    (write,) = [one for one in before.writes if (one.task_id, one.idx) == ("task", 1)]
    wrote = write._replace(channel="k", task_path="~p")
    assert await verbs.load("t", Batch([changed], [wrote]))
    after = await verbs.everything("t")
    assert list(after.rows) == [changed]
    kept = [one for one in before.writes if one != write]
    assert after.writes == ordered(Batch(writes=[*kept, wrote])).writes
    assert await verbs.load("t", before)
    assert await verbs.everything("t") == before


async def test_flags_are_as_in_the_batch(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    place = await place_of(coloured, "t", {"n": 1})
    batch = await verbs.everything("t")
    hidden = batch._replace(rows=[row._replace(flags=HIDDEN) for row in batch.rows])
    for given, shown in ((hidden, 0), (hidden, 0), (batch, 1), (batch, 1)):
        assert await verbs.load("t", given)
        assert len(await coloured.list(config("t"))) == shown
        assert (await coloured.get_tuple(config("t")) is not None) is bool(shown)
        (mark,) = await verbs.marks("t", None, 10)
        assert (mark.place, mark.flags) == (place, 0 if shown else HIDDEN)


async def test_runs_are_found_in_what_was_loaded(coloured: Coloured) -> None:
    await Thread(coloured, "t").put({"n": 1}, run_id="run")
    verbs = Verbs(coloured)
    assert await verbs.load("twin", await verbs.everything("t"))
    assert sorted(await verbs.threads_of_runs(["run"])) == ["t", "twin"]
    await coloured.delete_for_runs(["run"])
    assert await coloured.list(None) == []


async def test_a_claim_that_does_not_hold_stores_nothing(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    place = await place_of(coloured, "t", {"large": LARGE})
    batch = await verbs.fetch("t", [place], nothing)
    claims = [chunk.hash for chunk in batch.chunks]
    assert len(claims) > 3
    missing = batch._replace(chunks=batch.chunks[1:], claims=claims[:1])
    assert not await verbs.load("twin", missing)
    assert await verbs.every_thread(10) == ["t"]
    assert not stored(coloured.saver).chunks.get("twin")
    # The same claim upon the thread that has it holds, as often as it is made.
    assert await verbs.load("t", missing._replace(claims=claims[:1] * 3))
    absent = batch._replace(chunks=(), claims=[*claims, b"\0" * 20])
    changed = absent._replace(rows=[batch.rows[0]._replace(run_id="changed")])
    assert not await verbs.load("t", changed)
    assert (await verbs.everything("t")).rows == list(batch.rows)


async def test_a_claim_upon_what_was_swept_does_not_hold(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    place = await place_of(coloured, "t", {"large": LARGE})
    batch = await verbs.fetch("t", [place], nothing)
    assert await verbs.load("twin", batch)
    claiming = batch._replace(chunks=(), claims=[chunk.hash for chunk in batch.chunks])
    assert await verbs.load("twin", claiming)
    await verbs.edit("twin", ThreadEdit(delete=[place]))
    assert not await verbs.load("twin", claiming)
    assert await verbs.load("twin", batch)
    assert await verbs.everything("twin") == ordered(named(batch, "twin"))


async def test_an_empty_batch_makes_no_thread(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    assert await verbs.load("t", Batch())
    assert not await verbs.load("t", Batch(claims=[b"\0" * 20]))
    assert await verbs.every_thread(10) == []


async def test_a_saver_goes_on_from_what_was_loaded(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    thread = Thread(coloured, "t")
    for n in range(3):
        await thread.put({"large": [*LARGE, n], "n": n})
    for source, target in (("t", "twin"), ("twin", "t")):
        await verbs.copy_to(verbs, source, 2, target)
    with neighbour_of(coloured) as other:
        twin = Thread(other, "twin")
        twin.versions, twin.values = dict(thread.versions), dict(thread.values)
        twin.config = (await other.get_tuple(config("twin"))).config
        await twin.put({"large": [*LARGE, "more"]})
        assert await twin.state() == twin.values
        assert len(await other.list(config("twin"))) == 4
    assert_nothing_missing(coloured.saver)


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("place", PLACES)
async def test_a_loaded_thread_lives_as_one_that_is_put(place: str, colour: str) -> None:
    with PLACES[place]() as where, where.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        verbs = Verbs(coloured)
        await place_of(coloured, "t", {"large": LARGE})
        batch = await verbs.everything("t")
        assert await verbs.load("twin", batch)
        assert 990 < (where.left("twin") or 0) <= 1000
        where.age("twin", 600)
        assert await verbs.load("twin", batch)
        assert 940 < (where.left("twin") or 0) <= 1000
        where.age("twin", 1000)
        assert await verbs.marks("twin", None, 10) == []
        assert await verbs.load("twin", batch)
        assert await verbs.everything("twin") == ordered(named(batch, "twin"))


async def test_reclaim_drops_what_no_row_needs(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    for name in ("t", "other"):
        at = await Thread(coloured, name).put({"large": LARGE})
        await coloured.put_writes(at, [("w", LARGE[::-1])], "task")
    before = stored(coloured.saver).chunks
    assert await verbs.reclaim("t") == 0
    assert await verbs.reclaim("absent") == 0
    orphans = [Chunk(bytes([n]) * 20, b"no row needs this") for n in range(1, 4)]
    assert await verbs.load("t", Batch(chunks=orphans))
    assert len(await verbs.every_chunk("t", 100)) == len(before["t"]) + 3
    assert await verbs.reclaim("t") == 3
    assert await verbs.reclaim("t") == 0
    assert stored(coloured.saver).chunks == before
    assert_nothing_missing(coloured.saver)


async def test_reclaim_drops_nothing_where_a_chunk_is_missing(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    await Thread(coloured).put({"large": LARGE})
    drop_chunks(coloured.saver, "t")
    orphan = Chunk(b"\1" * 20, b"no row needs this")
    assert await verbs.load("t", Batch(chunks=[orphan]))
    assert await verbs.reclaim("t") == 0
    assert await verbs.every_chunk("t", 10) == {orphan.hash: orphan.frame}


@pytest.mark.parametrize("how", ["trim", "delete"])
async def test_an_edit_removes_writes_without_a_checkpoint(coloured: Coloured, how: str) -> None:
    verbs = Verbs(coloured)
    orphan = ("ns", "never stored")
    await place_of(coloured, "t", {"large": LARGE})
    await coloured.put_writes(config("t", orphan[1], "ns"), [("w", LARGE[::2]), ("v", 1)], "task")
    await coloured.put_writes(config("t", "kept", "ns"), [("w", 1)], "task")
    edit = ThreadEdit(trim_writes={orphan: frozenset()})
    await verbs.edit("t", edit if how == "trim" else ThreadEdit(delete=[orphan]))
    marks = await verbs.marks("t", None, 10)
    assert [(mark.checkpoint_ns, mark.writes) for mark in marks] == [("", 0), ("ns", 1)]
    assert_nothing_unused(coloured.saver)
    assert_nothing_missing(coloured.saver)
