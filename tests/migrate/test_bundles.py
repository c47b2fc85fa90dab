"""Small threads are moved several at a time; what is in the way of that goes one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

import lgckpt
from lgckpt.bulk import Batch, Room
from lgckpt.migration.engine import passes
from lgckpt.migration.native import NativeSide
from lgckpt.migration.progress import Progress
from lgckpt.migration.thread import LARGEST_FIRST, How
from tests.backends import Backend
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.stored import drop_chunks, stored
from tests.migrate.sides import assert_same, fill

pytestmark = pytest.mark.anyio


class Bundled(NativeSide):
    """A side that notes which threads came together, and may refuse some."""

    def __init__(self, saver: lgckpt.Saver, refuses: Sequence[str] = ()) -> None:
        super().__init__(saver, "bundled", owned=False)
        self.fetched: list[str] = []
        self.loaded: list[list[str]] = []
        self.one_by_one: list[str] = []
        self._refuses = refuses

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        found = await super().fetch_threads(thread_ids, room)
        self.fetched += thread_ids[: len(found)]
        return found

    async def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        self.loaded.append([name for name, _ in loads])
        kept = [one for one in loads if one[0] not in self._refuses]
        stored = dict(
            zip([name for name, _ in kept], await super().load_threads(kept), strict=True)
        )
        return [stored.get(name, False) for name, _ in loads]

    async def load(self, thread_id: str, batch: Batch) -> bool:
        self.one_by_one.append(thread_id)
        return await super().load(thread_id, batch)


async def small(saver: lgckpt.Saver, count: int) -> list[str]:
    """Threads of a few checkpoints, each with writes and a value in chunks."""
    names = [f"small {n}" for n in range(count)]
    for name in names:
        await fill(saver, name, 2)
    return names


async def run(source: NativeSide, target: NativeSide, **how: object) -> Progress:
    progress = Progress()
    await passes(source, target, How(**how), 2, progress, None, count=False)  # type: ignore[arg-type]
    return progress


async def test_small_threads_come_together(saver: lgckpt.Saver, backend: Backend) -> None:
    names = await small(saver, 9)
    with backend.open() as there:
        target = Bundled(there)
        done = await run(Bundled(saver), target)
        assert_same(saver, there)
    assert sorted(name for some in target.loaded for name in some) == sorted(names)
    assert len(target.loaded) < len(names)
    assert target.one_by_one == []
    assert (done.threads, done.threads_moved, done.places) == (9, 9, 18)
    assert (done.checkpoints, done.writes, done.skipped) == (18, 54, 0)


async def test_what_the_target_has_is_compared_one_by_one() -> None:
    with lgckpt.MemorySaver() as here, lgckpt.MemorySaver() as there:
        names = await small(here, 6)
        await lgckpt.amigrate(here, there, threads=names[:2])
        await Coloured(here, "async").put_writes(config(names[0], "1"), [("n", 1)], "task")
        source, target = Bundled(here), Bundled(there)
        done = await run(source, target)
        assert_same(here, there)
        assert sorted(source.fetched) == names[2:]
        assert (done.threads, done.threads_moved) == (6, 5)
        again = await run(Bundled(here), target := Bundled(there))
        assert (again.checkpoints, again.writes, again.threads) == (0, 0, 6)
        assert target.loaded == []


async def test_large_and_refused_threads_go_one_by_one() -> None:
    with lgckpt.MemorySaver() as here, lgckpt.MemorySaver() as there:
        names = await small(here, 4)
        thread = Thread(Coloured(here, "async"), "large")
        for n in range(LARGEST_FIRST + 1):
            await thread.put({"n": n})
        target = Bundled(there, refuses=names[:1])
        done = await run(Bundled(here), target)
        assert_same(here, there)
        assert set(target.one_by_one) == {"large", names[0]}
        assert (done.threads, done.threads_moved) == (5, 5)
        assert done.places == 8 + LARGEST_FIRST + 1


async def test_damage_of_one_holds_up_no_other(saver: lgckpt.Saver) -> None:
    names = await small(saver, 5)
    drop_chunks(saver, names[1])
    with lgckpt.MemorySaver() as there:
        target = Bundled(there)
        with pytest.raises(lgckpt.CorruptCheckpointError, match=names[1]):
            await run(Bundled(saver), target)
    with lgckpt.MemorySaver() as there:
        target = Bundled(there)
        done = await run(Bundled(saver), target, skip_corrupt=True)
        assert {one.thread_id for one in done.damage} == {names[1]}
        assert {name for some in target.loaded for name in some} == {*names} - {names[1]}
        ours, theirs = (
            sorted((row for row in stored(one).checkpoints if row[0] != names[1]), key=repr)
            for one in (saver, there)
        )
        assert theirs == ours != []
        assert (done.threads, done.skipped) == (5, 4)  # two checkpoints, and a write of each


async def test_a_dry_run_counts_the_same() -> None:
    with lgckpt.MemorySaver() as here, lgckpt.MemorySaver() as there:
        await small(here, 5)
        target = Bundled(there)
        dry = await run(Bundled(here), target, dry=True)
        assert target.loaded == []
        assert stored(there).checkpoints == []
        done = await run(Bundled(here), target)
        counted = (dry.threads, dry.checkpoints, dry.writes, dry.bytes)
        assert counted == (done.threads, done.checkpoints, done.writes, done.bytes)


@pytest.mark.parametrize("codec", ["zstd", None])
async def test_bundles_are_encoded_anew(codec: str | None) -> None:
    with lgckpt.MemorySaver() as here, lgckpt.MemorySaver() as there:
        await small(here, 3)
        target = Bundled(there)
        await run(Bundled(here), target, recode=True, codec=codec)
        assert target.one_by_one == []
        frames = [frame for _, frame in stored(there).chunks.items()]
        assert frames
        assert sorted(map(repr, stored(here).chunks)) == sorted(map(repr, stored(there).chunks))
        assert stored(here).chunks != stored(there).chunks
        assert here.get(config("small 1")) == there.get(config("small 1"))
