"""A Redis Cluster: threads in every slot, and a master killed under load."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis
import redis.asyncio

import lgckpt
from lgckpt import upkeep
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.bulk import Verbs
from tests.services.clusters import Cluster, until
from tests.topologies.load import REPLACED, Load

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(600)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    yield made
    made.remove()


async def _use(saver: Saver, colour: str, names: list[str]) -> None:
    coloured = Coloured(saver, colour)
    for number, name in enumerate(names):
        thread = Thread(coloured, name)
        for n in range(3):
            at = await thread.put({"n": n, "large": [*LARGE, n]}, run_id=f"run {number}")
            await coloured.put_writes(at, [("w", LARGE)], "task")
        saver._handle.hints.reset()
        assert await thread.state() == thread.values
    listed = await coloured.list(None)
    assert len(listed) == 3 * len(names)
    ids = [one.checkpoint["id"] for one in listed]
    assert ids == sorted(ids, reverse=True)
    verbs = Verbs(coloured)
    assert sorted(await verbs.every_thread(5)) == sorted(names)
    await verbs.copy_to(verbs, names[0], 2, "copy")
    assert await verbs.every_chunk("copy", 3) == await verbs.every_chunk(names[0], 3)
    assert len(await coloured.list(config("copy"))) == 3
    await coloured.delete_thread("copy")
    await coloured.copy_thread(names[0], "copy")
    await coloured.prune([names[0]])
    assert len(await coloured.list(config(names[0]))) == 1
    assert len(await coloured.list(config("copy"))) == 3
    await coloured.delete_for_runs(["run 1"])
    assert await coloured.list(config(names[1])) == []
    for name in (*names, "copy"):
        await coloured.delete_thread(name)
    assert await coloured.list(None) == []


@pytest.mark.parametrize("colour", COLOURS)
def test_all_verbs_across_slots(cluster: Cluster, colour: str) -> None:
    with lgckpt.from_url(cluster.url, prefix=f"all-{colour}") as saver:
        saver.setup()
        asyncio.run(_use(saver, colour, [f"thread {n}" for n in range(12)]))


def test_a_thread_is_in_one_slot_whatever_its_name(cluster: Cluster) -> None:
    with lgckpt.RedisSaver(cluster.url, prefix="slots") as saver:
        for name in ("{a}b", "}{", "{}", "a\0{b", "x" * 100_000):
            asyncio.run(_use(saver, "async", [name, name + "2"]))


def test_a_sync_client_of_the_callers_lends_its_settings(cluster: Cluster) -> None:
    given = redis.RedisCluster(host="127.0.0.1", port=cluster.nodes[0].port, decode_responses=True)
    with lgckpt.RedisSaver(given, prefix="sync") as saver:
        asyncio.run(_use(saver, "sync", ["a", "b"]))
    assert given.ping()
    given.close()


def test_an_async_client_of_the_callers_stays_on_its_loop(cluster: Cluster) -> None:
    async def main() -> None:
        given = redis.asyncio.RedisCluster(
            host="127.0.0.1", port=cluster.nodes[0].port, decode_responses=True
        )
        async with lgckpt.RedisSaver(redis_client=given, prefix="async", wait=(1, 2000)) as saver:
            await _use(saver, "async", ["a", "b"])
            with pytest.raises(lgckpt.ConfigurationError):
                saver.get_tuple(config("a"))
        assert await given.set("mine", "x")
        await given.aclose()

    asyncio.run(main())


def test_a_write_waits_for_replicas(cluster: Cluster) -> None:
    with lgckpt.RedisSaver(cluster.url, prefix="wait", wait=(1, 2000)) as saver:
        asyncio.run(_use(saver, "async", ["a", "b", "c"]))
    with (
        lgckpt.RedisSaver(cluster.url, prefix="wait", wait=(2, 50)) as saver,
        pytest.raises(StorageError, match="1 of 2 replicas"),
    ):
        asyncio.run(Thread(Coloured(saver, "async")).put({"a": 1}))


def test_every_master_says_how_it_is_set_up(cluster: Cluster) -> None:
    with lgckpt.from_url(cluster.url, prefix="facts") as saver:
        told = asyncio.run(saver._handle.driver(sync=False)("facts"))
        assert (told["backend"], told["role"]) == ("redis", "master")
        cluster.masters()[-1].client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = upkeep.doctor(saver).findings
        finally:
            cluster.masters()[-1].client.config_set("maxmemory-policy", "noeviction")
    assert [one for one in found if "allkeys-lru" in one.what]


@pytest.mark.slow
@REPLACED
@pytest.mark.parametrize("wait", [None, (1, 3000)], ids=["without WAIT", "with WAIT"])
def test_a_killed_master_under_load(cluster: Cluster, wait: tuple[int, int] | None) -> None:
    """Writes resume; with WAIT nothing is lost, without it what had not been replicated."""
    names = [f"{size}-{n}" for size in ("small", "large") for n in range(3)]
    prefix = f"kill-{wait is not None}"
    with lgckpt.RedisSaver(cluster.url, prefix=prefix, wait=wait, retry_for=30) as saver:
        load = Load(saver, names)
        with load.running():
            load.until_written(10)
            victim = cluster.masters()[0]
            victim.kill()
            if wait is not None:
                # The new master has no replica to wait for before the old one is back.
                until("its replica takes over", lambda: len(cluster.masters()) == 3)
                victim.start()
            load.until_written(10)
        victim.start()
        until("it follows as a replica", lambda: Cluster._follows(victim))
        if wait is None:
            # Redis answers before it replicates: what was in its send buffers is gone.
            assert load.errors == []
            assert load.lost() <= len(names) * 2
        else:
            assert load.lost() == 0
