"""Pools, URLs, passwords, timeouts, replicas: each option does what it says."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psycopg
import pytest

import lgckpt
from lgckpt.backends.postgres_names import address
from lgckpt.errors import ClosedError, ConfigurationError, StorageError
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import COLOURS, Coloured
from tests.postgres.conftest import Place
from tests.postgres.statements import counted
from tests.services.postgres import PASSWORD

pytestmark = pytest.mark.anyio


async def use(saver: lgckpt.PostgresSaver, colour: str = "async") -> None:
    thread = Thread(Coloured(saver, colour))
    await thread.put({"n": 1})
    assert await thread.state() == {"n": 1}


async def test_a_pool_that_is_given_is_used_and_stays_open(place: Place) -> None:
    async with asyncpg.create_pool(place.url, min_size=1, max_size=3) as pool:
        saver = lgckpt.AsyncPostgresSaver(pool, schema=place.schema)
        await saver.setup()
        await asyncio.gather(*(use(saver) for _ in range(20)))
        with pytest.raises(ConfigurationError, match="async method"):
            saver.get_tuple(config("t"))
        found = await asyncio.to_thread(saver.get_tuple, config("t"))
        assert found.checkpoint["channel_values"] == {"n": 1}
        await saver.aclose()
        with pytest.raises(ClosedError):
            await saver.aget_tuple(config("t"))
        assert await pool.fetchval("SELECT 1") == 1


async def test_the_official_ways_to_make_one_work(place: Place) -> None:
    async with lgckpt.AsyncPostgresSaver.from_conn_string(
        place.url, schema=place.schema, pipeline=True
    ) as saver:
        await saver.setup()
        await use(saver)
    with lgckpt.PostgresSaver.from_conn_string(place.url, schema=place.schema) as saver:
        saver.setup()
        await use(saver, "sync")
    with lgckpt.from_url(place.url, schema=place.schema) as saver:
        assert type(saver) is lgckpt.PostgresSaver
        await use(saver)


@pytest.mark.parametrize("kind", ["function", "coroutine"])
async def test_a_password_is_asked_for_at_every_connection(place: Place, kind: str) -> None:
    asked = []

    def password() -> str:
        asked.append(1)
        return PASSWORD

    async def coming() -> str:
        return password()

    url = place.url.replace(f":{PASSWORD.replace(' ', '%20')}@", "@")
    given: Any = password if kind == "function" else coming
    with lgckpt.PostgresSaver(url, schema=place.schema, password=given, max_lifetime=0.05) as saver:
        await use(saver)
        first = len(asked)
        await asyncio.sleep(0.2)
        await use(saver)
    assert len(asked) > first > 0


async def test_a_wrong_password_is_told_at_once_and_not_repeated(place: Place) -> None:
    url = place.url.replace(PASSWORD.replace(" ", "%20"), "secret-and-wrong")
    with lgckpt.PostgresSaver(url, schema=place.schema) as saver:
        started = time.monotonic()
        with pytest.raises(StorageError, match="password authentication failed") as caught:
            await saver.aget_tuple(config("t"))
    assert time.monotonic() - started < 10
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("colour", COLOURS)
async def test_an_operation_that_takes_too_long_ends(place: Place, colour: str) -> None:
    with place.saver(timeout=0.4) as saver, place.connect() as connection:
        await use(saver)
        lock = address(place.schema, "t").lock
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            with pytest.raises(StorageError, match=r"within 0\.4 seconds"):
                await Coloured(saver, colour).put(config("t"), checkpoint({}), {}, {})
        await use(saver)


async def test_nothing_is_named_or_left_in_sessions_behind_a_pooler(place: Place) -> None:
    with place.saver(statement_cache_size=0, max_size=1) as saver:
        await asyncio.gather(*(use(saver) for _ in range(8)))
        await saver.aprune(["t"])

        async def names(connection: Any) -> Any:
            return await connection.fetch(
                "SELECT name FROM pg_prepared_statements WHERE name <> ''"
            )

        storage = saver._handle.storage
        asked = asyncio.run_coroutine_threadsafe(
            storage._primary.run(names), saver._handle.bridge._loop._loop
        )
        assert await asyncio.wrap_future(asked) == []


async def test_a_replica_is_asked_for_lists_and_named_checkpoints_and_for_nothing_else(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told apart by its application_name: the server is one and the same."""
    replica = f"{place.url}?application_name=replica"
    asked: list[str] = []

    def noting(name: str) -> Any:
        real = getattr(asyncpg.Connection, name)

        async def call(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
            if (self._params.server_settings or {}).get("application_name") == "replica":
                asked.append(query)
            return await real(self, query, *args, **kwargs)

        return call

    with place.saver(read_url=replica) as saver:
        thread = Thread(Coloured(saver, "async"))
        at = await thread.put({"n": 1})
        for name in ("fetch", "fetchrow", "fetchval", "execute", "fetchmany"):
            monkeypatch.setattr(asyncpg.Connection, name, noting(name))
        await thread.put({"n": 2})
        await saver.aput_writes(at, [("n", 1)], "task")
        assert await thread.state() == {"n": 2}
        saver._handle.hints.reset()
        await thread.put({"n": 3})
        await saver.aget_delta_channel_history(config=config("t"), channels=["n"])
        await saver.aprune(["u"])
        assert asked == []
        assert (await saver.aget_tuple(at)).checkpoint["channel_values"] == {"n": 1}
        assert len(asked) == 1
        assert len([one async for one in saver.alist(config("t"))]) == 3
        assert len(asked) == 3


async def test_a_replica_that_lags_sends_a_named_checkpoint_to_the_primary(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.saver(read_url=place.url) as saver:
        at = await Thread(Coloured(saver, "async")).put({"n": 1})
        storage = saver._handle.storage
        real = storage._replica.run

        async def behind(work: Any) -> Any:
            found = await real(work)
            return ([], True) if isinstance(found, tuple) else found

        monkeypatch.setattr(storage._replica, "run", behind)
        with counted(monkeypatch) as sent:
            assert (await saver.aget_tuple(at)).config == at
        assert len(sent) == 2


@pytest.mark.parametrize(
    "url",
    [
        "", "postgres", "mysql://host/db", "host=localhost dbname=x", "postgresql:/host/db",
        "postgresql://u:p@ss@host/db", "postgresql://host/db?", "postgresql://[broken/db",
        None, 7, object(),
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused_without_being_shown(url: Any) -> None:
    if url == "postgresql://host/db?":
        lgckpt.PostgresSaver(url).close()
        return
    with pytest.raises(ConfigurationError) as caught:
        lgckpt.PostgresSaver(url)
    assert "p@ss" not in str(caught.value)


@pytest.mark.parametrize("options", [{"max_size": 0}, {"min_size": -1}, {"compression": "x"}])
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        lgckpt.PostgresSaver("postgresql://localhost/x", **options)


async def test_several_hosts_are_tried_in_turn(place: Place) -> None:
    parts = urlsplit(place.url)
    hosts = f"127.0.0.1:1,{parts.hostname}:{parts.port}"
    url = place.url.replace(f"{parts.hostname}:{parts.port}", hosts)
    url += "?target_session_attrs=read-write"
    with lgckpt.PostgresSaver(url, schema=place.schema) as saver:
        await use(saver)


@pytest.mark.parametrize("lifetime", [0.05, None])
async def test_connections_live_as_long_as_they_may(place: Place, lifetime: float | None) -> None:
    with place.saver(max_lifetime=lifetime, max_size=1) as saver:
        seen = set()
        for _ in range(6):
            await use(saver)
            asked = saver._handle.storage._primary.run(_pid)
            loop = saver._handle.bridge._loop._loop
            seen.add(await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asked, loop)))
            await asyncio.sleep(0.1)
    assert (len(seen) > 2) == (lifetime is not None)


async def _pid(connection: Any) -> int:
    pid: int = connection.get_server_pid()
    return pid


async def test_filters_and_names_never_reach_the_sql(
    pg_saver: lgckpt.PostgresSaver, connection: psycopg.Connection[Any]
) -> None:
    evil = "'; DROP TABLE lgckpt_threads; --\"\\ %s $1 {0} \0"
    thread = Thread(Coloured(pg_saver, "async"), evil, ns=evil)
    at = await thread.put({evil: float("nan")}, **{evil: evil, "note": "a\0b"})
    await pg_saver.aput_writes(at, [(evil, evil)], evil, evil)
    found = [one async for one in pg_saver.alist(None, filter={evil: evil.replace("\0", "")})]
    found = found or [one async for one in pg_saver.alist(None, filter={evil: evil})]
    (one,) = found
    assert one.config == at
    assert one.pending_writes == [(evil, evil, evil)]
    await pg_saver.adelete_for_runs([evil])
    assert connection.execute("SELECT count(*) FROM lgckpt_threads").fetchone() == (1,)


async def test_a_pool_that_is_not_open_is_told_at_once(place: Place) -> None:
    pool = asyncpg.create_pool(place.url)
    saver = lgckpt.PostgresSaver(pool, schema=place.schema)
    started = time.monotonic()
    with pytest.raises(StorageError, match="pool is not initialized"):
        await saver.aget_tuple(config("t"))
    assert time.monotonic() - started < 5
    await saver.aclose()


async def test_closing_does_not_wait_for_a_lock_that_stays_taken(place: Place) -> None:
    with place.saver() as saver, place.connect() as connection:
        await use(saver)
        lock = address(place.schema, "t").lock
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
            stuck = asyncio.create_task(saver.aput(config("t"), checkpoint({}), {}, {}))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            await saver.aclose()
            assert time.monotonic() - started < 9
            with pytest.raises(ClosedError):
                await asyncio.wait_for(stuck, 5)
