"""The server goes away under load and comes back: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PASSWORD, PostgresServer
from tests.survive.harness import scaled
from tests.survive.states import Conversation, assert_whole
from tests.topologies.postgres.load import Load, assert_told

SECRETS = (PASSWORD, quote(PASSWORD))
RESTARTS = 3

HOW: dict[str, Callable[[PostgresServer], None]] = {
    "fast": lambda server: server.stop(signal.SIGINT),
    "immediate": lambda server: server.stop(signal.SIGQUIT),
    "killed": PostgresServer.kill,
}


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_a_restart_under_load_loses_and_doubles_nothing(
    own_server: PostgresServer, how: str
) -> None:
    """Within `retry_for` no caller notices."""
    schema = f"restarted {how}"
    with lgckpt.PostgresSaver(own_server.url, schema=schema) as saver:
        with Load(saver).running() as load:
            for _ in range(scaled(RESTARTS)):
                load.more(200)
                HOW[how](own_server)
                own_server.start()
            load.more(200)
        assert not load.failed, load.failed[0]
        load.check(own_server.url, schema)


@pytest.mark.slow
def test_an_outage_longer_than_the_retries_is_told_and_over_with_the_server_back(
    own_server: PostgresServer,
) -> None:
    with lgckpt.PostgresSaver(own_server.url, schema="outage", retry_for=0.3) as saver:
        with Load(saver).running() as load:
            load.more(100)
            own_server.kill()
            time.sleep(1.5)
            own_server.start()
            load.more(200)
        assert len({str(exc) for exc in load.failed}) >= 1
        for exc in load.failed:
            assert_told(exc, f"database 'postgres' at 127.0.0.1:{own_server.port}", *SECRETS)
        load.check(own_server.url, "outage")


def test_a_saver_may_be_made_before_its_server_is_up(own_server: PostgresServer) -> None:
    own_server.stop()
    try:
        saver = lgckpt.PostgresSaver(own_server.url, schema="early", retry_for=0.2)
        conversation = Conversation("large-early")
        with pytest.raises(lgckpt.StorageError, match="127") as raised:
            conversation.put(saver)
        assert_told(raised.value, "database 'postgres'", *SECRETS)
    finally:
        own_server.start()
    with saver:
        conversation.put(saver)
        found = saver.get_tuple(config("large-early"))
        assert found is not None
        assert_whole(found)
