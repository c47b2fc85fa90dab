"""What a migration moves, how often, and in what order."""

from __future__ import annotations

from pathlib import Path

import pytest

import lgckpt
from lgckpt.migration import thread as copying
from lgckpt.migration.engine import passes
from lgckpt.migration.progress import Progress
from lgckpt.migration.sides import Side
from lgckpt.migration.thread import How
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import checkpoint, config
from tests.colours import Coloured
from tests.contract.stored import drop_chunks, stored
from tests.migrate.sides import (
    Failing,
    Foreign,
    Pages,
    Watched,
    assert_same,
    fill,
    place,
    read,
    text,
)

pytestmark = pytest.mark.anyio


async def _pass(source: Side, target: Side, **how: object) -> Progress:
    progress = Progress()
    await passes(source, target, How(**how), 4, progress, None, count=False)
    return progress


async def test_everything_arrives(saver: Saver, backend: Backend) -> None:
    for name in ("a", "b é 𝄞", "c"):
        await fill(saver, name)
        await fill(saver, name, 2, ns="sub:1")
    with backend.open() as target:
        done = await lgckpt.amigrate(saver, target)
        assert_same(saver, target)
        assert (done.threads, done.threads_moved, done.checkpoints) == (3, 3, 18)
        assert (done.writes, done.skipped, done.passes) == (54, 0, 1)
        assert done.bytes > 10_000
        assert done.ok
        assert read(target, "a") == read(saver, "a")


async def test_twice_moves_nothing(saver: Saver, backend: Backend) -> None:
    await fill(saver, "a")
    with backend.open() as target:
        await lgckpt.amigrate(saver, target)
        before = stored(target)
        again = await lgckpt.amigrate(saver, target)
        assert (again.threads, again.threads_moved) == (1, 0)
        assert (again.checkpoints, again.writes, again.bytes) == (0, 0, 0)
        assert stored(target) == before


async def test_what_was_written_meanwhile_is_carried(saver: Saver, backend: Backend) -> None:
    coloured = Coloured(saver, "async")
    made = await fill(saver, "a")
    with backend.open() as target:
        await lgckpt.amigrate(saver, target)
        await coloured.put_writes(made[1], [("late", 1)], "late task")
        await fill(saver, "b", 1)
        done = await lgckpt.amigrate(saver, target)
        assert (done.threads_moved, done.checkpoints, done.writes) == (2, 1, 4)
        assert_same(saver, target)


async def test_a_write_that_took_anothers_place_is_carried(saver: Saver, backend: Backend) -> None:
    coloured = Coloured(saver, "async")
    made = await fill(saver, "a")
    with backend.open() as target:
        await lgckpt.amigrate(saver, target)
        await coloured.put_writes(made[-1], [("__interrupt__", "another")], "task 3", "~p")
        done = await lgckpt.amigrate(saver, target)
        assert (done.checkpoints, done.writes) == (0, 1)
        assert_same(saver, target)


async def test_a_checkpoint_stored_again_is_carried(saver: Saver, backend: Backend) -> None:
    made = await fill(saver, "a")
    with backend.open() as target:
        await lgckpt.amigrate(saver, target)
        again = checkpoint({"n": "another"}, id=place(made[1])[1])
        above = config("a", place(made[0])[1])
        await saver.aput(above, again, {"source": "update", "step": 1}, {"n": 9})
        done = await lgckpt.amigrate(saver, target)
        assert (done.checkpoints, done.writes) == (1, 0)
        assert_same(saver, target)


async def test_writes_without_a_checkpoint_are_moved_once(saver: Saver, backend: Backend) -> None:
    coloured = Coloured(saver, "async")
    await coloured.put_writes(config("early", "to come"), [("w", text("w"))], "task")
    with backend.open() as target:
        done = await lgckpt.amigrate(saver, target)
        assert (done.threads_moved, done.checkpoints, done.writes) == (1, 0, 1)
        assert_same(saver, target)
        assert (await lgckpt.amigrate(saver, target)).writes == 0


