"""What a sweep of chunks leaves when it is stopped anywhere, and what puts may build upon then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import lgckpt
from lgckpt.backends import redis_edits
from lgckpt.backends.redis_keys import thread_keys
from lgckpt.errors import StorageError
from lgckpt.rows import CheckpointRow, Chunk, PutCheckpoint, ThreadEdit
from lgckpt.saver import Saver
from lgckpt.storage import all_refs, run_sync
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused
from tests.services import redis_rows
from tests.services.valkey import Server

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(600)]
KEYS = thread_keys("lgckpt", "t")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setattr(redis_rows, "shared_url", lambda: made.url)
    yield made
    made.remove()


@pytest.fixture
def saver(server: Server) -> Iterator[Saver]:
    with lgckpt.RedisSaver(server.url) as made:
        yield made


def call(saver: Saver, verb: str, *args: Any) -> Any:
    async def run() -> Any:
        return await saver._handle.driver(sync=True)(verb, *args)

    return run_sync(run())


async def nothing(view: Any) -> ThreadEdit:
    return ThreadEdit()


def prune_stopped_at(monkeypatch: pytest.MonkeyPatch, saver: Saver, method: str) -> None:
    """Put and prune a thread whose large value goes, up to a step of the sweep."""
    thread = Thread(Coloured(saver, "sync"))
    asyncio.run(thread.put({"large": LARGE}))
    asyncio.run(thread.put({"large": []}))
    real = getattr(redis_edits._Round, method)
    calls: list[int] = []

    async def stopped(self: Any, *args: Any) -> None:
        calls.append(1)
        if method == "_finish_drop" and len(calls) == 1:
            return await real(self, *args)
        if method == "_doom":
            await real(self, *args)
        raise StorageError("stopped here")

    with monkeypatch.context() as patch:
        patch.setattr(redis_edits._Round, method, stopped)
        with pytest.raises(StorageError, match="stopped here"):
            saver.prune(["t"])


def row_of(saver: Saver, refs: bytes) -> CheckpointRow:
    """A new row of the thread with these references."""
    row = call(saver, "get", "t", "", None, all_refs).row
    return row._replace(checkpoint_id="z", parent_id=None, refs=refs)


@pytest.mark.parametrize("method", ["_doom", "_finish_drop"])
def test_a_chunk_that_is_marked_cannot_be_claimed_and_stays_when_sent(
    server: Server, saver: Saver, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    prune_stopped_at(monkeypatch, saver, method)
    marked = server.client.smembers(KEYS.doomed)
    assert len(marked) > 5
    one = min(marked)
    frame = server.client.hget(KEYS.chunks, one)
    row = row_of(saver, b"\0" + one)
    assert not call(saver, "put", PutCheckpoint(row, claims=[one]))
    assert call(saver, "put", PutCheckpoint(row, chunks=[Chunk(one, frame)]))
    call(saver, "edit_thread", "t", nothing)
    assert not server.client.exists(KEYS.doomed)
    assert server.client.hget(KEYS.chunks, one) == frame
    assert not server.client.hmget(KEYS.chunks, *(marked - {one}))[0]
    assert_nothing_missing(saver)
    assert_nothing_unused(saver)


def test_a_mark_that_was_left_half_done_is_begun_anew(server: Server, saver: Saver) -> None:
    asyncio.run(Thread(Coloured(saver, "sync")).put({"large": LARGE}))
    used = [name for name in server.client.hkeys(KEYS.chunks) if name != b"e"]
    server.client.sadd(KEYS.doomed, *used)
    server.client.hset(KEYS.data, "g", "someone who was killed")
    server.client.hset(KEYS.chunks, b"x" * 20, b"used by nobody")
    saver.prune(["t"])
    saver._handle.hints.reset()
    assert saver.get_tuple(config("t")).checkpoint["channel_values"] == {"large": LARGE}
    assert not server.client.hexists(KEYS.chunks, b"x" * 20)
    assert_nothing_missing(saver)


def test_puts_go_on_while_an_edit_decides_and_it_decides_again(saver: Saver) -> None:
    thread = Thread(Coloured(saver, "sync"))
    asyncio.run(thread.put({"n": 0}))
    seen: list[int] = []
    storage = saver._handle.storage
    new = call(saver, "get", "t", "", None, all_refs).row

    async def decide(view: Any) -> ThreadEdit:
        entries = await view.entries()
        seen.append(len(entries))
        if len(seen) < 3:
            assert await storage.put(PutCheckpoint(new._replace(checkpoint_id=f"z{len(seen)}")))
        return ThreadEdit(delete=[e[:2] for e in entries])

    call(saver, "edit_thread", "t", decide)
    assert seen == [1, 2, 3]
    assert [*saver.list(config("t"))] == []


def test_a_lock_left_behind_delays_and_runs_out(
    server: Server, saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(Thread(Coloured(saver, "sync")).put({"n": 0}))
    server.client.set(KEYS.lock, "xsomeone-who-was-killed", px=500)
    asyncio.run(Thread(Coloured(saver, "sync")).put({"n": 1}))
    assert not server.client.exists(KEYS.lock)
    server.client.set(KEYS.lock, "ssomeone-who-was-killed", px=500)
    asyncio.run(Thread(Coloured(saver, "sync")).put({"n": 2}))
    assert server.client.exists(KEYS.lock)
    saver.prune(["t"])
    assert not server.client.exists(KEYS.lock)
    assert len([*saver.list(config("t"))]) == 1
    monkeypatch.setattr("lgckpt.backends.redis_threads.LOCKED_FOR", 0.1)
    server.client.set(KEYS.lock, "xsomeone", px=2000)
    with pytest.raises(StorageError, match="stays locked"):
        asyncio.run(Thread(Coloured(saver, "sync")).put({"n": 3}))


def test_a_thread_that_is_emptied_leaves_no_key(server: Server, saver: Saver) -> None:
    asyncio.run(Thread(Coloured(saver, "sync")).put({"large": LARGE}, run_id="r"))
    saver.delete_for_runs(["r"])
    assert server.client.exists(*KEYS) == 0
