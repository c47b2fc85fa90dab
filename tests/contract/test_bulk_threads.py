"""Several threads at once, out of a storage and into one."""

from __future__ import annotations

from typing import Any

import pytest

from lgckpt.bulk import Batch, Room
from lgckpt.rows import HIDDEN, CheckpointRow, ThreadEdit
from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.bulk import Verbs, named, ordered
from tests.contract.sequences import Sequence
from tests.contract.stored import assert_nothing_missing, drop_chunks
from tests.contract.test_bulk_load import LARGE, beside

pytestmark = pytest.mark.anyio

AMPLE = Room(10_000, 1 << 30)
ODD = ["", "=", "a\0", "b" * 2000, "{t}", "é", "\uffff", "\U0001f642"]


async def lived(coloured: Coloured) -> list[str]:
    """Threads with a life behind them."""
    for call in Sequence(11).calls(80):
        await call.of(coloured)
    return await Verbs(coloured).every_thread(100)


def sorted_of(batch: Batch | None) -> Batch | None:
    return None if batch is None else ordered(batch)


async def test_what_has_nothing_is_vacant(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    for name in ODD:
        await Thread(coloured, name).put({"n": 1})
    await coloured.put_writes(config("writes only", "1"), [("n", 1)], "task")
    await Thread(coloured, "deleted").put({"n": 1})
    await coloured.delete_thread("deleted")
    asked = [*ODD, "writes only", "deleted", "never"]
    assert await verbs.vacant(asked) == [False] * (len(ODD) + 1) + [True, True]
    assert await verbs.vacant([]) == []
    many = [f"thread {n}" for n in range(1200)]
    assert await verbs.vacant([*many, ODD[-1]]) == [True] * 1200 + [False]


async def test_threads_are_whole(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    names = [*await lived(coloured), "never"]
    await Thread(coloured, "large").put({"large": LARGE, "n": 1})
    await coloured.put_writes(config("writes only", "1"), [("large", LARGE)], "task")
    names += ["large", "writes only"]
    found = await verbs.fetch_threads(names, AMPLE)
    assert [*map(sorted_of, found)] == [await verbs.everything(name) for name in names]
    assert any(batch.chunks for batch in found)
    assert not any(found[names.index("never")])


async def test_hidden_rows_are_among_them(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    at = await Thread(coloured, "t").put({"large": LARGE})
    await verbs.hide("t", ("", at["configurable"]["checkpoint_id"]))
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    assert [row.flags for row in batch.rows] == [HIDDEN]
    assert ordered(batch) == await verbs.everything("t")


async def test_what_has_more_places_is_left(coloured: Coloured) -> None:
    verbs, thread = Verbs(coloured), Thread(coloured, "five")
    for n in range(4):
        await thread.put({"n": n})
    await coloured.put_writes(config("five", "\uffff"), [("n", 1)], "task")
    await Thread(coloured, "one").put({"n": 1})
    found = await verbs.fetch_threads(["five", "one"], Room(4, 1 << 30))
    assert found[0] is None
    assert ordered(found[1]) == await verbs.everything("one")
    (five,) = await verbs.fetch_threads(["five"], Room(5, 1 << 30))
    assert ordered(five) == await verbs.everything("five")


async def test_bytes_end_a_page_of_threads(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    names = [f"thread {n}" for n in range(12)]
    for n, name in enumerate(names):
        await Thread(coloured, name).put({"text": f"{n} " * 300})
    left, pages = names, 0
    while left:
        found = await verbs.fetch_threads(left, Room(64, 1500))
        assert 1 <= len(found) <= 8
        for name, batch in zip(left, found, strict=False):
            assert sorted_of(batch) in (None, await verbs.everything(name))
        left, pages = left[len(found) :], pages + 1
    assert pages > 1


async def test_missing_chunks_are_left_out_or_the_thread_is(coloured: Coloured) -> None:
    await Thread(coloured, "t").put({"large": LARGE})
    drop_chunks(coloured.saver, "t")
    (batch,) = await Verbs(coloured).fetch_threads(["t"], AMPLE)
    assert batch is None or (len(batch.rows), batch.chunks) == (1, [])


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_copies_read_as_the_originals(
    coloured: Coloured, backend: Backend, size: int
) -> None:
    verbs, names = Verbs(coloured), await lived(coloured)
    with beside(backend, coloured.colour) as other:
        theirs = Verbs(other)
        for start in range(0, len(names), size):
            some = names[start : start + size]
            loads = list(zip(some, await verbs.fetch_threads(some, AMPLE), strict=True))
            assert await theirs.load_threads(loads) == [True] * len(some)
        assert sorted(await theirs.every_thread(100)) == sorted(names)
        for name in names:
            assert await theirs.everything(name) == await verbs.everything(name)
        assert await other.list(None) == await coloured.list(None)
        assert_nothing_missing(other.saver)


async def test_many_rows_arrive(coloured: Coloured) -> None:
    """More than fit into one statement, or into one call of a script."""
    verbs = Verbs(coloured)
    at = await Thread(coloured, "t").put({"n": 1}, run_id="run")
    await coloured.put_writes(at, [("n", 1)], "task")
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    (row,), (write,) = batch.rows, batch.writes
    rows = [row._replace(checkpoint_id=f"{n:04}", flags=n % 2) for n in range(777)]
    writes = [write._replace(checkpoint_id=f"{n:04}", idx=n % 3) for n in range(1111)]
    loads = [(name, Batch(rows, writes)) for name in ("u", "v")]
    assert await verbs.load_threads([*loads, ("empty", Batch())]) == [True] * 3
    for name, sent in loads:
        assert await verbs.everything(name) == ordered(named(sent, name))
    marks = await verbs.every_mark("u", 500)
    assert [mark.flags for mark in marks[:4]] == [0, HIDDEN, 0, HIDDEN]
    assert [mark.etag is None for mark in marks] == [False] * 777 + [True] * 334
    assert "empty" not in await verbs.every_thread(10)


async def test_a_claim_that_fails_holds_up_no_other(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    await Thread(coloured, "t").put({"large": LARGE})
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    claiming = batch._replace(chunks=[], claims=[chunk.hash for chunk in batch.chunks])
    loads = [("a", batch), ("b", claiming), ("t", claiming), ("c", batch)]
    assert await verbs.load_threads(loads) == [True, False, True, True]
    assert sorted(await verbs.every_thread(10)) == ["a", "c", "t"]
    for name in ("a", "c"):
        assert await verbs.everything(name) == ordered(named(ordered(batch), name))
    assert_nothing_missing(coloured.saver)


async def test_of_two_rows_alike_the_last_wins(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    await Thread(coloured, "t").put({"n": 1})
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    (row,) = batch.rows
    hidden = row._replace(flags=HIDDEN, etag=b"x" * 8)
    for name, rows in (("shown", [hidden, row]), ("hidden", [row, hidden])):
        assert await verbs.load_threads([(name, Batch(rows))]) == [True]
        assert list((await verbs.everything(name)).rows) == [rows[-1]._replace(thread_id=name)]
        assert len(await coloured.list(config(name))) == (name == "shown")


async def test_what_is_there_is_replaced(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    at = await Thread(coloured, "t").put({"n": 1})
    await coloured.put_writes(at, [("n", 1), ("m", 2)], "task")
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    (row,) = batch.rows
    changed: CheckpointRow = row._replace(run_id="r", etag=b"x" * 8, flags=HIDDEN)
    wrote = [write._replace(channel="k") for write in batch.writes]
    assert await verbs.load_threads([("t", Batch([changed], wrote))]) == [True]
    assert await verbs.everything("t") == ordered(Batch([changed], wrote))
    assert await verbs.load_threads([("t", batch)]) == [True]
    assert await verbs.everything("t") == ordered(batch)


async def test_a_deleted_place_is_of_no_thread(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    at = await Thread(coloured, "t").put({"n": 1})
    place = "", at["configurable"]["checkpoint_id"]
    await verbs.edit("t", ThreadEdit(delete=[place]))
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    assert batch is None or not any(batch[:2])


async def test_runs_of_threads_that_came_together_are_found(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    made: Any = checkpoint({"n": 1}, id="1")
    metadata = {"run_id": "run"}
    await coloured.put(config("t", ns=""), made, metadata, {"n": 1})
    (batch,) = await verbs.fetch_threads(["t"], AMPLE)
    assert await verbs.load_threads([("u", batch), ("v", batch)]) == [True, True]
    await coloured.delete_for_runs(["run"])
    assert await coloured.list(None) == []
