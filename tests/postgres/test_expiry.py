"""What `ttl` does on Postgres alone; the rest is in `tests/contract/test_ttl.py`."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.postgres.conftest import Place

pytestmark = pytest.mark.anyio


def expire(connection: psycopg.Connection[Any], thread_id: str) -> None:
    """Let the thread's time have come."""
    done = connection.execute(
        "UPDATE lgckpt_threads SET expires_at = now() WHERE thread_id = %s AND"
        " expires_at IS NOT NULL",
        (thread_id,),
    )
    assert done.rowcount == 1


async def test_puts_sweep_now_and_then(place: Place, connection: psycopg.Connection[Any]) -> None:
    with place.saver(ttl=1000) as saver:
        await Thread(Coloured(saver, "async"), "old").put({"n": 1})
        expire(connection, "old")
        saver._handle.storage._expiry._swept -= 3600
        for n in range(3):
            await saver.aput(config(f"new {n}"), checkpoint({}), {}, {})
        sweeping = saver._handle.storage._expiry._sweeping
        for _ in range(1000):
            if sweeping.done():
                break
            await asyncio.sleep(0.01)
    (count,) = connection.execute(
        "SELECT count(*) FROM lgckpt_threads WHERE thread_id = 'old'"
    ).fetchone()
    assert count == 0
