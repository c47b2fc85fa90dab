"""Damage in the source: named, or skipped, counted and listed; all else arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import lgckpt
from lgckpt.bulk import Batch, Mark
from lgckpt.core import core
from lgckpt.migration import thread as copying
from lgckpt.migration.damage import sound
from lgckpt.migration.engine import passes
from lgckpt.migration.filters import choose
from lgckpt.migration.progress import Progress
from lgckpt.migration.thread import How
from lgckpt.migration.verify import verify
from lgckpt.rows import Chunk
from tests.backends import Backend
from tests.colours import Coloured
from tests.contract.hospital import Ward, admit, cut, empty, flip, halve, longer, zeros
from tests.contract.stored import assert_nothing_missing, drop_chunks, stored
from tests.migrate.sides import Watched, fill, place

CHANGES = [cut, halve, empty, longer, zeros, flip(10), flip(300), flip(990)]
"""Of a frame; each breaks its checksum, its length or its header."""


@pytest.fixture
def ward(saver: lgckpt.Saver, backend: Backend) -> Ward:
    return asyncio.run(admit(Coloured(saver, "sync"), backend))


@pytest.fixture
def target() -> Iterator[lgckpt.Saver]:
    with lgckpt.MemorySaver() as opened:
        yield opened


def stops(ward: Ward, target: lgckpt.Saver) -> lgckpt.CorruptCheckpointError:
    with pytest.raises(lgckpt.CorruptCheckpointError) as caught:
        lgckpt.migrate(ward.coloured.saver, target)
    return caught.value


def skipped(ward: Ward, target: lgckpt.Saver) -> lgckpt.Migration:
    """Migrate around the damage: what is whole is there, and a second run moves nothing."""
    source = ward.coloured.saver
    done = lgckpt.migrate(source, target, skip_corrupt=True)
    assert not done.ok
    assert done.skipped == len(done.damage) > 0
    assert_nothing_missing(target)
    for one in ward.others:
        assert target.get_tuple(one.config) == one
    again = lgckpt.migrate(source, target, skip_corrupt=True)
    assert (again.checkpoints, again.writes) == (0, 0)
    assert again.damage == done.damage
    return done


def at(ward: Ward) -> tuple[str, str, str]:
    named = ward.patient["configurable"]
    return named["thread_id"], named["checkpoint_ns"], named["checkpoint_id"]


@pytest.mark.parametrize("column", ["state", "metadata"])
def test_a_damaged_row_is_named_and_skipped(ward: Ward, target, column: str) -> None:
    for change in CHANGES:
        ward.damage("checkpoints", column, change)
        error = stops(ward, target)
        assert (error.thread_id, error.checkpoint_ns, error.checkpoint_id) == at(ward)
        with lgckpt.MemorySaver() as other:
            done = skipped(ward, other)
            assert done.skipped == 1
            assert (done.damage[0].thread_id, done.damage[0].checkpoint_id) == at(ward)[::2]
            assert (done.checkpoints, done.writes) == (5, 12)
            assert other.get_tuple(ward.patient) is None
        ward.heal("checkpoints", column, change)
    assert lgckpt.migrate(ward.coloured.saver, target, verify=True).ok


def test_a_damaged_write_is_named_and_skipped_alone(ward: Ward, target) -> None:
    for change in CHANGES:
        ward.damage("writes", "value", change)
        error = stops(ward, target)
        assert (error.thread_id, error.checkpoint_ns, error.checkpoint_id) == at(ward)
        with lgckpt.MemorySaver() as other:
            done = skipped(ward, other)
            assert done.damage[0].channel in ("w", None)
            found = other.get_tuple(ward.patient)
            if done.damage[0].channel == "w":
                assert found is not None
                assert found.pending_writes == [("task", "v", 1)]
                assert (done.checkpoints, done.writes) == (6, 11)
        ward.heal("writes", "value", change)


@pytest.mark.parametrize("table", ["checkpoints", "writes"])
def test_damaged_references_are_found(ward: Ward, target, table: str) -> None:
    channel = {"checkpoints": "large", "writes": "w"}[table]
    for position in (60, 500, 950):
        ward.damage(table, "refs", flip(position))
        error = stops(ward, target)
        assert (error.thread_id, error.checkpoint_ns, error.checkpoint_id) == at(ward)
        assert error.channel == channel
        with lgckpt.MemorySaver() as other:
            assert skipped(ward, other).skipped == 1
        ward.heal(table, "refs", flip(position))
    for change in (cut, longer):
        ward.damage(table, "refs", change)
        assert stops(ward, target).thread_id == "hurt"
        ward.heal(table, "refs", change)
    ward.damage(table, "refs", empty)
    assert stops(ward, target).thread_id == "hurt"


@pytest.mark.parametrize("change", [cut, empty, zeros, flip(500)])
def test_damaged_chunks_are_found(ward: Ward, target, change) -> None:
    ward.damage_chunks(change)
    error = stops(ward, target)
    assert (error.thread_id, error.channel) == ("hurt", "large")
    done = lgckpt.migrate(ward.coloured.saver, target, skip_corrupt=True)
    assert {one.thread_id for one in done.damage} == {"hurt"}
    assert {one.channel for one in done.damage} == {"large", "w"}
    assert done.skipped == 6
    assert_nothing_missing(target)
    whole = [one for one in ward.others if one.config["configurable"]["thread_id"] == "whole"]
    assert len(whole) == 3
    for one in whole:
        assert target.get_tuple(one.config) == one


def test_missing_chunks_are_found(ward: Ward, target) -> None:
    drop_chunks(ward.coloured.saver, "hurt")
    error = stops(ward, target)
    assert "missing" in str(error)
    with lgckpt.MemorySaver() as other:
        done = lgckpt.migrate(ward.coloured.saver, other, skip_corrupt=True)
        assert done.skipped == 6
        assert (done.checkpoints, done.writes) == (3, 9)
        assert_nothing_missing(other)


def test_checkpoints_that_do_not_need_a_damaged_chunk_arrive() -> None:
    source, target = Watched(), Watched()
    asyncio.run(fill(source.saver, "a", 6))
    thread = source.saver._handle.storage._all["a"]
    last = max(thread.rows)
    found = asyncio.run(source.fetch("a", [last], lambda _: False))
    earlier = asyncio.run(source.fetch("a", sorted(thread.rows)[:-1], lambda _: False))
    mine = {c.hash for c in found.chunks} - {c.hash for c in earlier.chunks}
    for key in mine:
        thread.chunks[key] = cut(thread.chunks[key])
    done = lgckpt.migrate(source.saver, target.saver, skip_corrupt=True)
    assert done.checkpoints == 5
    assert {one.checkpoint_id for one in done.damage} == {last[1]}
    assert_nothing_missing(target.saver)


def test_a_chunk_under_the_hash_of_another_is_found() -> None:
    source, target = Watched(), Watched()
    asyncio.run(fill(source.saver, "a", 2))
    chunks = source.saver._handle.storage._all["a"].chunks
    one, other, *_ = (h for h, f in chunks.items() if len(core.unseal(f)) > 1000)
    chunks[one] = chunks[other]
    with pytest.raises(lgckpt.CorruptCheckpointError, match="belongs to another"):
        lgckpt.migrate(source.saver, target.saver)
    assert not stored(target.saver).checkpoints


def test_what_a_side_calls_damaged_is_skipped_alone() -> None:
    class Unreadable(Watched):
        async def fetch(self, thread_id: str, places: Any, known: Any) -> Batch:
            if bad in places:
                raise lgckpt.CorruptCheckpointError(
                    "no JSON", thread_id=thread_id, checkpoint_ns=bad[0], checkpoint_id=bad[1]
                )
            return await super().fetch(thread_id, places, known)

    source, target = Unreadable(), Watched()
    made = asyncio.run(fill(source.saver, "a", 7))
    bad = ("", made[3]["configurable"]["checkpoint_id"])
    progress = Progress()
    asyncio.run(passes(source, target, How(skip_corrupt=True), 2, progress, None, count=False))
    assert (progress.checkpoints, progress.skipped) == (6, 1)
    assert progress.damage[0].checkpoint_id == bad[1]
    assert progress.damage[0].reason == "no JSON"


def test_what_is_listed_and_not_found_is_damage_and_what_was_deleted_is_not() -> None:
    class Losing(Watched):
        deleted = False

        async def fetch(self, thread_id: str, places: Any, known: Any) -> Batch:
            if self.deleted:
                await self.saver.adelete_thread(thread_id)
            found = await super().fetch(thread_id, places, known)
            rows = [row for row in found.rows if row.checkpoint_id != lost]
            writes = [row for row in found.writes if row.checkpoint_id != lost]
            return found._replace(rows=rows, writes=writes)

    source = Losing()
    made = asyncio.run(fill(source.saver, "a", 3))
    lost = made[1]["configurable"]["checkpoint_id"]
    progress = Progress()
    asyncio.run(passes(source, Watched(), How(skip_corrupt=True), 2, progress, None, count=False))
    assert progress.checkpoints == 2
    assert [(d.checkpoint_id, d.reason) for d in progress.damage] == [
        (lost, "is listed and cannot be found by its key")
    ]
    source.deleted = True
    asyncio.run(passes(source, Watched(), How(), 2, progress, None, count=False))
    assert progress.skipped == 0


def test_a_row_of_a_newer_release_is_refused_by_name(ward: Ward, target) -> None:
    def newer(frame: bytes) -> bytes:
        fields = core.decode(core.unseal(frame))
        return core.seal(core.encode([99, *fields[1:]]), None)

    ward.damage("checkpoints", "state", newer)
    with pytest.raises(lgckpt.UnsupportedFormatError, match="99"):
        lgckpt.migrate(ward.coloured.saver, target)


def test_encrypted_threads_move_as_they_are() -> None:
    pytest.importorskip("Crypto")
    from langgraph.checkpoint.serde.encrypted import EncryptedSerializer  # noqa: PLC0415

    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")
    with ExitStack() as stack:
        source = stack.enter_context(lgckpt.MemorySaver(serde=serde))
        target = stack.enter_context(lgckpt.MemorySaver(serde=serde))
        plain = stack.enter_context(lgckpt.MemorySaver())
        asyncio.run(fill(source, "a"))
        assert lgckpt.migrate(source, target, verify=True, re_encode="zstd").ok
        assert list(target.list(None)) == list(source.list(None))
        assert lgckpt.migrate(source, plain, latest_only=True, verify=True).checkpoints == 1


def test_nothing_is_left_out_of_a_sound_batch() -> None:
    source = Watched()
    asyncio.run(fill(source.saver, "a", 3))
    places = [(r.checkpoint_ns, r.checkpoint_id) for r in stored(source.saver).checkpoints]
    batch = asyncio.run(source.fetch("a", places, lambda _: False))
    assert sound(batch) == (batch, [])
    ref, frame = core.seal_leaf(b"unused", None)
    more = batch._replace(chunks=[*batch.chunks, Chunk(ref[1:], frame)])
    assert sound(more).batch == more


def test_the_damage_listed_is_bounded_and_all_of_it_counted(monkeypatch) -> None:
    from lgckpt.migration import progress  # noqa: PLC0415

    monkeypatch.setattr(progress, "LISTED", 3)
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        asyncio.run(fill(source, "a", 6))
        for place, row in source._handle.storage._all["a"].rows.items():
            source._handle.storage._all["a"].rows[place] = row._replace(state=b"no frame")
        done = lgckpt.migrate(source, target, skip_corrupt=True)
        assert (done.skipped, len(done.damage)) == (6, 3)
        assert done.writes == 18


def nameless(made: list[Any], at: int) -> type[Watched]:
    """A side that cannot list its places from the one of a checkpoint on."""
    bad = place(made[at])

    class Nameless(Watched):
        async def marks(self, thread_id: str, after: Any, limit: int) -> list[Mark]:
            found = await super().marks(thread_id, after, limit)
            if bad in [mark.place for mark in found]:
                raise lgckpt.CorruptCheckpointError(
                    "no name", thread_id=thread_id, checkpoint_ns=bad[0], checkpoint_id=bad[1]
                )
            return found

    return Nameless


def test_what_is_listed_before_damage_is_moved_and_the_rest_said_to_be_left_out() -> None:
    whole = lgckpt.MemorySaver()
    made = asyncio.run(fill(whole, "a", 40))
    source, target = nameless(made, 30)(whole), Watched()
    progress = Progress()
    asyncio.run(passes(source, target, How(skip_corrupt=True), 2, progress, None, count=False))
    assert (progress.checkpoints, progress.writes, progress.skipped) == (30, 90, 1)
    assert len(stored(target.saver).checkpoints) == 30
    assert progress.damage[0].reason == "no name; what comes after it in the thread is left out"
    with pytest.raises(lgckpt.CorruptCheckpointError, match="no name"):
        asyncio.run(passes(source, target, How(), 2, progress, None, count=False))


def test_a_thread_asked_for_by_name_is_there_though_its_first_place_has_no_name() -> None:
    whole = lgckpt.MemorySaver()
    made = asyncio.run(fill(whole, "a", 2))
    page = asyncio.run(choose(["a", "b"]).page(nameless(made, 0)(whole), "", 10))
    assert page.threads == ["a"]


@pytest.mark.parametrize("side", [0, 1])
def test_a_place_without_a_name_is_a_difference_and_the_comparison_goes_on(side: int) -> None:
    savers = [lgckpt.MemorySaver(), lgckpt.MemorySaver()]
    made = asyncio.run(fill(savers[0], "a", 4))
    asyncio.run(fill(savers[0], "b", 4))
    lgckpt.migrate(*savers)
    sides = [Watched(saver) for saver in savers]
    sides[side] = nameless(made, 2)(savers[side])
    told = asyncio.run(verify(*sides, 1, Progress(), extra=sides[1], count=False))
    assert (told.threads, told.checkpoints) == (2, 6)
    assert [(d.kind, d.thread_id, d.checkpoint_id) for d in told.differences] == [
        ("changed", "a", place(made[2])[1])
    ]
    assert told.differences[0].what.endswith("(no name)")


def test_damage_met_when_all_is_sent_again_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "FIRST", 1)
    monkeypatch.setattr(copying, "MOST", 1)

    class Refusing(Watched):
        async def load(self, thread_id: str, batch: Batch) -> bool:
            if batch.claims and not self.refused:
                self.refused = True
                drop_chunks(source.saver, thread_id)
                return False
            return await super().load(thread_id, batch)

        refused = False

    source, target = Watched(), Refusing()
    asyncio.run(fill(source.saver, "a", 3))
    progress = Progress()
    asyncio.run(passes(source, target, How(skip_corrupt=True), 1, progress, None, count=False))
    left_out = 3 - progress.checkpoints + 9 - progress.writes
    assert left_out > 0
    assert progress.skipped == left_out
