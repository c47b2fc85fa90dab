"""Sentinel: the master is found, and followed when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import redis
from redis.sentinel import Sentinel

import lgckpt
from lgckpt.errors import ConfigurationError, StorageError
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.services.clusters import Watched
from tests.topologies.load import REPLACED, Load


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.remove()


def _sync_client(watched: Watched) -> redis.Redis:
    hosts = [("127.0.0.1", one.port) for one in watched.sentinels]
    return Sentinel(hosts, socket_timeout=2).master_for(watched.name, decode_responses=True)


def test_a_sync_client_of_the_callers_lends_its_settings(watched: Watched) -> None:
    given = _sync_client(watched)
    with lgckpt.RedisSaver(given, prefix="given") as saver:
        asyncio.run(Thread(Coloured(saver, "sync")).put({"a": 1}))
        assert saver.get_tuple(config("t")).checkpoint["channel_values"] == {"a": 1}
    given.close()


def test_a_url_without_a_master_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mymaster"):
        lgckpt.RedisSaver("redis+sentinel://127.0.0.1:26379")


def test_an_unknown_master_is_named(watched: Watched) -> None:
    url = watched.url.replace(watched.name, "other")
    with (
        lgckpt.RedisSaver(url) as saver,
        pytest.raises(StorageError, match="other by"),
    ):
        saver.setup()


@pytest.mark.slow
@REPLACED
def test_a_failover_under_load(watched: Watched) -> None:
    names = [f"{size}-{n}" for size in ("small", "large") for n in range(2)]
    with lgckpt.from_url(watched.url, prefix="load", retry_for=30) as saver:
        load = Load(saver, names)
        with load.running():
            load.until_written(10)
            watched.master.kill()
            load.until_written(10)
        assert load.errors == []
        # Redis answers before it replicates: what was in its send buffers is gone.
        assert load.lost() <= len(names)
