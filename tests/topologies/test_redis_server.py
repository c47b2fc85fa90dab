"""What a Redis server may do to its clients: each is handled, or said clearly."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
import redis.asyncio

import lgckpt
from lgckpt.backends.redis_keys import thread_keys
from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.saver import Saver
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, stored
from tests.services import redis_rows
from tests.services.ports import free_port
from tests.services.valkey import Server
from tests.topologies.load import REPLACED, Load

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 9} for i in range(600)]
SECRET = "a-secret-word"


@contextmanager
def server(**options: str) -> Iterator[Server]:
    made = Server({name.replace("_", "-"): value for name, value in options.items()})
    try:
        yield made
    finally:
        made.remove()


def put(saver: Saver, values: dict, thread: str = "t"):
    made = checkpoint(values)
    return saver.put(config(thread), made, {"source": "loop"}, dict.fromkeys(values, 1))


def values(saver: Saver, thread: str = "t"):
    found = saver.get_tuple(config(thread))
    return None if found is None else found.checkpoint["channel_values"]


def noise(size: int) -> str:
    return os.urandom(size // 2).hex()


def test_a_full_server_stores_nothing_by_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    with server() as made, lgckpt.RedisSaver(made.url) as saver:
        monkeypatch.setattr("tests.services.redis_rows.shared_url", lambda: made.url)
        put(saver, {"a": noise(100_000)})
        at = put(saver, {"a": noise(100_000)})
        made.client.config_set("maxmemory", "1mb")
        before = stored(saver)
        with pytest.raises(StorageError, match=rf"127\.0\.0\.1:{made.port}/0.*memory is full"):
            put(saver, {"a": noise(100_000)})
        with pytest.raises(StorageError, match="memory is full"):
            saver.put_writes(at, [("a", noise(100_000))], "task")
        with pytest.raises(StorageError, match="memory is full"):
            put(saver, {"a": 1}, "new")
        with pytest.raises(StorageError, match="memory is full"):
            saver.copy_thread("t", "new")
        assert stored(saver) == before
        assert len([*saver.list(None)]) == 2
        saver.prune(["t"])
        assert len([*saver.list(None)]) == 1
        assert_nothing_missing(saver)
        saver.delete_thread("t")
        made.client.config_set("maxmemory", "0")
        put(saver, {"a": 1})
        assert values(saver) == {"a": 1}


@pytest.mark.parametrize(
    ("policy", "ttl", "warned"),
    [("allkeys-lru", None, True), ("volatile-lru", 60, True), ("volatile-lru", None, False),
     ("noeviction", 60, False)],
)  # fmt: skip
def test_a_policy_that_drops_data_is_reported(
    caplog: pytest.LogCaptureFixture, policy: str, ttl: int | None, warned: bool
) -> None:
    with (
        server(maxmemory="100mb", maxmemory_policy=policy) as made,
        lgckpt.RedisSaver(made.url, ttl=ttl) as saver,
        caplog.at_level(logging.WARNING, "lgckpt"),
    ):
        saver.setup()
    assert (policy in caplog.text) is warned


def test_a_script_that_was_flushed_is_sent_again() -> None:
    with server() as made, lgckpt.RedisSaver(made.url, wait=None) as saver:
        for n in range(3):
            put(saver, {"n": n, "large": LARGE})
            assert values(saver) == {"n": n, "large": LARGE}
            assert len([*saver.list(None)]) == n + 1
            made.client.script_flush()
        saver.prune(["t"])
        assert len([*saver.list(None)]) == 1


@REPLACED
def test_a_restarted_server_is_reached_again_and_has_what_was_acknowledged() -> None:
    with (
        server(appendonly="yes", appendfsync="always") as made,
        lgckpt.RedisSaver(made.url, retry_for=30) as saver,
    ):
        load = Load(saver, ["small-1", "large-1"])
        with load.running():
            for _ in range(3):
                load.until_written(5)
                made.kill()
                time.sleep(0.2)
                made.start()
            load.until_written(5)
        assert load.errors == []
        assert load.lost() == 0


def test_a_replica_says_so_and_a_master_that_becomes_one_is_waited_for() -> None:
    with server() as made, lgckpt.RedisSaver(made.url, retry_for=0.5) as saver:
        put(saver, {"n": 1})
        made.client.replicaof("127.0.0.1", free_port())
        with pytest.raises(StorageError, match="read-only replica"):
            put(saver, {"n": 2})
        assert values(saver) == {"n": 1}
    with server() as made, lgckpt.RedisSaver(made.url, retry_for=20) as saver:
        put(saver, {"n": 1})
        made.client.replicaof("127.0.0.1", free_port())
        promotion = threading.Timer(0.5, lambda: made.client.replicaof("NO", "ONE"))
        promotion.start()
        put(saver, {"n": 2})
        promotion.join()
        assert values(saver) == {"n": 2}


@pytest.mark.parametrize("login", ["", ":wrong-word@"], ids=["no password", "wrong password"])
def test_a_refused_login_names_the_server_and_no_password(login: str) -> None:
    with server(requirepass=SECRET) as made:
        url = made.url.replace("//", f"//{login}")
        with lgckpt.RedisSaver(url) as saver, pytest.raises(StorageError) as caught:
            put(saver, {"n": 1})
        assert f"127.0.0.1:{made.port}" in str(caught.value)
        assert "wrong-word" not in str(caught.value)
        with lgckpt.RedisSaver(made.url.replace("//", f"//:{SECRET}@")) as saver:
            put(saver, {"n": 1})


def test_a_user_without_info_is_served() -> None:
    with server() as made:
        made.client.acl_setuser(
            "agent", enabled=True, passwords=[f"+{SECRET}"], keys=["lgckpt:*"],
            categories=["+@all", "-@dangerous", "-@admin"],
        )  # fmt: skip
        url = made.url.replace("//", f"//agent:{SECRET}@")
        with lgckpt.RedisSaver(url) as saver:
            saver.setup()
            put(saver, {"n": 1, "large": LARGE})
            saver.copy_thread("t", "copy")
            saver.prune(["t"])
            assert len([*saver.list(None)]) == 2
        with (
            lgckpt.RedisSaver(url, prefix="other") as saver,
            pytest.raises(StorageError, match="refuses this user"),
        ):
            put(saver, {"n": 1})


def test_a_server_that_is_not_there_is_named_soon() -> None:
    url = f"redis://:{SECRET}@127.0.0.1:{free_port()}/0"
    began = time.monotonic()
    with (
        lgckpt.RedisSaver(url) as saver,
        pytest.raises(StorageError, match="cannot be") as caught,
    ):
        saver.setup()
    assert SECRET not in str(caught.value)
    assert time.monotonic() - began < 5


def test_a_server_that_hangs_is_given_up_and_used_again() -> None:
    with (
        server() as made,
        lgckpt.RedisSaver(made.url, socket_timeout=0.2, retry_for=1) as saver,
    ):
        put(saver, {"n": 1})
        made.client.client_pause(2000, all=True)
        with pytest.raises(StorageError, match="cannot be reached"):
            put(saver, {"n": 2})
        time.sleep(2)
        put(saver, {"n": 3})
        assert values(saver) == {"n": 3}


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("decode", [False, True], ids=["bytes", "decoded"])
def test_a_client_of_the_callers_own(protocol: int, decode: bool) -> None:
    async def main(made: Server) -> None:
        given = redis.asyncio.Redis(
            port=made.port, protocol=protocol, decode_responses=decode, max_connections=3
        )
        async with lgckpt.AsyncRedisSaver(redis_client=given, wait=(0 + 1, 1)) as saver:
            with pytest.raises(StorageError, match="0 of 1 replicas"):
                await Thread(Coloured(saver, "async"), "refused").put({"n": 1})
        async with lgckpt.AsyncRedisSaver(redis_client=given) as saver:
            await saver.setup()
            await asyncio.gather(*(_use(saver, f"t{n}") for n in range(8)))
            await saver.acopy_thread("t0", "copy")
            await saver.aprune(["copy"])
            assert len([one async for one in saver.alist(config("copy"))]) == 1
            with pytest.raises(ConfigurationError, match="async"):
                saver.get_tuple(config("t0"))
        assert await given.ping()
        await given.aclose()

    with server() as made:
        asyncio.run(main(made))


async def _use(saver: Saver, name: str) -> None:
    thread = Thread(Coloured(saver, "async"), name)
    for n in range(2):
        at = await thread.put({"n": n, "large": [*LARGE, n]}, run_id="r")
        await saver.aput_writes(at, [("w", LARGE), ("v", n)], "task")
        saver._handle.hints.reset()
        assert await thread.state() == thread.values


@pytest.mark.parametrize("protocol", [2, 3])
def test_a_sync_client_lends_its_settings(protocol: int) -> None:
    with server(requirepass=SECRET) as made:
        given = redis.Redis(
            port=made.port, password=SECRET, db=3, decode_responses=True, protocol=protocol
        )
        with lgckpt.RedisSaver(given) as saver:
            put(saver, {"n": 1, "large": LARGE})
            assert values(saver) == {"n": 1, "large": LARGE}
        assert given.dbsize() > 0
        given.close()


def test_an_async_client_where_no_loop_runs_lends_its_settings() -> None:
    with (
        server() as made,
        lgckpt.RedisSaver(redis_client=redis.asyncio.Redis(port=made.port)) as saver,
    ):
        put(saver, {"n": 1})
        assert values(saver) == {"n": 1}


def test_a_put_whose_reply_was_lost_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sent again after its parent was pruned by another process, it is stored all the same."""
    with server() as made, lgckpt.RedisSaver(made.url) as saver:
        coloured = Coloured(saver, "sync")
        thread = Thread(coloured)
        calls = saver._handle.storage._calls
        real = calls._run
        lost: list[object] = []

        async def losing(client, call):
            result = await real(client, call)
            if call.script.name == "store" and not lost and armed:
                lost.append(result)
                other = redis.Redis(port=made.port)
                keys = thread_keys("lgckpt", "t")
                (parent,) = [f for f in other.hkeys(keys.data) if f[:1] == b"h" and first in f]
                other.hdel(keys.data, parent)
                other.close()
                raise redis.ConnectionError("the reply was lost")
            return result

        armed = False
        asyncio.run(thread.put({"n": 1, "large": LARGE}))
        first = thread.config["configurable"]["checkpoint_id"].encode()
        monkeypatch.setattr(calls, "_run", losing)
        armed = True
        sent = []
        store = saver._handle.storage.put
        monkeypatch.setattr(saver._handle.storage, "put", lambda p: sent.append(p) or store(p))
        asyncio.run(thread.put({"n": 2}))
        assert lost == [1]
        assert len(sent) == 1
        assert values(saver) == {"n": 2, "large": LARGE}


