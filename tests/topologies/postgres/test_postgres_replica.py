"""`read_url`: lists and time travel go to a replica, and nothing that must be new does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PostgresServer
from tests.services.postgres_standby import Standby
from tests.services.proxy import Proxy, proxy_to
from tests.survive.checker_postgres import check_postgres
from tests.survive.states import Conversation, assert_whole


@pytest.fixture(scope="module")
def standby(own_server: PostgresServer) -> Iterator[Standby]:
    standby = Standby(own_server)
    yield standby
    standby.remove()


@pytest.fixture
def reads(standby: Standby) -> Iterator[Proxy]:
    """A proxy in front of the standby, which sees every statement that it gets."""
    standby.resume()
    with proxy_to(standby.port) as proxy:
        yield proxy


@pytest.fixture
def replicated(
    request: pytest.FixtureRequest, own_server: PostgresServer, standby: Standby, reads: Proxy
) -> Iterator[lgckpt.PostgresSaver]:
    schema = request.node.name[:60]
    url = reads.url(standby.url)
    with lgckpt.PostgresSaver(own_server.url, schema=schema, read_url=url) as saver:
        saver.setup()
        yield saver
    check_postgres(own_server.url, schema, exact=True)


def listed(saver: lgckpt.PostgresSaver, name: str) -> list[int]:
    found = list(saver.list(config(name)))
    for one in found:
        assert_whole(one)
    return [one.metadata["step"] for one in found]


def test_a_lagging_replica_shows_in_lists_but_never_in_the_latest(
    replicated: lgckpt.PostgresSaver, standby: Standby
) -> None:
    conversation = Conversation("large-1")
    for _ in range(3):
        conversation.put(replicated)
    standby.wait()
    standby.pause()
    for _ in range(3):
        conversation.put(replicated)
    assert listed(replicated, "large-1") == [2, 1, 0]
    found: Any = replicated.get_tuple(config("large-1"))
    assert_whole(found)
    assert found.metadata["step"] == 5
    standby.resume()
    standby.wait()
    assert listed(replicated, "large-1") == [5, 4, 3, 2, 1, 0]


def test_a_checkpoint_that_the_replica_has_not_yet_is_found_on_the_primary(
    replicated: lgckpt.PostgresSaver, standby: Standby
) -> None:
    replicated.put(*Conversation("small-0").next())
    standby.wait()
    standby.pause()
    conversation = Conversation("large-1")
    stored = conversation.put(replicated)
    found: Any = replicated.get_tuple(config("large-1", stored))
    assert_whole(found)
    standby.resume()


def test_what_goes_to_the_replica_and_what_does_not(
    replicated: lgckpt.PostgresSaver, standby: Standby, reads: Proxy
) -> None:
    conversation = Conversation("large-1")
    stored = [conversation.put(replicated) for _ in range(3)]
    replicated.put_writes(*conversation.writes("task-a"))
    standby.wait()

    def goes_there(call: Any) -> bool:
        replicated._handle.hints.reset()
        with reads.counting() as turns:
            call()
        return any("lgckpt_" in text for statements in turns for text in statements)

    assert goes_there(lambda: list(replicated.list(config("large-1"))))
    assert goes_there(lambda: list(replicated.list(None, limit=1)))
    assert goes_there(lambda: replicated.get_tuple(config("large-1", stored[0])))
    assert not goes_there(lambda: replicated.get_tuple(config("large-1")))
    assert not goes_there(lambda: conversation.put(replicated))
    assert not goes_there(lambda: replicated.put_writes(*conversation.writes("task-a")))
    assert not goes_there(lambda: replicated.copy_thread("large-1", "large-2"))
    assert not goes_there(lambda: replicated.prune(["large-2"]))
    assert not goes_there(lambda: replicated.delete_thread("large-2"))


def test_a_put_after_time_travel_to_a_stale_checkpoint_is_whole(
    own_server: PostgresServer, replicated: lgckpt.PostgresSaver, standby: Standby
) -> None:
    """The replica still shows what the primary has pruned: a fork from there sends all anew."""
    conversation = Conversation("large-1")
    stored = [conversation.put(replicated) for _ in range(4)]
    standby.wait()
    standby.pause()
    schema = replicated._handle.storage._schema
    with lgckpt.PostgresSaver(own_server.url, schema=schema) as elsewhere:
        elsewhere.prune(["large-1"])
    replicated._handle.hints.reset()
    stale: Any = replicated.get_tuple(config("large-1", stored[1]))
    conversation.resume(stale)
    conversation.put(replicated)
    replicated.put_writes(*conversation.writes("task-a"))
    found: Any = replicated.get_tuple(config("large-1"))
    assert found.metadata["step"] == 2
    assert_whole(found)
    standby.resume()
    replicated.prune(["large-1"])
    standby.wait()


def test_a_replica_that_is_down_fails_its_reads_alone_and_comes_back(
    own_server: PostgresServer, standby: Standby
) -> None:
    conversation = Conversation("large-1")
    options = {"schema": "replica down", "read_url": standby.url, "retry_for": 0.3}
    with lgckpt.PostgresSaver(own_server.url, **options) as saver:
        conversation.put(saver)
        standby.wait()
        assert listed(saver, "large-1") == [0]
        standby.kill()
        conversation.put(saver)
        assert_whole(saver.get_tuple(config("large-1")))
        with pytest.raises(lgckpt.StorageError, match=f"at 127.0.0.1:{standby.port}"):
            listed(saver, "large-1")
        standby.start()
        standby.wait()
        assert listed(saver, "large-1") == [1, 0]
