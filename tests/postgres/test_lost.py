"""Connections that break and servers that restart: tried again where it is safe, told where not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import asyncpg
import psycopg
import pytest

import lgckpt
from lgckpt.errors import StorageError
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured
from tests.postgres.conftest import Place
from tests.services.postgres import PostgresServer, wheel_binaries

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(300)]


def cut_all(connection: psycopg.Connection[Any]) -> int:
    """End every other session, as a restarted pooler or an operator would."""
    done = connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " AND application_name = 'cut me'"
    )
    return done.rowcount


@pytest.fixture
def cut_saver(place: Place) -> Iterator[lgckpt.PostgresSaver]:
    with place.saver(server_settings={"application_name": "cut me"}) as saver:
        yield saver


@pytest.mark.parametrize("colour", COLOURS)
async def test_every_operation_goes_on_after_its_connection_was_cut(
    cut_saver: lgckpt.PostgresSaver, connection: psycopg.Connection[Any], colour: str
) -> None:
    saver = Coloured(cut_saver, colour)
    thread = Thread(saver)
    at = await thread.put({"large": LARGE})
    operations: dict[str, Any] = {
        "put": lambda: thread.put({"n": 1}),
        "writes": lambda: saver.put_writes(at, [("n", 1)], "task"),
        "get": lambda: saver.get_tuple(config("t")),
        "list": lambda: saver.list(None),
        "copy": lambda: saver.copy_thread("t", "u"),
        "prune": lambda: saver.prune(["t"]),
        "runs": lambda: saver.delete_for_runs(["none"]),
        "delta": lambda: saver.get_delta_channel_history(config=config("t"), channels=["n"]),
        "sweep": saver.sweep,
        "delete": lambda: saver.delete_thread("u"),
    }
    for name, operation in operations.items():
        assert cut_all(connection) > 0, f"nothing was connected before {name}"
        await operation()
    assert await thread.state() == {"large": LARGE, "n": 1}


async def test_puts_under_fire_lose_nothing_and_double_nothing(
    cut_saver: lgckpt.PostgresSaver, connection: psycopg.Connection[Any]
) -> None:
    cuts = 0

    async def write(name: str) -> None:
        thread = Thread(Coloured(cut_saver, "async"), name)
        for n in range(12):
            at = await thread.put({"n": n, "large": [*LARGE, n]})
            await cut_saver.aput_writes(at, [("n", n)], "task")
            await asyncio.sleep(0.05)

    jobs = asyncio.gather(*(write(f"t{n}") for n in range(12)))
    while not jobs.done():
        cuts += await asyncio.to_thread(cut_all, connection)
        await asyncio.sleep(0.25)
    await jobs
    assert cuts > 2
    for n in range(12):
        found = [one async for one in cut_saver.alist(config(f"t{n}"))]
        assert [one.checkpoint["channel_values"]["n"] for one in found] == [*range(11, -1, -1)]
        assert [one.pending_writes for one in found] == [
            [("task", "n", step)] for step in range(11, -1, -1)
        ]
        assert found[0].checkpoint["channel_values"]["large"] == [*LARGE, 11]


async def test_an_answer_that_is_lost_after_the_commit_is_asked_for_again(
    pg_saver: lgckpt.PostgresSaver, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = []

    def losing(name: str) -> Any:
        real = getattr(asyncpg.Connection, name)

        async def call(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
            done = await real(self, query, *args, **kwargs)
            if "lgckpt_store" in query and len(lost) < total:
                lost.append(query)
                self.terminate()
                raise asyncpg.ConnectionDoesNotExistError("lost after the commit")
            return done

        return call

    thread = Thread(Coloured(pg_saver, "async"))
    await thread.put({"large": LARGE})
    for name in ("fetchval", "fetchmany"):
        monkeypatch.setattr(asyncpg.Connection, name, losing(name))
    total = 1
    at = await thread.put({"n": 1, "large": [*LARGE, 1]})
    assert len(lost) == 1
    total = 2
    await pg_saver.aput_writes(at, [("n", 2)], "task")
    assert len(lost) == 2
    total = 4
    one = {**checkpoint({"n": 5}), "id": at["configurable"]["checkpoint_id"]}
    again = await pg_saver.aput(at, one, {"source": "update"}, {"n": 1})
    await asyncio.gather(*(pg_saver.aput_writes(again, [("m", n)], f"t{n}") for n in range(9)))
    assert len(lost) == 4
    found = [each async for each in pg_saver.alist(config("t"))]
    assert len(found) == 2
    assert found[0].checkpoint["channel_values"] == {"n": 5}
    assert [value for _, _, value in found[0].pending_writes] == [*range(9), 2]


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    server = PostgresServer(wheel_binaries())
    yield server
    server.remove()


async def test_a_restarted_server_is_found_again(own_server: PostgresServer) -> None:
    with lgckpt.PostgresSaver(own_server.url) as saver:
        thread = Thread(Coloured(saver, "async"))
        await thread.put({"n": 0})
        restarting = asyncio.create_task(asyncio.to_thread(restart, own_server))
        for n in range(1, 30):
            await thread.put({"n": n})
            await asyncio.sleep(0.01)
        await restarting
        assert len([one async for one in saver.alist(config("t"))]) == 30


def restart(server: PostgresServer) -> None:
    server.stop()
    time.sleep(0.3)
    server.start()


async def test_giving_up_names_host_and_database_and_no_password(
    own_server: PostgresServer,
) -> None:
    with lgckpt.PostgresSaver(own_server.url, retry_for=0.5) as saver:
        await Thread(Coloured(saver, "async")).put({"n": 0})
        own_server.stop()
        try:
            for colour in COLOURS:
                started = time.monotonic()
                with pytest.raises(StorageError) as caught:
                    await Coloured(saver, colour).get_tuple(config("t"))
                assert time.monotonic() - started < 10
                error: BaseException | None = caught.value
                assert f"'postgres' at 127.0.0.1:{own_server.port}" in str(error)
                assert error is not None
                assert error.__cause__ is not None
                while error is not None:
                    assert "of the tests" not in str(error)
                    assert "of%20the" not in str(error)
                    error = error.__cause__
        finally:
            own_server.start()
        assert await saver.aget_tuple(config("t")) is not None
