"""What a database says of itself, and which settings of a server are said to hurt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

import lgckpt
from lgckpt import upkeep
from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.saver import Saver
from lgckpt.upkeep.settings import examine
from tests.services.postgres import PostgresServer, wheel_binaries
from tests.services.valkey import Server

pytestmark = pytest.mark.anyio

SAFE: dict[str, dict[str, str]] = {
    "sqlite": {
        "schema": "2", "schema_known": "2", "journal_mode": "wal", "synchronous": "FULL",
        "quick_check": "ok",
    },
    "postgres": {
        "schema": "1", "schema_known": "1", "fsync": "on", "synchronous_commit": "on",
        "full_page_writes": "on", "max_connections": "100", "pool_size": "10",
        "superuser_reserved_connections": "3", "in_recovery": "off",
    },
    "redis": {
        "appendonly": "yes", "appendfsync": "everysec", "save": "3600 1", "maxmemory": "0",
        "maxmemory-policy": "noeviction", "role": "master", "ttl": "false",
        "aof_last_write_status": "ok", "rdb_last_bgsave_status": "ok",
    },
    "memory": {},
}  # fmt: skip
HURTING: list[tuple[str, dict[str, str], str, str]] = [
    ("sqlite", {"journal_mode": "delete"}, "warning", "journal_mode"),
    ("sqlite", {"synchronous": "OFF"}, "error", "synchronous"),
    ("sqlite", {"synchronous": "NORMAL"}, "note", "synchronous"),
    ("sqlite", {"quick_check": "row 1 missing from index"}, "error", "row 1 missing"),
    ("sqlite", {"schema": "1"}, "note", "version 1"),
    ("sqlite", {"schema": "3"}, "note", "newer release"),
    ("postgres", {"fsync": "off"}, "error", "fsync"),
    ("postgres", {"synchronous_commit": "off"}, "warning", "synchronous_commit"),
    ("postgres", {"full_page_writes": "off"}, "error", "full_page_writes"),
    ("postgres", {"max_connections": "12"}, "warning", "9 connections"),
    ("postgres", {"in_recovery": "on"}, "error", "standby"),
    ("redis", {"appendonly": "no", "save": ""}, "error", "nothing is kept on disk"),
    ("redis", {"appendonly": "no"}, "warning", "since the last snapshot"),
    ("redis", {"appendfsync": "no"}, "warning", "appendfsync"),
    ("redis", {"maxmemory-policy": "allkeys-lru", "maxmemory": "9"}, "error", "allkeys-lru"),
    ("redis", {"maxmemory-policy": "allkeys-lru"}, "warning", "if a maxmemory is set"),
    ("redis", {"maxmemory-policy": "volatile-lru", "ttl": "true", "maxmemory": "9"}, "error",
     "volatile-lru"),
    ("redis", {"role": "slave"}, "error", "replica"),
    ("redis", {"role": "master, slave"}, "error", "replica"),
    ("redis", {"aof_last_write_status": "err"}, "error", "cannot write"),
]  # fmt: skip


@pytest.mark.parametrize("backend", SAFE)
def test_safe_settings_are_no_finding(backend: str) -> None:
    assert examine({"backend": backend, **SAFE[backend]}) == []


def test_what_a_server_does_not_tell_is_no_finding() -> None:
    for backend in SAFE:
        known = [one for one in examine({"backend": backend}) if one.severity == "error"]
        assert known == []


def test_a_volatile_policy_hurts_no_thread_that_lives_for_ever() -> None:
    facts = {**SAFE["redis"], "maxmemory-policy": "volatile-lru", "maxmemory": "9"}
    assert examine({"backend": "redis", **facts}) == []


@pytest.mark.parametrize(("backend", "changed", "severity", "said"), HURTING, ids=str)
def test_what_hurts_is_said(
    backend: str, changed: Mapping[str, str], severity: str, said: str
) -> None:
    (found,) = examine({"backend": backend, **SAFE[backend], **changed})
    assert found.severity == severity
    assert said in found.what
    assert found.mend


async def test_every_backend_tells_the_facts_that_are_examined(saver: Saver) -> None:
    await saver.asetup()
    facts = await saver._handle.driver(sync=False)("facts", True)
    assert facts.keys() >= SAFE[facts["backend"]].keys() - {"save"}
    assert all(isinstance(one, str) for pair in facts.items() for one in pair)
    if "schema" in facts:
        assert facts["schema"] == facts["schema_known"]


async def test_a_valkey_that_forgets_is_told_from_one_that_keeps() -> None:
    server = Server({"appendonly": "no", "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"})
    try:
        said = " ".join(one.what for one in (await upkeep.adoctor(server.url)).findings)
        assert "nothing is kept on disk" in said
        assert "allkeys-lru" in said
        server.client.config_set("appendonly", "yes")
        server.client.config_set("maxmemory-policy", "noeviction")
        assert (await upkeep.adoctor(server.url)).findings == ()
        # A user that may not ask for the configuration learns less, and nothing wrong.
        server.client.execute_command(
            "ACL", "SETUSER", "limited", "on", ">pw-limited", "~*", "+@all", "-config", "-info"
        )
        url = server.url.replace("//", "//limited:pw-limited@")
        (one,) = (await upkeep.adoctor(url)).findings
        assert one.severity == "note"
        assert "does not say" in one.what
    finally:
        server.remove()


@pytest.mark.slow
async def test_a_postgres_that_may_lose_data_is_told() -> None:
    server = PostgresServer(
        wheel_binaries(), fsync="off", full_page_writes="off", max_connections="12"
    )
    try:
        with lgckpt.PostgresSaver(server.url) as saver:
            saver.setup()
        said = " ".join(one.what for one in (await upkeep.adoctor(server.url)).findings)
        for name in ("fsync is off", "full_page_writes is off", "9 connections"):
            assert name in said
    finally:
        server.remove()


async def _copy(where: Any) -> object:
    return await upkeep.acopy(where, "a", "b")


async def _delete(where: Any) -> object:
    return await upkeep.adelete(where, ["a"])


async def _prune(where: Any) -> object:
    return await upkeep.aprune(where, keep=1)


WORKS: list[Callable[[Any], Any]] = [
    _copy, _delete, _prune, upkeep.adoctor, upkeep.avacuum,
]  # fmt: skip


@pytest.mark.parametrize("work", WORKS)
async def test_nothing_is_created_by_looking_after_it(work: Any, tmp_path: Any) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(StorageError, match=r"none\.db.*no such file"):
        await work(f"sqlite:///{path}")
    assert not path.exists()
    path.touch()
    with pytest.raises(StorageError, match="no tables of lgckpt"):
        await work(f"sqlite:///{path}")
    assert path.stat().st_size == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory://", "empty"),
        ("langgraph+sqlite:///x.db", "own layout"),
        ("mysql://u:secret-word@h/x", "sqlite"),
        ("no url", "the URL of a database"),
        ("file:///dump.lgckpt", "the URL of a database"),
    ],
)
async def test_what_is_no_database_of_ours_is_refused(url: str, said: str) -> None:
    for work in WORKS:
        with pytest.raises(ConfigurationError, match=said) as caught:
            await work(url)
        assert "secret-word" not in str(caught.value)
