"""`upkeep.copy`, `delete` and `vacuum`."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

import lgckpt
from lgckpt import upkeep
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import ConfigurationError, NotFoundError, StorageError
from lgckpt.rows import Chunk
from lgckpt.saver import Saver
from lgckpt.upkeep import Counted, Deleted, Vacuumed
from tests.backends import Backend
from tests.checkpoints import config
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, drop_chunks, stored
from tests.upkeep.made import LARGE, Aged, ids

pytestmark = pytest.mark.anyio


async def _leave(saver: Saver, thread_id: str, count: int) -> int:
    """Leave chunks behind that nothing refers to; gives their bytes."""
    made = [core.seal_leaf(f"left over {n} ".encode() * 200, "lz4") for n in range(count)]
    chunks = [Chunk(ref[1:], frame) for ref, frame in made]
    await saver._handle.driver(sync=False)("load", thread_id, Batch((), (), chunks, ()))
    return sum(len(frame) for _, frame in made)


async def test_a_copy_has_everything(saver: Saver) -> None:
    thread = Aged(saver, "a")
    for number in range(3):
        at = await thread.put(0, {"large": [*LARGE, number]})
    await saver.aput_writes(at, [("w", LARGE), ("x", 1)], "task")
    assert await upkeep.acopy(saver, "a", "b") == Counted("b", 3, 2)
    assert await ids(saver, "b") == thread.ids
    before = await saver.aget_tuple(config("a"))
    assert (await saver.aget_tuple(config("b"))).checkpoint == before.checkpoint
    with pytest.raises(StorageError, match="already"):
        await upkeep.acopy(saver, "a", "b")
    assert await upkeep.acopy(saver, "a", "b", merge=True) == Counted("b", 3, 2)
    with pytest.raises(NotFoundError, match="no thread 'c'"):
        await upkeep.acopy(saver, "c", "d")
    with pytest.raises(ConfigurationError, match="itself"):
        await upkeep.acopy(saver, "a", "a")
    assert_nothing_missing(saver)


async def test_deleted_threads_are_gone_and_others_stay(saver: Saver) -> None:
    for name in ("a", "b", "c"):
        at = await Aged(saver, name).put(0, {"large": LARGE})
        await saver.aput_writes(at, [("w", 1)], "task")
    found = await upkeep.adelete(saver, ["a", "none", "c", "a"])
    assert found == Deleted((Counted("a", 1, 1), Counted("c", 1, 1)), ("none",))
    held = stored(saver)
    assert {row.thread_id for row in (*held.checkpoints, *held.writes)} == {"b"}
    with pytest.raises(ConfigurationError):
        await upkeep.adelete(saver, "b")
    assert len(await ids(saver, "b")) == 1


async def test_chunks_that_nothing_refers_to_are_dropped_and_weighed(saver: Saver) -> None:
    for name in ("a", "b", "c"):
        await Aged(saver, name).put(0, {"large": LARGE})
    clean = stored(saver)
    left = await _leave(saver, "a", 5) + await _leave(saver, "c", 1)
    assert stored(saver).payload == clean.payload + left
    told: list[tuple[str, int]] = []
    found = await upkeep.avacuum(saver, progress=lambda name, size: told.append((name, size)))
    assert found == Vacuumed(0, 2, 6, left, None, ())
    assert sorted(name for name, _ in told) == ["a", "c"]
    assert sum(size for _, size in told) == left
    assert stored(saver).payload == clean.payload
    assert_nothing_unused(saver)
    assert_nothing_missing(saver)
    assert await upkeep.avacuum(saver) == Vacuumed(0, 0, 0, 0, None, ())


async def test_nothing_is_dropped_where_a_reference_leads_nowhere(saver: Saver) -> None:
    for name in ("a", "b"):
        await Aged(saver, name).put(0, {"large": LARGE})
    drop_chunks(saver, "a")
    await _leave(saver, "a", 2)
    await _leave(saver, "b", 3)
    found = await upkeep.avacuum(saver)
    assert found.damaged == ("a",)
    assert (found.threads, found.chunks) == (1, 3)
    assert len(stored(saver).chunks["a"]) == 2


async def test_only_the_threads_asked_for_are_vacuumed(saver: Saver) -> None:
    for name in ("a", "b"):
        await Aged(saver, name).put(0)
        await _leave(saver, name, 2)
    assert (await upkeep.avacuum(saver, threads=["a"])).chunks == 2
    assert (await upkeep.avacuum(saver)).chunks == 2


async def test_what_expired_is_swept(backend: Backend) -> None:
    if backend.name in ("memory", "redis"):
        pytest.skip("nothing expires in memory, and Redis drops it by itself")
    with backend.open(ttl=1) as saver:
        for name in ("a", "b"):
            await Aged(saver, name).put(0, {"large": LARGE})
        await asyncio.sleep(1.1)
        found = await upkeep.avacuum(saver)
        assert found.expired == 2
        assert stored(saver).checkpoints == []


async def test_a_sqlite_file_is_made_smaller(tmp_path) -> None:
    path = tmp_path / "agents.db"
    url = f"sqlite:///{path}"
    async with lgckpt.SqliteSaver(path) as saver:
        thread = Aged(saver, "a")
        for _ in range(30):
            await thread.put(0, {"large": os.urandom(4000).hex()})
    await upkeep.adelete(url, ["a"])
    size = path.stat().st_size
    found = await upkeep.avacuum(url, full=True)
    assert found.file_bytes == size - path.stat().st_size
    assert found.file_bytes > 50_000
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_other_files_are_the_servers(backend: Backend) -> None:
    if backend.name.startswith("sqlite"):
        pytest.skip("it has one")
    with backend.open() as saver, pytest.raises(ConfigurationError, match="no SQLite file"):
        await upkeep.avacuum(saver, full=True)


def test_each_can_be_called_without_a_loop(saver: Saver) -> None:
    saver.put_writes(config("a", "1"), [("w", 1)], "task")
    assert upkeep.copy(saver, "a", "b").writes == 1
    assert upkeep.delete(saver, ["b"]).threads == (Counted("b", 0, 1),)
    assert upkeep.vacuum(saver).chunks == 0
    assert upkeep.doctor(saver).threads == 1


@pytest.mark.parametrize(
    "work",
    [
        lambda saver: upkeep.copy(saver, "a", "b"),
        lambda saver: upkeep.delete(saver, ["a"]),
        upkeep.vacuum,
        upkeep.doctor,
        lambda saver: upkeep.prune(saver, keep=1),
    ],
    ids=["copy", "delete", "vacuum", "doctor", "prune"],
)
async def test_sync_functions_refuse_to_block_an_event_loop(work: Callable[[Saver], Any]) -> None:
    with lgckpt.MemorySaver() as saver, pytest.raises(ConfigurationError, match="event loop"):
        work(saver)