def test_options_that_make_no_sense_are_refused() -> None:
    url = "redis://127.0.0.1:1"
    for options in (
        {"prefix": ""}, {"prefix": "a{b}"}, {"ttl": 0}, {"ttl": -1}, {"wait": (0, 1)},
        {"wait": (1, 60_000)}, {"ttl": {"minutes": 3}}, {"redis_client": object()},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError):
            lgckpt.RedisSaver(**{"redis_url": url, **options})
    for wrong in ("http://x", "redis+cluster://", "redis://h:port", 7, "redis+sentinel://h:x/m"):
        with pytest.raises(ConfigurationError):
            lgckpt.RedisSaver(wrong)
    with pytest.raises(ConfigurationError):
        lgckpt.RedisSaver()


@pytest.mark.parametrize("form", ["redis://127.0.0.1:{}/2", "redis://127.0.0.1:{}?db=2"])
def test_a_url_names_the_database(form: str) -> None:
    with server() as made:
        with lgckpt.from_url(form.format(made.port)) as saver:
            assert type(saver) is lgckpt.RedisSaver
            put(saver, {"n": 1})
        assert made.client.dbsize() == 0


def test_a_unix_socket() -> None:
    with server(unixsocket="server.sock") as made:
        with lgckpt.from_url(f"unix://{made.directory / 'server.sock'}") as saver:
            put(saver, {"n": 1})
            assert values(saver) == {"n": 1}
        assert made.client.dbsize() > 0


def test_two_savers_of_other_prefixes_share_a_database() -> None:
    with (
        server() as made,
        lgckpt.RedisSaver(made.url, prefix="a") as one,
        lgckpt.RedisSaver(made.url, prefix="b") as other,
    ):
        put(one, {"n": 1})
        assert values(other) is None
        put(other, {"n": 2})
        one.delete_thread("t")
        assert values(other) == {"n": 2}
        assert redis_rows.threads(made.client, "b") == ["t"]
