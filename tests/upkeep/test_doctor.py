"""`upkeep.doctor`: what is damaged is found, told where it is, and mended where that is safe."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest

from lgckpt import upkeep
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import ConfigurationError
from lgckpt.rows import Chunk, ThreadEdit
from lgckpt.saver import Saver
from lgckpt.upkeep import Diagnosis, Finding
from tests.backends import Backend
from tests.checkpoints import config
from tests.colours import Coloured
from tests.contract.graphs import Runner, replayed
from tests.contract.stored import (
    assert_nothing_missing,
    assert_nothing_unused,
    drop_chunks,
    stored,
)
from tests.upkeep.made import LARGE, Aged, damage_one, id_at, row_of, writes_of

pytestmark = pytest.mark.anyio


def _here(found: Diagnosis) -> list[Finding]:
    """What was found in threads: the tests' servers are set up to be fast, not safe."""
    return [one for one in found.findings if one.thread_id is not None]


async def _two_threads(saver: Saver) -> dict[str, Any]:
    """A patient and a healthy neighbour; gives where the patient's last checkpoint is."""
    for name in ("healthy", "patient"):
        thread = Aged(saver, name)
        for number in range(3):
            own = {"of": name, "number": number, "text": name * 60}
            at = await thread.put(2, {"large": [own, *LARGE, own]}, of=name)
        await saver.aput_writes(at, [("w", [name, *LARGE])], "task")
    return at


async def test_nothing_is_wrong_with_a_healthy_database(saver: Saver) -> None:
    await _two_threads(saver)
    runner = Runner(Coloured(saver, "async"), replayed(1000, supersteps=1))
    for turn in range(2):
        await runner.invoke({"turn": turn, "log": ["user"]}, "delta")
    await saver.aprune(["delta"])
    found = await upkeep.adoctor(saver)
    held = stored(saver)
    assert _here(found) == []
    assert found.threads == 3
    assert found.checkpoints == len(held.checkpoints)
    assert found.writes == len(held.writes)
    assert found.chunks == held.count


async def test_a_lost_chunk_is_a_dangling_reference(saver: Saver) -> None:
    at = await _two_threads(saver)
    drop_chunks(saver, "patient")
    before = stored(saver)
    found = await upkeep.adoctor(saver, repair=True)
    assert {one.kind for one in _here(found)} == {"dangling-reference"}
    assert {one.thread_id for one in _here(found)} == {"patient"}
    last = at["configurable"]["checkpoint_id"]
    assert {one.channel for one in _here(found) if one.checkpoint_id == last} == {"large", "w"}
    assert all("missing" in one.what and one.severity == "error" for one in _here(found))
    assert not found.healthy
    assert stored(saver).payload == before.payload


@pytest.mark.parametrize("level", ["leaf", "inner"])
async def test_a_damaged_chunk_is_named_with_all_that_need_it(
    saver: Saver, backend: Backend, level: str
) -> None:
    await _two_threads(saver)
    before = stored(saver)
    chunks = before.chunks["patient"]
    others = set(before.chunks["healthy"])
    mine = {
        name: frame
        for name, frame in chunks.items()
        if name not in others
        and (core.hash_chunk(0, core.unseal(frame)) == name) == (level == "leaf")
    }
    name, frame = sorted(mine.items())[0]
    damage_one(saver, backend, "chunks", "frame", frame, lambda raw: raw[:-1] + b"?")
    found = await upkeep.adoctor(saver, repair=True)
    kinds = {one.kind for one in _here(found)}
    assert kinds >= {"damaged-chunk", "damaged-value"}
    assert all(
        name.hex() in one.what for one in _here(found) if one.kind in kinds - {"orphan-chunks"}
    )
    assert {one.thread_id for one in _here(found)} == {"patient"}
    assert stored(saver).count == before.count


async def test_a_chunk_with_the_content_of_another_is_found(saver: Saver, backend: Backend) -> None:
    await _two_threads(saver)
    chunks = stored(saver).chunks
    mine = sorted(set(chunks["patient"]) - set(chunks["healthy"]))[0]
    other = core.seal(b"something else " * 20, "lz4")
    damage_one(saver, backend, "chunks", "frame", chunks["patient"][mine], lambda _: other)
    found = await upkeep.adoctor(saver)
    assert [one.what for one in _here(found) if one.kind == "damaged-chunk"] == [
        f"chunk {mine.hex()}: its content is that of another chunk"
    ]