async def test_hidden_rows_arrive_hidden(saver: Saver, backend: Backend) -> None:
    from tests.compat.delta_graphs import chain  # noqa: PLC0415

    graph = chain(50)(saver)
    for n in range(3):
        await graph.ainvoke({"log": [f"{n}"], "plain": [f"{n}"]}, config("d"))
    await saver.aprune(["d"])
    with backend.open() as target:
        await lgckpt.amigrate(saver, target)
        assert_same(saver, target)
        state = await chain(50)(target).aget_state(config("d"))
        assert state.values["log"] == state.values["plain"]


async def test_oldest_first_within_a_namespace() -> None:
    source, target = Watched(), Watched()
    for ns in ("", "b", "a:1"):
        await fill(source.saver, "a", 5, ns=ns)
    await _pass(source, target)
    moved = [(r.checkpoint_ns, r.checkpoint_id) for one in target.loaded for r in one.rows]
    assert moved == sorted(moved)
    assert len(moved) == 15


async def test_a_chunk_is_sent_once_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "FIRST", 1)
    monkeypatch.setattr(copying, "MOST", 2)
    source, target = Watched(), Watched()
    await fill(source.saver, "a", 12)
    await _pass(source, target)
    sent = [chunk.hash for one in target.loaded for chunk in one.chunks]
    assert len(target.loaded) > 5
    assert len(sent) == len(set(sent)) == stored(source.saver).count
    assert any(one.claims for one in target.loaded)


async def test_what_is_forgotten_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "FIRST", 1)
    monkeypatch.setattr(copying, "MOST", 1)
    monkeypatch.setattr(copying, "KNOWN", 2)
    source, target = Watched(), Watched()
    await fill(source.saver, "a", 6)
    await _pass(source, target)
    sent = [chunk.hash for one in target.loaded for chunk in one.chunks]
    assert len(sent) > len(set(sent))
    assert_same(source.saver, target.saver)


async def test_a_claim_that_does_not_hold_has_all_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "FIRST", 1)
    monkeypatch.setattr(copying, "MOST", 1)
    source, target = Watched(), Watched()
    await fill(source.saver, "a", 6)
    target.refuse = 2
    done = await _pass(source, target)
    assert not target.refuse
    assert (done.checkpoints, done.writes) == (6, 18)
    assert_same(source.saver, target.saver)


async def test_chunks_lost_on_the_target_meanwhile_are_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copying, "FIRST", 1)
    monkeypatch.setattr(copying, "MOST", 1)

    class Losing(Watched):
        async def load(self, thread_id, batch):
            if len(self.loaded) == 3:
                drop_chunks(self.saver, thread_id)
            return await super().load(thread_id, batch)

    source, target = Watched(), Losing()
    await fill(source.saver, "a", 6)
    await _pass(source, target)
    needed = {chunk.hash for one in target.loaded[4:] for chunk in one.chunks}
    assert needed <= stored(target.saver).chunks["a"].keys()
    last = max(row.checkpoint_id for row in stored(target.saver).checkpoints)
    assert target.saver.get_tuple(config("a", last)) == source.saver.get_tuple(config("a", last))


async def test_a_batch_has_about_the_size_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "BATCH_BYTES", 1)
    source, target = Watched(), Watched()
    await fill(source.saver, "a", 30)
    await _pass(source, target)
    assert [len(one.rows) for one in target.loaded] == [16] + [1] * 14
    monkeypatch.setattr(copying, "BATCH_BYTES", 1 << 30)
    target = Watched()
    await _pass(source, target)
    assert [len(one.rows) for one in target.loaded] == [16, 14]


@pytest.mark.parametrize("which", ["source", "target", "both"])
async def test_sides_of_other_layouts_are_compared_by_content_where_it_may_differ(
    which: str,
) -> None:
    source = Foreign() if which != "target" else Watched()
    target = Foreign() if which != "source" else Watched()
    made = await fill(source.saver, "a", 8)
    await fill(source.saver, "a", 3, ns="n")
    assert (await _pass(source, target)).checkpoints == 11
    assert_same(source.saver, target.saver)
    again = await _pass(source, target)
    assert (again.checkpoints, again.writes) == (0, 0)
    other = checkpoint({"n": "another"}, id=place(made[-1])[1])
    await source.saver.aput(config("a", place(made[-2])[1]), other, {"step": 1}, {"n": 9})
    again = await _pass(source, target)
    assert (again.checkpoints, again.writes) == (1, 0)
    assert_same(source.saver, target.saver)


