"""The caller's own pool, and one saver on several event loops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import asyncpg
import pytest

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PostgresServer
from tests.services.proxy import Fault, Proxy
from tests.survive.checker_postgres import check_postgres
from tests.survive.states import WRITERS, Conversation, assert_whole
from tests.topologies.postgres.load import Load

pytestmark = pytest.mark.anyio

SCHEMA = "pools"
STEPS = 4


async def use(saver: lgckpt.PostgresSaver, name: str) -> None:
    conversation = Conversation(name)
    for _ in range(STEPS):
        await conversation.aput(saver)
        for task in WRITERS:
            await saver.aput_writes(*conversation.writes(task))
    assert_whole(await saver.aget_tuple(config(name)))
    await saver.aprune([name])
    assert len([one async for one in saver.alist(config(name))]) == 1


def use_in_sync(saver: lgckpt.PostgresSaver, name: str) -> None:
    conversation = Conversation(name)
    for _ in range(STEPS):
        conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
    assert_whole(saver.get_tuple(config(name)))
    saver.prune([name])
    assert len(list(saver.list(config(name)))) == 1


@pytest.fixture
def checked(own_server: PostgresServer) -> Iterator[str]:
    yield own_server.url
    check_postgres(own_server.url, SCHEMA)


@pytest.mark.parametrize("size", [1, 2, 8])
async def test_a_given_pool_serves_its_loop_other_loops_and_other_threads(
    checked: str, size: int
) -> None:
    async with asyncpg.create_pool(checked, min_size=1, max_size=size) as pool:
        saver = lgckpt.PostgresSaver(pool, schema=SCHEMA)
        await asyncio.gather(
            *(use(saver, f"large-own-loop-{n}") for n in range(4)),
            *(asyncio.to_thread(use_in_sync, saver, f"large-thread-{n}") for n in range(4)),
            *(asyncio.to_thread(asyncio.run, use(saver, f"large-loop-{n}")) for n in range(4)),
        )
        await saver.aclose()
        assert await pool.fetchval("SELECT 1") == 1
        assert pool.get_size() <= size


async def test_every_sync_method_on_the_loop_of_a_given_pool_raises(checked: str) -> None:
    async with asyncpg.create_pool(checked, min_size=1, max_size=2) as pool:
        saver = lgckpt.PostgresSaver(pool, schema=SCHEMA)
        conversation = Conversation("large-here")
        await conversation.aput(saver)
        calls: dict[str, Any] = {
            "setup": saver.setup,
            "put": partial(saver.put, *conversation.next()),
            "put_writes": partial(saver.put_writes, *conversation.writes("task-a")),
            "get_tuple": partial(saver.get_tuple, config("large-here")),
            "list": lambda: list(saver.list(config("large-here"))),
            "prune": partial(saver.prune, ["large-here"]),
            "copy_thread": partial(saver.copy_thread, "large-here", "large-there"),
            "delete_thread": partial(saver.delete_thread, "large-here"),
            "delete_for_runs": partial(saver.delete_for_runs, ["a run"]),
        }
        for name, call in calls.items():
            with pytest.raises(lgckpt.ConfigurationError, match="async method"):
                call()
            assert_whole(await saver.aget_tuple(config("large-here"))), name
        saver.close()
        assert await pool.fetchval("SELECT 1") == 1


async def test_a_given_pool_whose_connections_are_cut_goes_on(
    own_server: PostgresServer, proxy: Proxy, checked: str
) -> None:
    url = proxy.url(own_server.url)
    async with asyncpg.create_pool(url, min_size=4, max_size=4) as pool:
        saver = lgckpt.PostgresSaver(pool, schema=SCHEMA)
        await use(saver, "large-cut-before")
        fault = proxy.strike(Fault("answered", "lgckpt_store(", every=3, times=4))
        jobs = [asyncio.create_task(use(saver, f"large-cut-{n}")) for n in range(8)]
        for _ in range(5):
            await asyncio.sleep(0.05)
            await asyncio.to_thread(proxy.cut)
        await asyncio.gather(*jobs)
        assert fault.done == 4
        await saver.aclose()


async def test_a_given_pool_that_its_owner_closed_is_told_at_once(checked: str) -> None:
    pool = await asyncpg.create_pool(checked, min_size=1, max_size=1)
    saver = lgckpt.PostgresSaver(pool, schema=SCHEMA)
    await use(saver, "large-before")
    await pool.close()
    with pytest.raises(lgckpt.StorageError, match="the given pool"):
        await asyncio.wait_for(saver.aget_tuple(config("large-before")), 5)


def test_a_given_pool_whose_loop_has_ended_is_told_at_once(checked: str) -> None:
    async def begin() -> tuple[asyncpg.Pool, lgckpt.PostgresSaver]:
        pool = await asyncpg.create_pool(checked, min_size=1, max_size=1)
        saver = lgckpt.PostgresSaver(pool, schema=SCHEMA)
        await use(saver, "large-ended")
        return pool, saver

    loop = asyncio.new_event_loop()
    pool, saver = loop.run_until_complete(begin())
    for call in (
        lambda: saver.get_tuple(config("large-ended")),
        lambda: asyncio.run(saver.aget_tuple(config("large-ended"))),
    ):
        with pytest.raises(lgckpt.ConfigurationError, match="not running"):
            call()
    loop.run_until_complete(pool.close())
    loop.close()


def test_one_saver_serves_many_loops_and_threads_at_once(own_server: PostgresServer) -> None:
    saver = lgckpt.PostgresSaver(own_server.url, schema=SCHEMA, max_size=4)
    gate = threading.Barrier(12)

    def on_a_loop(name: str) -> None:
        gate.wait()
        asyncio.run(use(saver, name))

    def in_a_thread(name: str) -> None:
        gate.wait()
        use_in_sync(saver, name)

    with saver, ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(on_a_loop, f"large-many-loop-{n}") for n in range(6)]
        jobs += [pool.submit(in_a_thread, f"large-many-thread-{n}") for n in range(6)]
        for job in jobs:
            job.result()
    check_postgres(own_server.url, SCHEMA)


@pytest.mark.slow
def test_connections_that_are_replaced_all_the_time_disturb_nobody(
    own_server: PostgresServer, proxy: Proxy
) -> None:
    schema = "short lives"
    with lgckpt.PostgresSaver(
        proxy.url(own_server.url), schema=schema, max_lifetime=0.05, min_size=2, retry_for=0
    ) as saver:
        with Load(saver).running() as load:
            load.more(1_000)
        assert not load.failed, load.failed[0]
        assert proxy.accepted > 15
    load.check(own_server.url, schema)