@pytest.mark.parametrize("column", ["state", "metadata", "refs"])
async def test_a_damaged_row_is_named(saver: Saver, backend: Backend, column: str) -> None:
    at = await _two_threads(saver)
    row = row_of(saver, at)

    def change(raw: bytes) -> bytes:
        return raw[:-2] + bytes([raw[-2] ^ 1]) + raw[-1:]

    damage_one(saver, backend, "checkpoints", column, getattr(row, column), change)
    before = stored(saver)
    found = await upkeep.adoctor(saver, repair=True)
    (one,) = [f for f in _here(found) if f.kind == "damaged-checkpoint"]
    assert (one.severity, one.thread_id, one.checkpoint_id) == ("error", "patient", row[2])
    assert {f.thread_id for f in _here(found)} == {"patient"}
    # Nothing is dropped from a thread in which something cannot be read.
    assert stored(saver).payload == before.payload


async def test_a_damaged_write_is_named(saver: Saver, backend: Backend) -> None:
    at = await _two_threads(saver)
    await saver.aput_writes(at, [("small", "a value of some length")], "other")
    (write,) = [w for w in writes_of(saver, "patient") if w.channel == "small"]
    damage_one(saver, backend, "writes", "value", write.value, lambda raw: raw[:-1] + b"?")
    (one,) = _here(await upkeep.adoctor(saver))
    assert (one.kind, one.thread_id, one.channel) == ("damaged-write", "patient", "small")
    assert one.checkpoint_id == at["configurable"]["checkpoint_id"]


async def test_what_a_newer_release_wrote_is_no_damage(saver: Saver, backend: Backend) -> None:
    at = await _two_threads(saver)
    newer = core.seal(core.encode((9, "msgpack", b"", [])), None)
    damage_one(saver, backend, "checkpoints", "state", row_of(saver, at).state, lambda _: newer)
    kinds = {one.kind: one.severity for one in _here(await upkeep.adoctor(saver))}
    assert kinds["newer-format"] == "warning"
    assert "damaged-checkpoint" not in kinds


async def test_old_writes_without_a_checkpoint_are_deleted_and_young_ones_stay(
    saver: Saver,
) -> None:
    at = await _two_threads(saver)
    now = datetime.now(timezone.utc)
    old, young = Aged(saver, "patient"), id_at(now)
    await old.put(2)
    lost = id_at(now.replace(year=now.year - 1))
    for name in (lost, young, "of no time"):
        await saver.aput_writes(config("patient", name), [("w", [name, *LARGE])], "task")
    found = await upkeep.adoctor(saver)
    assert {(one.severity, one.checkpoint_id) for one in _here(found)} == {
        ("warning", lost),
        ("note", "of no time"),
    }
    assert not found.healthy
    repaired = await upkeep.adoctor(saver, repair=True)
    assert [one.checkpoint_id for one in _here(repaired) if one.repaired] == [lost]
    assert repaired.repaired == 1
    left = {write.checkpoint_id for write in writes_of(saver, "patient")}
    assert left == {young, "of no time", at["configurable"]["checkpoint_id"]}
    assert_nothing_unused(saver)
    assert {one.checkpoint_id for one in _here(await upkeep.adoctor(saver))} == {"of no time"}
    assert young in {one.checkpoint_id for one in _here(await upkeep.adoctor(saver, grace="0s"))}


async def test_writes_of_a_parent_that_never_was_are_read_and_stay(saver: Saver) -> None:
    thread = Aged(saver, "t")
    never = id_at(datetime(2020, 1, 1, tzinfo=timezone.utc))
    thread.config = config("t", never)
    await saver.aput_writes(thread.config, [("__pregel_tasks", "send")], "task")
    await thread.put(1)
    found = await upkeep.adoctor(saver, repair=True)
    assert [(one.kind, one.severity) for one in _here(found)] == [("broken-parent", "note")]
    assert len(writes_of(saver, "t")) == 1


async def test_unused_chunks_are_told_and_dropped(saver: Saver) -> None:
    await _two_threads(saver)
    driver = saver._handle.driver(sync=False)
    ref, frame = core.seal_leaf(b"left over " * 300, "lz4")
    await driver("load", "patient", Batch((), (), [Chunk(ref[1:], frame)], ()))
    found = await upkeep.adoctor(saver)
    (one,) = _here(found)
    assert (one.kind, one.severity, one.thread_id) == ("orphan-chunks", "warning", "patient")
    assert f"1 chunks of {len(frame)} bytes" in one.what
    repaired = await upkeep.adoctor(saver, repair=True)
    assert repaired.repaired == 1
    assert_nothing_unused(saver)
    assert_nothing_missing(saver)
    assert _here(await upkeep.adoctor(saver)) == []


