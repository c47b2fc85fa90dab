"""Threads locked by a long prune elsewhere: however many calls wait for them, others go on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

import lgckpt
from lgckpt.backends.postgres_names import address
from tests.checkpoints import config
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import schema_of
from tests.survive.checker_postgres import check_postgres
from tests.survive.states import Conversation, assert_whole

pytestmark = pytest.mark.anyio

POOL = 10
LIMIT = 20.0
"""Seconds in which what is not locked must be done, far below the operation timeout."""

QUICK = 5.0
"""Seconds that one call which waits for nothing may take, on a slow machine."""


@pytest.fixture
def schema() -> Iterator[str]:
    with schema_of(postgres_url()) as name:
        yield name


@contextmanager
def locked(schema: str, *thread_ids: str) -> Iterator[psycopg.Connection[Any]]:
    """Hold the exclusive locks of threads, as a long prune in another process would."""
    with psycopg.connect(postgres_url()) as connection:
        for thread_id in thread_ids:
            lock = address(schema, thread_id).lock
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        yield connection


async def use(saver: lgckpt.PostgresSaver, name: str) -> float:
    """Every kind of call on a thread of one's own; gives the seconds of the slowest."""
    conversation = Conversation(name)
    slowest = 0.0
    for _ in range(3):
        calls = [
            lambda: conversation.aput(saver),
            lambda: saver.aput_writes(*conversation.writes("task-a")),
            lambda: saver.aget_tuple(config(name)),
            lambda: saver.acopy_thread(name, f"{name} copied"),
            lambda: saver.aprune([name]),
            lambda: saver.adelete_thread(f"{name} copied"),
        ]
        for call in calls:
            began = time.monotonic()
            await call()
            slowest = max(slowest, time.monotonic() - began)
    assert_whole(await saver.aget_tuple(config(name)))
    return slowest


STUCK = ["large-stuck-1", "small-stuck-2", "large-stuck-3"]

WAITING: dict[str, Any] = {
    "put": lambda saver, name: Conversation(name).aput(saver),
    "prune": lambda saver, name: saver.aprune([name]),
    "delete": lambda saver, name: saver.adelete_thread(name),
    "copy to": lambda saver, name: saver.acopy_thread("source", name),
    "copy from": lambda saver, name: saver.acopy_thread(name, f"{name} copied"),
}


@pytest.mark.parametrize("threads", [1, 3 * POOL])
@pytest.mark.parametrize("what", WAITING)
async def test_calls_that_wait_for_a_lock_hold_up_no_others(
    schema: str, what: str, threads: int
) -> None:
    names = [f"large-stuck-{n}" for n in range(threads)]
    with lgckpt.PostgresSaver(postgres_url(), schema=schema, max_size=POOL) as saver:
        await Conversation("small-source").aput(saver)
        for name in names:
            await Conversation(name).aput(saver)
        with locked(schema, *names):
            waiting = [
                asyncio.create_task(WAITING[what](saver, name))
                for name in names
                for _ in range(3 * POOL // threads)
            ]
            await asyncio.sleep(0.2)
            free = [use(saver, f"large-free-{n}") for n in range(2)]
            slowest = max(await asyncio.wait_for(asyncio.gather(*free), LIMIT))
            assert slowest < QUICK
            assert not any(task.done() for task in waiting)
        await asyncio.wait_for(asyncio.gather(*waiting), LIMIT)
    check_postgres(postgres_url(), schema)


async def test_a_put_that_met_a_lock_for_a_moment_does_not_wait_for_others(schema: str) -> None:
    stuck = [f"large-stuck-{n}" for n in range(2 * POOL)]
    with lgckpt.PostgresSaver(postgres_url(), schema=schema, max_size=POOL) as saver:
        saver.setup()
        with locked(schema, *stuck):
            waiting = [asyncio.create_task(Conversation(n).aput(saver)) for n in stuck]
            await asyncio.sleep(0.2)
            with locked(schema, "small-brief"):
                brief = asyncio.create_task(Conversation("small-brief").aput(saver))
                await asyncio.sleep(0.2)
                assert not brief.done()
            await asyncio.wait_for(brief, QUICK)
            assert not any(task.done() for task in waiting)
        await asyncio.wait_for(asyncio.gather(*waiting), LIMIT)


@pytest.mark.parametrize("size", [1, 2])
async def test_the_smallest_pools_go_on_too(schema: str, size: int) -> None:
    with lgckpt.PostgresSaver(postgres_url(), schema=schema, max_size=size) as saver:
        saver.setup()
        with locked(schema, *STUCK):
            calls = [call(saver, name) for call in WAITING.values() for name in STUCK]
            waiting = [asyncio.create_task(call) for call in calls]
            await asyncio.sleep(0.2)
            assert await asyncio.wait_for(use(saver, "large-free"), LIMIT) < QUICK
        await asyncio.wait_for(asyncio.gather(*waiting), LIMIT)


@pytest.mark.parametrize("what", WAITING)
async def test_who_waits_too_long_is_told_so(schema: str, what: str) -> None:
    url = postgres_url()
    with lgckpt.PostgresSaver(url, schema=schema, max_size=4, timeout=0.5) as saver:
        for name in STUCK:
            await Conversation(name).aput(saver)
        with locked(schema, *STUCK):
            began = time.monotonic()
            calls = [WAITING[what](saver, name) for name in STUCK for _ in range(2)]
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert time.monotonic() - began < 5
        assert [type(one) for one in done] == [lgckpt.StorageError] * 6
        for one in done:
            assert "no answer within 0.5 seconds" in str(one)
        assert await use(saver, "large-free") < QUICK
