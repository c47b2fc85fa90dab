"""PgBouncer in transaction mode, where each transaction may get another server connection."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

import lgckpt
from tests.checkpoints import config
from tests.services.pgbouncer import pgbouncer
from tests.services.postgres import PostgresServer
from tests.survive.checker_postgres import check_postgres
from tests.survive.harness import scaled
from tests.survive.states import WRITERS, Conversation, assert_whole
from tests.topologies.postgres.load import Load

CALLS = 3_000


@pytest.fixture
def bouncer(own_server: PostgresServer) -> Iterator[str]:
    with pgbouncer(own_server.url) as url:
        yield url


@pytest.mark.slow
def test_load_through_pgbouncer_without_named_statements(
    own_server: PostgresServer, bouncer: str
) -> None:
    """Savers with more connections than it has, retention and copies among the puts."""
    options = {"schema": "bounced", "statement_cache_size": 0, "retry_for": 0}
    with (
        lgckpt.PostgresSaver(bouncer, **options) as saver,
        lgckpt.PostgresSaver(bouncer, **options) as other,
    ):
        with Load(saver).running() as load:
            while len(load.acknowledged) < scaled(CALLS):
                conversation = Conversation("large-other")
                for _ in range(3):
                    conversation.put(other)
                    other.put_writes(*conversation.writes(WRITERS[0]))
                other.copy_thread("large-other", "large-copy")
                other.prune(["large-other"])
                assert len(list(other.list(config("large-other")))) == 1
                for one in other.list(None, limit=8):
                    assert_whole(one)
                other.delete_thread("large-copy")
        assert not load.failed, load.failed[0]
        with psycopg.connect(bouncer, autocommit=True) as connection:
            (mine,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            ).fetchone()
        assert mine <= 4, "the savers did not share the connections of PgBouncer"
    load.check(own_server.url, "bounced")
    check_postgres(own_server.url, "bounced")


def test_with_named_statements_nothing_is_lost_and_the_error_says_what_to_do(
    own_server: PostgresServer, bouncer: str
) -> None:
    """PgBouncer from 1.21 on knows named statements; before, they meet the wrong connection."""
    with lgckpt.PostgresSaver(bouncer, schema="named", retry_for=1) as saver:
        with Load(saver, pause=0.05).running() as load:
            load.more(scaled(500))
        for exc in load.failed:
            assert "set statement_cache_size to 0" in str(exc), str(exc)
    load.check(own_server.url, "named")


def test_a_stranger_to_pgbouncer_is_told_by_name(bouncer: str) -> None:
    url = bouncer.replace("//tests:", "//nobody:")
    with (
        lgckpt.PostgresSaver(url, statement_cache_size=0, retry_for=0) as saver,
        pytest.raises(lgckpt.StorageError, match="database 'postgres' at 127") as raised,
    ):
        saver.setup()
    assert "of the tests" not in str(raised.value)