async def test_a_parent_that_is_not_there_is_a_note(saver: Saver) -> None:
    thread = Aged(saver, "t")
    thread.config = config("t", "never stored")
    await thread.put(1)
    await thread.put(1)
    found = await upkeep.adoctor(saver)
    (one,) = _here(found)
    assert (one.severity, one.kind, one.checkpoint_id) == ("note", "broken-parent", thread.ids[0])
    assert "never stored" in one.what


async def test_a_chain_that_lost_a_link_is_severed(saver: Saver) -> None:
    runner = Runner(Coloured(saver, "async"), replayed(1000, supersteps=1))
    for turn in range(2):
        await runner.invoke({"turn": turn, "log": ["user"]}, "t")
    history = await runner.history("t")
    lost = history[4].config["configurable"]["checkpoint_id"]

    async def lose(view: Any) -> ThreadEdit:
        return ThreadEdit(delete=[("", lost)])

    await saver._handle.driver(sync=False)("edit_thread", "t", lose)
    found = await upkeep.adoctor(saver, repair=True)
    severed = [one for one in _here(found) if one.kind == "severed-delta-chain"]
    assert {one.channel for one in severed} == {"log", "idle"}
    assert {one.checkpoint_id for one in severed} == {
        history[3].config["configurable"]["checkpoint_id"]
    }
    assert all("(4 checkpoints)" in one.what and lost in one.what for one in severed)
    assert {one.kind for one in _here(found)} == {"severed-delta-chain"}


async def test_a_circle_of_parents_ends(saver: Saver) -> None:
    thread = Aged(saver, "t")
    counters = {"log": (1, 1)}
    first = await thread.put(1, counters_since_delta_snapshot=counters)
    second = await thread.put(1, counters_since_delta_snapshot=counters)
    row = row_of(saver, first)

    async def close(view: Any) -> ThreadEdit:
        parent = second["configurable"]["checkpoint_id"]
        return ThreadEdit(replace=[row._replace(parent_id=parent)])

    await saver._handle.driver(sync=False)("edit_thread", "t", close)
    (one,) = _here(await upkeep.adoctor(saver))
    assert one.kind == "severed-delta-chain"
    assert "circle" in one.what


async def test_only_the_threads_asked_for(saver: Saver) -> None:
    await _two_threads(saver)
    for name in ("healthy", "patient"):
        drop_chunks(saver, name)
    told: list[Finding] = []
    found = await upkeep.adoctor(saver, threads=["patient"], progress=told.append)
    assert {one.thread_id for one in _here(found)} == {"patient"}
    assert [one for one in told if one.thread_id] == _here(found)
    assert found.threads == 1
    with pytest.raises(ConfigurationError):
        await upkeep.adoctor(saver, threads="patient")


async def test_repair_beside_live_puts_takes_nothing_that_is_used(saver: Saver) -> None:
    threads = [Aged(saver, name) for name in ("a", "b")]
    stopped = asyncio.Event()

    async def put(thread: Aged) -> None:
        number = 0
        while not stopped.is_set() or number < 5:
            number += 1
            at = await thread.put(
                0, {"large": [*LARGE, {"number": number, "of": thread.thread_id}]}
            )
            await saver.aput_writes(at, [("w", [number, *LARGE])], "task")
            if number % 3 == 0:
                await upkeep.aprune(saver, keep=2, threads=[thread.thread_id])
            await asyncio.sleep(0)

    writers = [asyncio.ensure_future(put(thread)) for thread in threads]
    for _ in range(5):
        found = await upkeep.adoctor(saver, repair=True, grace="1h")
        assert [one for one in _here(found) if one.severity == "error"] == []
        await asyncio.sleep(0)
    stopped.set()
    await asyncio.gather(*writers)
    assert_nothing_missing(saver)
    final = [one for one in _here(await upkeep.adoctor(saver)) if one.severity == "error"]
    assert final == []


async def test_findings_are_counted_beyond_what_is_held(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _two_threads(saver)
    drop_chunks(saver, "patient")
    monkeypatch.setattr("lgckpt.upkeep.findings.MOST", 2)
    found = await upkeep.adoctor(saver)
    assert len(found.findings) == 2
    assert found.errors >= 4
