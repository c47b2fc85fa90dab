"""A primary dies under load and its standby is promoted: writes go on there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest

import lgckpt
from tests.services.postgres import PASSWORD, PostgresServer, wheel_binaries
from tests.services.postgres_standby import Standby
from tests.topologies.postgres.load import Load, assert_told

SECRETS = (PASSWORD, quote(PASSWORD))


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, Standby]]:
    primary = PostgresServer(wheel_binaries())
    try:
        standby = Standby(primary)
        try:
            yield primary, standby
        finally:
            standby.remove()
    finally:
        primary.remove()


def both(*servers: PostgresServer) -> str:
    """The URL of whichever of them takes writes."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    user = f"tests:{quote(PASSWORD)}"
    return f"postgresql://{user}@{hosts}/postgres?target_session_attrs=read-write"


@pytest.mark.slow
def test_writes_follow_a_failover_and_nothing_acknowledged_is_lost(
    pair: tuple[PostgresServer, Standby],
) -> None:
    """With synchronous replication, as whoever promises this must have it."""
    primary, standby = pair
    with psycopg.connect(primary.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
    with lgckpt.PostgresSaver(both(standby, primary), schema="failover") as saver:
        with Load(saver).running() as load:
            load.more(300)
            primary.kill()
            standby.promote()
            load.more(300)
        assert not load.failed, load.failed[0]
        load.check(standby.url, "failover")


@pytest.mark.slow
def test_writes_follow_a_switchover_in_which_the_old_primary_turns_read_only(
    pair: tuple[PostgresServer, Standby],
) -> None:
    """Connections to it stay open and answer, but take no writes any more."""
    primary, standby = pair
    with lgckpt.PostgresSaver(both(primary, standby), schema="switchover") as saver:
        with Load(saver).running() as load:
            load.more(200)
            with psycopg.connect(primary.url, autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
                connection.execute("SELECT pg_reload_conf()")
            before = len(load.acknowledged)
            _until_nothing_is_written(primary)
            standby.wait()
            standby.promote()
            load.more(200)
            assert len(load.acknowledged) > before
        assert not load.failed, load.failed[0]
        load.check(standby.url, "switchover")


def _until_nothing_is_written(server: PostgresServer) -> None:
    """Wait until transactions that began before are over."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        begun = 1
        while begun:
            (begun,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
            ).fetchone()


def test_without_anyone_to_write_to_the_error_names_all_hosts(
    pair: tuple[PostgresServer, Standby],
) -> None:
    primary, standby = pair
    primary.kill()
    with (
        lgckpt.PostgresSaver(both(primary, standby), retry_for=0.5) as saver,
        pytest.raises(lgckpt.StorageError) as raised,
    ):
        saver.setup()
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    assert_told(raised.value, f"database 'postgres' at {hosts}", *SECRETS)
