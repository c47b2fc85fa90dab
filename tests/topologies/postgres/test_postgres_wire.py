"""Round trips, counted where they happen: on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import lgckpt
from lgckpt.core import core
from lgckpt.rows import REF_SIZE
from tests.checkpoints import config
from tests.services.postgres import PostgresServer
from tests.services.proxy import Proxy
from tests.survive.states import Conversation, assert_whole

STORE = "lgckpt_store("
SCHEMA = "wire"


@pytest.fixture
def saver(own_server: PostgresServer, proxy: Proxy) -> Iterator[lgckpt.PostgresSaver]:
    """Its one connection has prepared every statement by the time of the test."""
    url = proxy.url(own_server.url)
    with lgckpt.PostgresSaver(url, schema=SCHEMA, max_size=1) as saver:
        for name in ("small-warm", "large-warm"):
            conversation = Conversation(name)
            for _ in range(3):
                at = conversation.put(saver)
                saver.put_writes(*conversation.writes("task-a"))
            for asked in (config(name), config(name, at)):
                saver._handle.hints.reset()
                saver.get_tuple(asked)
        yield saver


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_put_and_a_put_writes_are_one_round_trip_each(
    saver: lgckpt.PostgresSaver, proxy: Proxy, size: str
) -> None:
    conversation = Conversation(f"{size}-put")
    for step in range(6):
        with proxy.counting() as turns:
            conversation.put(saver)
        assert [STORE in turn[0] for turn in turns] == [True], f"step {step}"
        with proxy.counting() as turns:
            saver.put_writes(*conversation.writes("task-a"))
        assert [STORE in turn[0] for turn in turns] == [True], f"step {step}"


def test_a_get_of_a_small_state_is_one_round_trip(
    saver: lgckpt.PostgresSaver, proxy: Proxy
) -> None:
    conversation = Conversation("small-get")
    for _ in range(3):
        at = conversation.put(saver)
        saver.put_writes(*conversation.writes("task-a"))
    for asked in (config("small-get"), config("small-get", at)):
        saver._handle.hints.reset()
        with proxy.counting() as turns:
            found: Any = saver.get_tuple(asked)
        assert_whole(found)
        assert len(found.pending_writes) == 1
        assert len(turns) == 1


@pytest.mark.parametrize("steps", [1, 4, 40])
def test_a_get_of_a_large_state_adds_one_for_each_level_of_its_trees(
    own_server: PostgresServer, saver: lgckpt.PostgresSaver, proxy: Proxy, steps: int
) -> None:
    name = f"large-get-{steps}"
    conversation = Conversation(name)
    for _ in range(steps):
        conversation.put(saver)
    saver._handle.hints.reset()
    with proxy.counting() as turns:
        assert_whole(saver.get_tuple(config(name)))
    levels, chunks = tree(own_server.url, name)
    assert levels >= 1
    assert len(turns) <= 1 + levels
    if steps == 40:
        assert chunks > 3 * levels, "too small a tree to tell levels from chunks"


def tree(url: str, thread_id: str) -> tuple[int, int]:
    """How many levels the trees of a thread's latest checkpoint have, and how many chunks."""
    with psycopg.connect(url) as connection:
        connection.execute(f"SET search_path TO {SCHEMA}")
        tid, refs = connection.execute(
            "SELECT c.tid, c.refs FROM lgckpt_checkpoints AS c JOIN lgckpt_threads USING (tid)"
            " WHERE thread_id = %s ORDER BY checkpoint_id DESC LIMIT 1",
            (thread_id,),
        ).fetchone()
        rows = connection.execute("SELECT hash, frame FROM lgckpt_chunks WHERE tid = %s", (tid,))
        frames = dict(rows.fetchall())
    levels, seen = 0, set()
    while refs:
        levels += 1
        parts = [refs[i : i + REF_SIZE] for i in range(0, len(refs), REF_SIZE)]
        seen.update(part[1:] for part in parts)
        refs = b"".join(core.children(part[0], frames[part[1:]]) for part in parts if part[0])
    return levels, len(seen)


def test_puts_at_once_share_round_trips(own_server: PostgresServer, proxy: Proxy) -> None:
    async def main() -> int:
        async with lgckpt.PostgresSaver(proxy.url(own_server.url), schema=SCHEMA) as saver:
            conversations = [Conversation(f"small-at-once-{n}") for n in range(64)]
            await asyncio.gather(*(one.aput(saver) for one in conversations))
            with proxy.counting() as turns:
                for _ in range(4):
                    await asyncio.gather(*(one.aput(saver) for one in conversations))
            for one in conversations:
                assert_whole(await saver.aget_tuple(config(one.thread_id)))
        return sum(any(STORE in text for text in turn) for turn in turns)

    assert asyncio.run(main()) <= 4 * 64 // 4
