"""Connections are cut, stalled, or lose the acknowledgement of a commit on their way."""

from __future__ import annotations

import asyncio
import time
from typing import get_args
from urllib.parse import quote

import pytest

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PASSWORD, PostgresServer
from tests.services.proxy import Fault, Proxy, When
from tests.survive.checker_postgres import check_postgres
from tests.survive.harness import scaled
from tests.survive.states import WRITERS, Conversation, assert_whole
from tests.topologies.postgres.load import Load, assert_told

SECRETS = (PASSWORD, quote(PASSWORD))
STORE = ".lgckpt_store("
CUTS = 30
STRUCK = 40


@pytest.mark.slow
def test_connections_cut_at_any_moment_lose_and_double_nothing(
    own_server: PostgresServer, proxy: Proxy
) -> None:
    url = proxy.url(own_server.url)
    with lgckpt.PostgresSaver(url, schema="cut") as saver:
        cut = 0
        with Load(saver).running() as load:
            for _ in range(scaled(CUTS)):
                load.more(20)
                cut += proxy.cut()
            load.more(100)
        assert cut >= scaled(CUTS)
        assert not load.failed, load.failed[0]
        load.check(own_server.url, "cut")


@pytest.mark.slow
@pytest.mark.parametrize("when", get_args(When))
@pytest.mark.parametrize("gather", [True, False], ids=["grouped", "single"])
def test_a_put_cut_off_is_stored_once(
    own_server: PostgresServer, proxy: Proxy, when: When, gather: bool
) -> None:
    """ "answered" is a lost COMMIT acknowledgement: the server has committed, nobody knows."""
    schema = f"struck {when} {gather}"
    with lgckpt.PostgresSaver(proxy.url(own_server.url), schema=schema, group_commit=gather) as s:
        fault = proxy.strike(Fault(when, STORE, every=5, times=scaled(STRUCK)))
        with Load(s).running() as load:
            while fault.done < fault.times:
                load.more(10)
            load.more(100)
        assert not load.failed, load.failed[0]
        load.check(own_server.url, schema)


@pytest.mark.parametrize("when", get_args(When))
def test_each_kind_of_change_is_carried_out_once_though_its_commit_is_cut_off(
    own_server: PostgresServer, proxy: Proxy, when: When
) -> None:
    schema = f"each {when}"
    conversation = Conversation("large-1")
    with lgckpt.PostgresSaver(proxy.url(own_server.url), schema=schema) as saver:

        def struck(text: str) -> Fault:
            return proxy.strike(Fault(when, text))

        faults = [struck(STORE)]
        stored = conversation.put(saver)
        faults.append(struck(STORE))
        saver.put_writes(*conversation.writes(WRITERS[0]))
        faults.append(struck("COMMIT"))
        saver.copy_thread("large-1", "large-2")
        conversation.put(saver)
        faults.append(struck("COMMIT"))
        saver.prune(["large-1"])
        (left,) = saver.list(config("large-1"))
        assert left.checkpoint["id"] == conversation.parent
        faults.append(struck(".lgckpt_drop("))
        saver.delete_thread("large-1")
        assert [fault.done for fault in faults] == [1] * 5
        assert not list(saver.list(config("large-1")))
        (copied,) = saver.list(config("large-2"))
    assert copied.checkpoint["id"] == stored
    assert_whole(copied)
    assert {task for task, _, _ in copied.pending_writes} == {WRITERS[0]}
    check_postgres(own_server.url, schema, exact=True)