async def test_a_failure_ends_it_and_the_next_run_goes_on() -> None:
    source, target = Watched(), Failing(3)
    for name in "abcdef":
        await fill(source.saver, name, 2)
    with pytest.raises(lgckpt.StorageError, match="the target died"):
        await _pass(source, target)
    there = len(stored(target.saver).checkpoints)
    assert there == 6
    rest = await _pass(source, Watched(target.saver))
    assert rest.checkpoints == 12 - there
    assert_same(source.saver, target.saver)


async def test_threads_come_in_pages() -> None:
    source, target = Pages(), Watched()
    for n in range(9):
        await fill(source.saver, f"{n}", 1)
    assert (await _pass(source, target)).threads == 9
    assert_same(source.saver, target.saver)


@pytest.mark.parametrize("codec", ["lz4", "zstd", "none"])
async def test_re_encoding_changes_frames_alone(codec: str) -> None:
    with lgckpt.MemorySaver(compression="lz4") as source, lgckpt.MemorySaver() as target:
        await fill(source, "a")
        done = await lgckpt.amigrate(source, target, re_encode=codec, verify=True)
        assert done.verification is not None
        assert done.ok
        ours, theirs = stored(source), stored(target)
        assert ours.chunks["a"].keys() == theirs.chunks["a"].keys()
        assert read(source, "a") == read(target, "a")
        if codec == "none":
            assert theirs.payload > 1.5 * ours.payload
        if codec == "zstd":
            assert theirs.payload < ours.payload
        again = await lgckpt.amigrate(source, target, re_encode=codec)
        assert (again.checkpoints, again.writes) == (0, 0)


async def test_a_dry_run_counts_and_stores_nothing() -> None:
    source, target = Watched(), Watched()
    await fill(source.saver, "a")
    would = await _pass(source, target, dry=True)
    assert not target.loaded
    assert not stored(target.saver).checkpoints
    done = await _pass(source, target)
    counted = (would.threads_moved, would.checkpoints, would.writes, would.bytes)
    assert counted == (done.threads_moved, done.checkpoints, done.writes, done.bytes)


@pytest.mark.parametrize("scheme", ["sqlite:///", "langgraph+sqlite:///", "file://"])
async def test_a_dry_run_makes_no_target(scheme: str, tmp_path: Path) -> None:
    with lgckpt.MemorySaver() as source:
        await fill(source, "a")
        target = tmp_path / "absent"
        would = await lgckpt.amigrate(source, f"{scheme}{target}", dry_run=True)
        assert would.checkpoints > 0
        assert not target.exists()


def test_the_sync_function_does_the_same() -> None:
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        at = config("a")
        source.put(at, checkpoint({"n": 1}), {"source": "input", "step": -1}, {"n": 1})
        assert lgckpt.migrate(source, target).checkpoints == 1
        assert_same(source, target)


async def test_the_sync_function_refuses_to_block_an_event_loop() -> None:
    with lgckpt.MemorySaver() as source, pytest.raises(lgckpt.ConfigurationError, match="amigrate"):
        lgckpt.migrate(source, source)


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 0},
        {"until_idle": 1},
        {"until_idle": 0, "follow": 1.0},
        {"follow": -1.0},
        {"dry_run": True, "verify": True},
        {"dry_run": True, "follow": 1.0},
        {"verify_only": True, "follow": 1.0},
        {"latest_only": True, "since": "2026-01-01"},
        {"since": "yesterday"},
        {"shard": "0/3"},
        {"shard": "4/3"},
        {"shard": "1"},
        {"threads": "abc"},
        {"re_encode": "gzip"},
    ],
    ids=str,
)
async def test_options_that_make_no_sense_are_refused(options: dict[str, object]) -> None:
    with (
        lgckpt.MemorySaver() as source,
        lgckpt.MemorySaver() as target,
        pytest.raises(lgckpt.ConfigurationError),
    ):
        await lgckpt.amigrate(source, target, **options)
