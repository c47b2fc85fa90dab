"""Whole threads out of a storage, page by page: `threads`, `marks`, `fetch`, `chunk_page`."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

import lgckpt
from lgckpt.backends import redis_bulk
from lgckpt.backends.redis_keys import place as place_name
from lgckpt.backends.redis_keys import thread_keys, write_member
from lgckpt.bulk import Batch, Mark
from lgckpt.errors import CorruptCheckpointError
from lgckpt.rows import HIDDEN, ThreadEdit, hashes
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured
from tests.contract.bulk import Verbs, nothing, ordered
from tests.contract.lives import PLACES, Place
from tests.contract.sequences import Sequence
from tests.contract.stored import drop_chunks, stored, used
from tests.services import redis_rows

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(300)]
ODD_NAMESPACES = ["", "\0", "a", "a\0b", "a|b", "a|b:1", "b", "é", "\uffff", "\U0001f642"]
ODD_IDS = ["\1", "0", "0\0", "0|1", "Z", "a", "ß", "\ufb01", "\U0010ffff"]
LIMITS = (1, 2, 1000)


async def put_at(coloured: Coloured, thread: str, ns: str, checkpoint_id: str) -> Any:
    made = checkpoint({"n": 1}, id=checkpoint_id)
    return await coloured.put(config(thread, ns=ns), made, {"step": 1}, {"n": 1})


@pytest.mark.parametrize("limit", LIMITS)
async def test_all_threads_come_once(coloured: Coloured, limit: int) -> None:
    names = ["", "=", "a", "a\0", "b" * 2000, "{t}", "é", "\uffff", "\U0001f642"]
    names += [f"thread {i}" for i in range(20)]
    for name in names:
        await put_at(coloured, name, "", "1")
    await coloured.put_writes(config("writes only", "1"), [("n", 1)], "task")
    await put_at(coloured, "deleted", "", "1")
    await coloured.delete_thread("deleted")
    await put_at(coloured, "emptied", "", "1")
    await Verbs(coloured).edit("emptied", ThreadEdit(delete=[("", "1")]))
    found = await Verbs(coloured).every_thread(limit)
    assert sorted(found) == sorted([*names, "writes only"])
    assert found == await Verbs(coloured).every_thread(7)


async def test_an_empty_storage_has_no_threads(coloured: Coloured) -> None:
    assert await Verbs(coloured).threads("", 10) == ([], None)
    assert await Verbs(coloured).marks("t", None, 10) == []
    assert not any(await Verbs(coloured).fetch("t", [("", "1")], nothing))
    assert await Verbs(coloured).chunk_page("t", "", 10) == ([], None)
    assert await Verbs(coloured).reclaim("t") == 0


@pytest.mark.parametrize("limit", LIMITS)
async def test_places_come_in_code_point_order(
    coloured: Coloured, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_bulk, "NAMES", 5)
    verbs = Verbs(coloured)
    places = [*itertools.product(ODD_NAMESPACES, ODD_IDS)]
    expected: dict[tuple[str, str], list[int]] = {}
    for i, place in enumerate(places):
        flags = writes = 0
        if i % 4:
            await put_at(coloured, "t", *place)
        if i % 4 != 1:
            writes = 1 + i % 3
            batch = [("n", k) for k in range(writes)]
            await coloured.put_writes(config("t", place[1], place[0]), batch, "task\0")
        if i % 4 == 2:
            await verbs.hide("t", place)
            flags = HIDDEN
        expected[place] = [flags, writes]
    # Neighbours whose names begin alike.
    await put_at(coloured, "t2", "a", "a")
    found = await verbs.every_mark("t", limit)
    assert [mark.place for mark in found] == sorted(places)
    assert {mark.place: [mark.flags, mark.writes] for mark in found} == expected
    rows = {r.key[1:]: r.etag for r in stored(coloured.saver).checkpoints if r.thread_id == "t"}
    for mark in found:
        there = places.index(mark.place) % 4 != 0
        assert mark.etag == (rows[mark.place] if there else None)


async def test_marks_follow_what_is_stored(coloured: Coloured) -> None:
    verbs = Verbs(coloured)
    at = await put_at(coloured, "t", "", "1")
    (before,) = await verbs.marks("t", None, 10)
    assert before.etag is not None
    await coloured.put_writes(at, [("a", 1), ("b", 2)], "task")
    assert await verbs.marks("t", None, 10) == [before._replace(writes=2)]
    made = checkpoint({"n": 2}, id="1")
    await coloured.put(config("t"), made, {"step": 1}, {"n": 2})
    ((*place, etag, flags, writes),) = await verbs.marks("t", None, 10)
    assert (place, flags, writes) == (["", "1"], 0, 2)
    assert etag != before.etag
    await verbs.edit("t", ThreadEdit(delete=[("", "1")]))
    assert await verbs.marks("t", None, 10) == []


async def test_a_fetch_gives_what_is_stored(coloured: Coloured) -> None:
    for call in Sequence(5).calls(80):
        await call.of(coloured)
    everything = stored(coloured.saver)
    needed = used(everything)
    for thread in ("t1", "t2"):
        batch = await Verbs(coloured).everything(thread)
        rows = [row for row in everything.checkpoints if row.thread_id == thread]
        writes = [row for row in everything.writes if row.thread_id == thread]
        chunks = [one for one in everything.chunks[thread].items() if one[0] in needed[thread]]
        assert rows
        assert writes
        assert chunks
        assert batch == ordered(Batch(rows, writes, chunks))


async def test_a_fetch_gives_what_it_is_asked_for_alone(coloured: Coloured) -> None:
    thread = Thread(coloured)
    heads = [await thread.put({"n": n, "large": [*LARGE, n]}) for n in range(3)]
    for at in heads:
        await coloured.put_writes(at, [("n", 1), ("other", LARGE[::-1])], "task")
    ids = [at["configurable"]["checkpoint_id"] for at in heads]
    wanted = [("", ids[2]), ("", ids[0]), ("", "absent"), ("absent", ids[1])]
    batch = await Verbs(coloured).fetch("t", wanted, nothing)
    assert sorted(row.checkpoint_id for row in batch.rows) == [ids[0], ids[2]]
    assert {write.checkpoint_id for write in batch.writes} == {ids[0], ids[2]}
    assert not any(await Verbs(coloured).fetch("t", [], nothing))


async def test_many_places_at_once(coloured: Coloured) -> None:
    for n in range(1100):
        await coloured.put_writes(config("t", f"{n:05}"), [("n", n)], "task")
    batch = await Verbs(coloured).everything("t")
    assert [write.checkpoint_id for write in batch.writes] == [f"{n:05}" for n in range(1100)]


async def test_known_chunks_are_claimed_and_what_is_below_them_left_out(
    coloured: Coloured,
) -> None:
    thread = Thread(coloured)
    first = await thread.put({"large": LARGE})
    second = await thread.put({"large": [*LARGE, {"id": "new"}]})
    await coloured.put_writes(second, [("large", LARGE)], "task")
    places = [("", at["configurable"]["checkpoint_id"]) for at in (first, second)]
    verbs = Verbs(coloured)
    whole = await verbs.fetch("t", places[:1], nothing)
    sent = {chunk.hash for chunk in whole.chunks}
    assert len(sent) > 3
    assert not whole.claims
    rest = await verbs.fetch("t", places[1:], sent.__contains__)
    assert rest.chunks
    assert set(rest.claims) < sent
    assert sent.isdisjoint(chunk.hash for chunk in rest.chunks)
    assert len(rest.claims) == len(set(rest.claims)) >= 2
    again = await verbs.fetch("t", places[:1], sent.__contains__)
    assert not again.chunks
    assert list(again.claims) == hashes(whole.rows[0].refs)


async def test_missing_chunks_are_left_out(coloured: Coloured) -> None:
    at = await Thread(coloured).put({"large": LARGE})
    drop_chunks(coloured.saver, "t")
    place = "", at["configurable"]["checkpoint_id"]
    batch = await Verbs(coloured).fetch("t", [place], nothing)
    assert len(batch.rows) == 1
    assert batch.rows[0].refs
    assert not batch.chunks
    assert not batch.claims


async def test_a_place_that_cannot_be_read_is_named(coloured: Coloured, backend: Backend) -> None:
    """Any type in any cell of a SQLite file, a damaged head or write in Redis."""
    if backend.name not in DAMAGES:
        pytest.skip("its types keep such damage out")
    for name in ("whole", "damaged"):
        at = await put_at(coloured, "t", "", name)
        await coloured.put_writes(at, [("n", 1)], "task")
    for table in ("checkpoints", "writes"):
        DAMAGES[backend.name](coloured.saver, table)
        verbs = Verbs(coloured)
        assert [mark.checkpoint_id for mark in await verbs.marks("t", None, 9)] == [
            "damaged",
            "whole",
        ]
        with pytest.raises(CorruptCheckpointError, match="damaged"):
            await verbs.fetch("t", [("", "whole"), ("", "damaged")], nothing)
        assert len((await verbs.fetch("t", [("", "whole")], nothing)).writes) == 1
        await put_at(coloured, "t", "", "damaged")


def _damage_sqlite(saver: Saver, table: str) -> None:
    column = "refs" if table == "checkpoints" else "value"
    with saver._handle.storage._write() as connection:
        done = connection.execute(
            f"UPDATE lgckpt_{table} SET {column} = 'text' WHERE checkpoint_id = 'damaged'"
        )
        assert done.rowcount == 1


def _damage_redis(saver: Saver, table: str) -> None:
    names = (b"h" + place_name("", "damaged"), write_member("", "damaged", "task", 0))
    with redis_rows.client_of(saver._handle.storage) as (client, prefix):
        field = names[table == "writes"]
        assert client.hset(thread_keys(prefix, "t").data, field, b"\1") == 0


DAMAGES = {"sqlite": _damage_sqlite, "sqlite-memory": _damage_sqlite, "redis": _damage_redis}


async def test_a_chunk_of_another_type_comes_empty() -> None:
    with lgckpt.SqliteSaver(":memory:") as saver:
        coloured = Coloured(saver, "sync")
        await Thread(coloured).put({"large": LARGE})
        with saver._handle.storage._write() as connection:
            connection.execute("UPDATE lgckpt_chunks SET frame = 'text'")
        found = await Verbs(coloured).every_chunk("t", 2)
        assert len(found) > 3
        assert set(found.values()) == {b""}


@pytest.mark.parametrize("limit", LIMITS)
async def test_all_chunks_come(coloured: Coloured, limit: int) -> None:
    thread = Thread(coloured)
    await thread.put({"large": LARGE})
    await thread.put({"large": LARGE[::-1]})
    await Thread(coloured, "other").put({"large": LARGE[::2]})
    expected = stored(coloured.saver).chunks["t"]
    assert len(expected) > 4
    assert await Verbs(coloured).every_chunk("t", limit) == expected


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("place", PLACES)
async def test_what_has_expired_is_not_there(place: str, colour: str) -> None:
    with PLACES[place]() as where, where.saver(ttl=1000) as saver:
        coloured = Coloured(saver, colour)
        await _fill(coloured)
        marks = await Verbs(coloured).marks("gone", None, 10)
        assert len(marks) == 1
        where.age("gone", 1000)
        await _assert_gone(saver, where, colour, marks)


async def _fill(coloured: Coloured) -> None:
    for name in ("gone", "kept"):
        at = await Thread(coloured, name).put({"large": LARGE})
        await coloured.put_writes(at, [("n", 1)], "task")


async def _assert_gone(saver: Saver, where: Place, colour: str, marks: list[Mark]) -> None:
    with where.saver() as other:
        for verbs in (Verbs(Coloured(saver, colour)), Verbs(Coloured(other, colour))):
            assert await verbs.every_thread(10) == ["kept"]
            assert await verbs.marks("gone", None, 10) == []
            assert not any(await verbs.fetch("gone", [marks[0].place], nothing))
            assert await verbs.chunk_page("gone", "", 10) == ([], None)
            assert await verbs.reclaim("gone") == 0
            # A claim upon what has expired does not hold.
            (kept,) = await verbs.marks("kept", None, 10)
            batch = await verbs.fetch("kept", [kept.place], nothing)
            claims = [chunk.hash for chunk in batch.chunks]
            assert not await verbs.load("gone", batch._replace(chunks=(), claims=claims))