def test_reads_are_asked_again_when_their_connection_is_cut(
    own_server: PostgresServer, proxy: Proxy
) -> None:
    conversation = Conversation("large-1")
    with lgckpt.PostgresSaver(own_server.url, schema="reads") as writer:
        for _ in range(4):
            conversation.put(writer)
    url = proxy.url(own_server.url)
    for text in ("lgckpt_checkpoints", "lgckpt_chunks"):
        with lgckpt.PostgresSaver(url, schema="reads") as saver:
            saver.setup()
            for when in get_args(When):
                fault = proxy.strike(Fault(when, text))
                found = saver.get_tuple(config("large-1"))
                assert_whole(found)
                assert fault.done == 1
            fault = proxy.strike(Fault("answered", "lgckpt_checkpoints"))
            assert [one.metadata["step"] for one in saver.list(config("large-1"))] == [3, 2, 1, 0]
            assert fault.done == 1


@pytest.mark.parametrize("what", ["put", "put_writes", "get_tuple", "list", "prune", "delete"])
def test_a_stalled_server_is_given_up_in_time_and_the_saver_goes_on(
    own_server: PostgresServer, proxy: Proxy, what: str
) -> None:
    conversation = Conversation("large-1")
    calls = {
        "put": lambda: saver.put(*conversation.next()),
        "put_writes": lambda: saver.put_writes(*conversation.writes("task-b")),
        "get_tuple": lambda: saver.get_tuple(config("large-1")),
        "list": lambda: list(saver.list(config("large-1"))),
        "prune": lambda: saver.prune(["large-1"]),
        "delete": lambda: saver.delete_thread("large-2"),
    }
    url = proxy.url(own_server.url)
    schema = f"stalled {what}"
    with lgckpt.PostgresSaver(url, schema=schema, timeout=0.5, retry_for=20) as saver:
        conversation.put(saver)
        proxy.stall()
        began = time.monotonic()
        with pytest.raises(lgckpt.StorageError, match="no answer within") as raised:
            calls[what]()
        taken = time.monotonic() - began
        proxy.flow()
        assert 0.4 < taken < 5
        assert_told(raised.value, f"database 'postgres' at 127.0.0.1:{proxy.port}", *SECRETS)
        conversation.put(saver)
        saver.put_writes(*conversation.writes("task-a"))
        found = saver.get_tuple(config("large-1"))
        assert found is not None
        assert found.checkpoint["id"] == conversation.parent
        assert_whole(found)
    check_postgres(own_server.url, schema)


def test_many_callers_at_once_of_a_stalled_server_are_all_told_in_time(
    own_server: PostgresServer, proxy: Proxy
) -> None:
    """What shares a transaction shares its timeout, and does not wait for one each afterwards."""

    async def main() -> float:
        url = proxy.url(own_server.url)
        async with lgckpt.PostgresSaver(url, schema="stalled many", timeout=0.5) as saver:
            conversations = [Conversation(f"small-{n}") for n in range(60)]
            await asyncio.gather(*(one.aput(saver) for one in conversations))
            proxy.stall()
            began = time.monotonic()
            calls = (one.aput(saver) for one in conversations)
            done = await asyncio.gather(*calls, return_exceptions=True)
            taken = time.monotonic() - began
            proxy.flow()
            for exc in done:
                assert_told(exc, "no answer within 0.5 seconds", *SECRETS)
            await asyncio.gather(*(one.aput(saver) for one in conversations))
            for one in conversations:
                assert_whole(await saver.aget_tuple(config(one.thread_id)))
            return taken

    assert asyncio.run(main()) < 5


@pytest.mark.slow
def test_load_through_a_server_that_stalls_now_and_then_fails_in_time_and_loses_nothing(
    own_server: PostgresServer, proxy: Proxy
) -> None:
    url = proxy.url(own_server.url)
    with lgckpt.PostgresSaver(url, schema="stalls", timeout=0.4, retry_for=5) as saver:
        with Load(saver).running() as load:
            for _ in range(scaled(3)):
                load.more(100)
                proxy.stall()
                time.sleep(0.8)
                proxy.flow()
            load.more(200)
        assert load.failed
        for exc in load.failed:
            assert_told(exc, f"127.0.0.1:{proxy.port}", *SECRETS)
        load.check(own_server.url, "stalls")
