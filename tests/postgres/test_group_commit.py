"""Concurrent puts share transactions, and nothing else: not errors, not waits, not cancels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

import lgckpt
from lgckpt.backends.postgres_names import address
from lgckpt.errors import StorageError
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.postgres.conftest import Place
from tests.postgres.statements import counted

pytestmark = pytest.mark.anyio

LIMIT = 20


@contextmanager
def locked(place: Place, *thread_ids: str) -> Iterator[None]:
    """Hold the exclusive locks of threads, as a long prune in another process would."""
    with place.connect() as connection, connection.transaction():
        for thread_id in thread_ids:
            lock = address(place.schema, thread_id).lock
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        yield


async def put(saver: lgckpt.PostgresSaver, name: str) -> None:
    made = checkpoint({"name": name})
    await saver.aput(config(name), made, {}, {"name": 1})
    with psycopg.connect(saver._handle.storage._primary._source) as connection:
        schema = saver._handle.storage._statements.schema
        (found,) = connection.execute(
            f"SELECT count(*) FROM {schema}.lgckpt_checkpoints WHERE checkpoint_id = %s",
            (made["id"],),
        ).fetchone()
    assert found == 1, "the put returned before its data was committed"


async def test_puts_at_once_share_transactions_and_return_once_committed(
    pg_saver: lgckpt.PostgresSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(monkeypatch) as sent:
        jobs = (put(pg_saver, f"t{n}") for n in range(60))
        await asyncio.wait_for(asyncio.gather(*jobs), LIMIT)
    assert len(sent) <= 40
    assert len([one async for one in pg_saver.alist(None)]) == 60


async def test_without_group_commit_each_has_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.saver(group_commit=False) as saver:
        saver.setup()
        with counted(monkeypatch) as sent:
            await asyncio.wait_for(asyncio.gather(*(put(saver, f"t{n}") for n in range(30))), LIMIT)
        assert len(sent) == 30


async def test_a_lock_held_elsewhere_delays_only_its_callers(
    place: Place, pg_saver: lgckpt.PostgresSaver
) -> None:
    stuck = ["stuck 1", "stuck 2", "stuck 3"]
    with locked(place, *stuck):
        waiting = [asyncio.create_task(put(pg_saver, name)) for name in stuck for _ in range(5)]
        await asyncio.sleep(0.05)
        free = (put(pg_saver, f"t{n}") for n in range(40))
        await asyncio.wait_for(asyncio.gather(*free), LIMIT)
        assert not any(task.done() for task in waiting)
    await asyncio.wait_for(asyncio.gather(*waiting), LIMIT)
    assert len([one async for one in pg_saver.alist(None)]) == 55


async def test_a_bad_row_fails_alone(
    pg_saver: lgckpt.PostgresSaver, connection: psycopg.Connection
) -> None:
    connection.execute(
        "ALTER TABLE lgckpt_checkpoints ADD CONSTRAINT bad CHECK (checkpoint_id <> 'bad')"
    )
    try:
        await put(pg_saver, "first")
        bad = pg_saver.aput(config("bad"), checkpoint({}, id="bad"), {}, {})
        jobs = [*(put(pg_saver, f"t{n}") for n in range(20)), bad]
        jobs += [put(pg_saver, f"u{n}") for n in range(20)]
        done = await asyncio.wait_for(asyncio.gather(*jobs, return_exceptions=True), LIMIT)
    finally:
        connection.execute("ALTER TABLE lgckpt_checkpoints DROP CONSTRAINT bad")
    errors = [one for one in done if one is not None]
    assert done[20] is errors[0]
    assert len(errors) == 1
    assert isinstance(errors[0], StorageError)
    assert len([one async for one in pg_saver.alist(None)]) == 41


async def test_a_cancelled_caller_leaves_the_others_of_its_batch(
    place: Place, pg_saver: lgckpt.PostgresSaver
) -> None:
    for after in range(6):
        tasks = [asyncio.create_task(put(pg_saver, f"{after} {n}")) for n in range(20)]
        for _ in range(after):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), LIMIT)
        assert done[1::2] == [None] * 10
    for one in [one async for one in pg_saver.alist(None)]:
        name = one.config["configurable"]["thread_id"]
        assert one.checkpoint["channel_values"] == {"name": name}


async def test_a_cancelled_wait_for_a_lock_lets_others_of_its_thread_go_on(
    place: Place, pg_saver: lgckpt.PostgresSaver
) -> None:
    with locked(place, "t"):
        first = asyncio.create_task(put(pg_saver, "t"))
        second = asyncio.create_task(put(pg_saver, "t"))
        await asyncio.sleep(0.1)
        first.cancel()
        await asyncio.wait([first], timeout=LIMIT)
    await asyncio.wait_for(second, LIMIT)


@pytest.mark.parametrize("busy", [False, True])
async def test_requests_for_one_place_keep_the_order_of_their_callers(
    place: Place, pg_saver: lgckpt.PostgresSaver, busy: bool
) -> None:
    at = await Thread(Coloured(pg_saver, "async"), "t").put({"n": 0})
    made = checkpoint({"n": -1}, id="same")

    async def all_of_them() -> None:
        jobs = []
        for n in range(30):
            replaced = {**made, "channel_values": {"n": n}, "channel_versions": {"n": n}}
            jobs.append(pg_saver.aput(config("t"), replaced, {"step": n}, {"n": n}))
            jobs.append(pg_saver.aput_writes(at, [("__interrupt__", n)], "task"))
            jobs.append(pg_saver.aput_writes(at, [("n", n)], "task 2"))
            jobs.append(put(pg_saver, f"other {n}"))
        await asyncio.wait_for(asyncio.gather(*jobs), LIMIT)

    if busy:
        with locked(place, "t"):
            running = asyncio.create_task(all_of_them())
            await asyncio.sleep(0.1)
        await running
    else:
        await all_of_them()
    found = await pg_saver.aget_tuple(config("t", "same"))
    assert (found.checkpoint["channel_values"], found.metadata["step"]) == ({"n": 29}, 29)
    found = await pg_saver.aget_tuple(at)
    assert found.pending_writes == [("task", "__interrupt__", 29), ("task 2", "n", 0)]


async def test_many_puts_of_the_same_chunks_end_without_a_deadlock(
    place: Place, pg_saver: lgckpt.PostgresSaver
) -> None:
    large = [{"id": i, "content": f"message {i} " * 20} for i in range(300)]
    with place.saver() as other:
        threads = [
            Thread(Coloured(saver, "async"), f"t{n}")
            for n in range(10)
            for saver in (pg_saver, other)
        ]
        jobs = (thread.put({"large": large, "rest": large[::-1]}) for thread in threads)
        await asyncio.wait_for(asyncio.gather(*jobs), LIMIT)
    assert len([one async for one in pg_saver.alist(None)]) == 20
