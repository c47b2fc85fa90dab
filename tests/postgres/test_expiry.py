"""`ttl`: a thread's rows expire together, are shown by no read, and are swept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest

import lgckpt
from lgckpt.errors import ConfigurationError
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured
from tests.postgres.conftest import Place

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(300)]
TABLES = ("threads", "checkpoints", "writes", "chunks")


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def expire(connection: psycopg.Connection[Any], thread_id: str) -> None:
    """Let the thread's time have come."""
    done = connection.execute(
        "UPDATE lgckpt_threads SET expires_at = now() WHERE thread_id = %s AND"
        " expires_at IS NOT NULL",
        (thread_id,),
    )
    assert done.rowcount == 1


def left(connection: psycopg.Connection[Any], thread_id: str) -> float | None:
    """Seconds the thread has left."""
    (found,) = connection.execute(
        "SELECT extract(epoch FROM expires_at - now())::float8 FROM lgckpt_threads"
        " WHERE thread_id = %s",
        (thread_id,),
    ).fetchone()
    return found


def age(connection: psycopg.Connection[Any], seconds: float) -> None:
    connection.execute(
        "UPDATE lgckpt_threads SET expires_at = expires_at - make_interval(secs => %s)", (seconds,)
    )


async def test_an_expired_thread_is_shown_by_no_read(
    place: Place, connection: psycopg.Connection[Any], colour: str
) -> None:
    with place.saver(ttl=1000) as saver, place.saver() as other:
        for name in ("gone", "kept"):
            thread = Thread(Coloured(saver, colour), name)
            at = await thread.put({"large": LARGE}, run_id=name)
            await Coloured(saver, colour).put_writes(at, [("n", 1)], "task")
        expire(connection, "gone")
        for reader in (Coloured(saver, colour), Coloured(other, colour)):
            assert await reader.get_tuple(config("gone")) is None
            assert await reader.list(config("gone")) == []
            assert len(await reader.list(None)) == 1
            await reader.copy_thread("gone", "copy")
            assert await reader.get_tuple(config("copy")) is None
            assert (await reader.get_tuple(config("kept"))).pending_writes != []


async def test_a_put_to_an_expired_thread_begins_it_anew(
    place: Place, connection: psycopg.Connection[Any], colour: str
) -> None:
    with place.saver(ttl=timedelta(minutes=5)) as saver:
        thread = Thread(Coloured(saver, colour))
        await thread.put({"large": LARGE, "n": 0})
        expire(connection, "t")
        await thread.put({"n": 1})
        assert await thread.state() == {"large": LARGE, "n": 1}
        assert len(await Coloured(saver, colour).list(config("t"))) == 1
        assert 290 < left(connection, "t") <= 300


async def test_lives_are_prolonged_by_puts_and_by_reads_if_asked_to(
    place: Place, connection: psycopg.Connection[Any], colour: str
) -> None:
    with place.saver(ttl=1000) as saver, place.saver(ttl=1000, refresh_on_read=True) as reader:
        at = await Thread(Coloured(saver, colour)).put({"n": 1})
        age(connection, 30)
        await Coloured(saver, colour).put_writes(at, [("n", 1)], "task")
        assert left(connection, "t") < 975
        age(connection, 100)
        await Coloured(saver, colour).get_tuple(at)
        assert left(connection, "t") < 900
        await Coloured(reader, colour).get_tuple(at)
        assert left(connection, "t") > 990
        age(connection, 100)
        await Coloured(saver, colour).put_writes(at, [("n", 1)], "task 2")
        assert left(connection, "t") > 990


async def test_a_saver_without_a_ttl_makes_a_thread_live_for_ever(
    place: Place, connection: psycopg.Connection[Any], colour: str
) -> None:
    with place.saver(ttl=1000) as saver, place.saver() as other:
        at = await Thread(Coloured(saver, colour)).put({"n": 1})
        await Coloured(other, colour).put_writes(at, [("n", 1)], "task")
        assert left(connection, "t") is None
        await Coloured(saver, colour).put_writes(at, [("n", 1)], "task 2")
        assert left(connection, "t") > 990


async def test_a_sweep_deletes_what_has_expired_and_nothing_else(
    place: Place, connection: psycopg.Connection[Any], colour: str
) -> None:
    with place.saver(ttl=1000) as saver, place.saver() as other:
        for n in range(50):
            name = f"t\0{n}"
            at = await Thread(Coloured(saver, colour), name).put({"large": LARGE, "n": n})
            await Coloured(saver, colour).put_writes(at, [("n", 1)], "task")
        await Thread(Coloured(other, colour), "for ever").put({"large": LARGE})
        connection.execute(
            "UPDATE lgckpt_threads SET expires_at = now() WHERE random() < 0.9"
            " AND expires_at IS NOT NULL"
        )
        expired = connection.execute(
            "SELECT count(*) FROM lgckpt_threads WHERE expires_at <= now()"
        ).fetchone()[0]
        assert await Coloured(saver, colour).sweep() == expired > 20
        assert await Coloured(saver, colour).sweep() == 0
        for table in TABLES:
            (count,) = connection.execute(
                f"SELECT count(DISTINCT tid) FROM lgckpt_{table}"
            ).fetchone()
            assert count == 51 - expired - (table == "writes")


async def test_a_thread_that_was_prolonged_meanwhile_is_not_swept(
    place: Place, connection: psycopg.Connection[Any]
) -> None:
    with place.saver(ttl=1000) as saver:
        at = await Thread(Coloured(saver, "async")).put({"n": 1})
        expire(connection, "t")
        await saver.aput_writes(at, [("n", 1)], "task")
        assert await saver.aget_tuple(at) is None
        assert await saver.asweep() == 0
        assert left(connection, "t") > 990


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


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan"), timedelta(0)])
def test_a_ttl_that_makes_no_sense_is_refused(ttl: Any) -> None:
    with pytest.raises(ConfigurationError, match="ttl"):
        lgckpt.PostgresSaver("postgresql://localhost/x", ttl=ttl)
