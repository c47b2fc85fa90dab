"""A time to live: a thread goes at one moment, and in mid-run nothing new is lost by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

import lgckpt
from lgckpt.backends.redis_keys import thread_keys
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.stored import assert_nothing_missing
from tests.services import redis_rows
from tests.services.valkey import Server

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(600)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setattr(redis_rows, "shared_url", lambda: made.url)
    yield made
    made.remove()


def moments(client: redis.Redis) -> dict[bytes, int]:
    """When each key of thread "t" goes, in milliseconds since 1970; -1 for never."""
    keys = [key for key in thread_keys("lgckpt", "t") if client.exists(key)]
    return {key: client.pexpiretime(key) for key in keys}


@pytest.mark.parametrize("colour", COLOURS)
async def test_all_keys_of_a_thread_go_at_one_moment(server: Server, colour: str) -> None:
    with lgckpt.RedisSaver(server.url, ttl=timedelta(hours=1)) as saver:
        thread = Thread(Coloured(saver, colour))
        await thread.put({"n": 0})
        at = await thread.put({"large": LARGE})
        await Coloured(saver, colour).put_writes(at, [("w", LARGE), ("v", 1)], "task")
        first = moments(server.client)
        assert len(first) == 3
        assert len(set(first.values())) == 1
        left = next(iter(first.values())) / 1000 - time.time()
        assert 3500 < left <= 3600
        await asyncio.sleep(0.02)
        await Coloured(saver, colour).put_writes(at, [("v", 2)], "other")
        later = moments(server.client)
        assert len(set(later.values())) == 1
        assert min(later.values()) > max(first.values())
        await Coloured(saver, colour).prune(["t"])
        assert len(set(moments(server.client).values())) == 1


async def test_without_one_nothing_goes(server: Server) -> None:
    with lgckpt.RedisSaver(server.url) as saver:
        await Thread(Coloured(saver, "sync")).put({"large": LARGE})
        assert set(moments(server.client).values()) == {-1}


async def test_a_saver_without_one_leaves_a_thread_its_own(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, ttl=100) as one, lgckpt.RedisSaver(server.url) as other:
        await Thread(Coloured(one, "sync")).put({"n": 1})
        await Thread(Coloured(other, "sync")).put({"large": LARGE})
        found = moments(server.client)
        assert len(found) == 3
        assert len(set(found.values())) == 1
        assert -1 not in found.values()


@pytest.mark.parametrize("refresh", [False, True])
async def test_reading_renews_it_where_asked_to(server: Server, refresh: bool) -> None:
    ttl = {"default_ttl": 60, "refresh_on_read": refresh}
    async with lgckpt.AsyncRedisSaver(server.url, ttl=ttl) as saver:
        await saver.setup()
        await Thread(Coloured(saver, "async")).put({"large": LARGE})
        before = moments(server.client)
        assert 3500 < min(before.values()) / 1000 - time.time() <= 3600
        await asyncio.sleep(0.02)
        await saver.aget_tuple(config("t"))
        after = moments(server.client)
        assert len(set(after.values())) == 1
        assert (after != before) is refresh


def _expire(server: Server) -> None:
    keys = thread_keys("lgckpt", "t")
    with server.client.pipeline(transaction=True) as pipe:
        for key in keys:
            pipe.pexpire(key, 1)
        pipe.execute()
    time.sleep(0.01)
    assert not server.client.exists(*keys)


async def test_an_expiry_in_mid_run_loses_no_write_that_comes_after(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, ttl=1000) as saver:
        coloured = Coloured(saver, "sync")
        thread = Thread(coloured)
        await thread.put({"large": LARGE, "n": 0})
        at = await thread.put({"n": 1})
        _expire(server)
        assert await coloured.get_tuple(at) is None
        await coloured.put_writes(at, [("__interrupt__", ["answer me"])], "task")
        await coloured.put_writes(at, [("large", LARGE)], "task")
        assert len(redis_rows.writes(server.client, "lgckpt", "t")) == 2
        assert len(set(moments(server.client).values())) == 1
        assert -1 not in moments(server.client).values()
        await thread.put({"n": 2})
        assert_nothing_missing(saver)
        assert await thread.state() == thread.values == {"large": LARGE, "n": 2}
        assert [one.checkpoint["channel_values"]["n"] for one in saver.list(None)] == [2]


async def test_expired_threads_leave_the_registry(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A while later, as others are made; one that is being made never does."""
    monkeypatch.setattr("lgckpt.backends.redis_registry.KEEP", 1)
    monkeypatch.setattr("lgckpt.backends.redis_registry.TIDY_EVERY", 1)
    with lgckpt.RedisSaver(server.url, ttl=1000) as saver:
        await Thread(Coloured(saver, "sync")).put({"n": 1}, run_id="r")
        assert _registered(server) == {"threads": 1, "runs": 1}
        _expire(server)
        await asyncio.sleep(2.1)
        assert [*saver.list(None)] == []
        saver.delete_for_runs(["r"])
        assert _registered(server) == {"threads": 0, "runs": 0}
        for n in range(40):
            await Thread(Coloured(saver, "sync"), f"gone {n}").put({"n": 1}, run_id=f"gone {n}")
            saver.delete_thread(f"gone {n}")
        await asyncio.sleep(2.1)
        for n in range(300):
            await Thread(Coloured(saver, "sync"), f"kept {n}").put({"n": 1}, run_id=f"kept {n}")
        found = _registered(server)
        assert 300 <= found["threads"] < 310
        assert 300 <= found["runs"] < 310
        assert len([*saver.list(None)]) == 300


async def test_an_entry_made_a_moment_ago_stays(server: Server) -> None:
    with lgckpt.RedisSaver(server.url) as saver:
        await Thread(Coloured(saver, "sync")).put({"n": 1}, run_id="r")
        saver.delete_thread("t")
        assert [*saver.list(None)] == []
        saver.delete_for_runs(["r"])
        assert _registered(server) == {"threads": 1, "runs": 1}


def _registered(server: Server) -> dict[str, int]:
    client = server.client
    return {
        kind: sum(client.zcard(key) for key in client.scan_iter(f"lgckpt:{{{kind}-*:entries"))
        for kind in ("threads", "runs")
    }


async def test_a_thread_that_was_deleted_and_made_anew_is_listed(server: Server) -> None:
    with lgckpt.RedisSaver(server.url) as one, lgckpt.RedisSaver(server.url) as other:
        thread = Thread(Coloured(one, "sync"))
        await thread.put({"n": 1}, run_id="r")
        for _ in range(3):
            other.delete_thread("t")
            for key in server.client.scan_iter("*entries"):
                server.client.delete(key)
            await thread.put({"n": 2}, run_id="r")
            assert [_id(found) for found in other.list(None)] == ["t"]
        other.delete_for_runs(["r"])
        assert [*one.list(None)] == []


def _id(found) -> str:
    return found.config["configurable"]["thread_id"]
