"""Roles that may not do everything: setup by an owner, use by those who may only read and write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

import lgckpt
from tests.checkpoints import config
from tests.services.postgres import PostgresServer
from tests.services.postgres_schemas import database_of
from tests.survive.checker_postgres import check_postgres
from tests.survive.states import Conversation, assert_whole
from tests.topologies.postgres.load import assert_told

SECRET = "secret of the role"
OWNER, USER, READER = "owner of one", "user of one", "reader of one"
SCHEMA = "one's own"


@pytest.fixture
def database(own_server: PostgresServer) -> Iterator[str]:
    """A database in which roles may make nothing, nor use `public`."""
    with database_of(own_server.url) as url, psycopg.connect(url, autocommit=True) as admin:
        admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        for role in (OWNER, USER, READER):
            run(admin, "CREATE ROLE {role} LOGIN PASSWORD {secret}", role=role)
        run(admin, "CREATE SCHEMA {schema} AUTHORIZATION {role}", role=OWNER)
        yield url
        for role in (USER, READER, OWNER):
            run(admin, "DROP OWNED BY {role} CASCADE", role=role)
            run(admin, "DROP ROLE {role}", role=role)


def run(connection: psycopg.Connection[Any], statement: str, role: str) -> None:
    names = {"role": sql.Identifier(role), "schema": sql.Identifier(SCHEMA)}
    connection.execute(sql.SQL(statement).format(secret=sql.Literal(SECRET), **names))


def as_role(url: str, role: str, **options: Any) -> lgckpt.PostgresSaver:
    """A saver of a role; the URL holds no user and no password."""
    host = "postgresql://" + url.rpartition("@")[2]
    return lgckpt.PostgresSaver(host, schema=SCHEMA, user=role, password=SECRET, **options)


def grant(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as admin:
        for role in (USER, READER):
            run(admin, "GRANT USAGE ON SCHEMA {schema} TO {role}", role)
        tables = "ON ALL TABLES IN SCHEMA {schema}"
        run(admin, f"GRANT SELECT, INSERT, UPDATE, DELETE {tables} TO {{role}}", USER)
        run(admin, f"GRANT SELECT {tables} TO {{role}}", READER)


def use(saver: lgckpt.PostgresSaver) -> None:
    """Every verb."""
    conversation = Conversation("large-1")
    for _ in range(3):
        conversation.put(saver)
        saver.put_writes(*conversation.writes("task-a"))
    assert_whole(saver.get_tuple(config("large-1")))
    assert len(list(saver.list(None))) == 3
    saver.copy_thread("large-1", "large-2")
    saver.prune(["large-1"])
    saver.delete_thread("large-1")
    saver.delete_for_runs(["a run"])
    assert saver.sweep() == 0
    assert len(list(saver.list(config("large-2")))) == 3
    saver.delete_thread("large-2")


def test_an_owner_of_nothing_but_the_schema_sets_it_up(database: str) -> None:
    with as_role(database, OWNER) as saver:
        saver.setup()
        use(saver)
    check_postgres(database, SCHEMA, exact=True)


def test_a_role_that_may_read_and_write_uses_what_is_there(database: str) -> None:
    with as_role(database, OWNER) as saver:
        saver.setup()
    grant(database)
    with as_role(database, USER) as saver:
        saver.setup()
        use(saver)
    with as_role(database, USER, ttl=60, refresh_on_read=True) as saver:
        use(saver)


def test_a_role_that_may_only_read_reads_and_is_refused_the_rest(database: str) -> None:
    conversation = Conversation("large-1")
    with as_role(database, OWNER) as saver:
        conversation.put(saver)
    grant(database)
    with as_role(database, READER) as saver:
        assert_whole(saver.get_tuple(config("large-1")))
        assert len(list(saver.list(None))) == 1
        with pytest.raises(lgckpt.StorageError, match="permission denied") as raised:
            conversation.put(saver)
        assert_told(raised.value, "127.0.0.1", SECRET)
        assert_whole(saver.get_tuple(config("large-1")))


@pytest.mark.parametrize("role", [USER, READER])
def test_who_may_make_nothing_is_told_so_and_makes_nothing(database: str, role: str) -> None:
    with (
        as_role(database, role) as saver,
        pytest.raises(lgckpt.StorageError, match="permission denied") as raised,
    ):
        saver.setup()
    assert_told(raised.value, "127.0.0.1", SECRET)
    with psycopg.connect(database) as admin:
        assert admin.execute(
            "SELECT count(*) FROM pg_class WHERE relname LIKE 'lgckpt%'"
        ).fetchone() == (0,)


def test_a_setup_cut_short_leaves_nothing_half_made(database: str) -> None:
    """A name that is taken stops it midway; with that gone it begins anew."""
    with psycopg.connect(database, autocommit=True) as admin:
        run(admin, "CREATE VIEW {schema}.lgckpt_chunks AS SELECT 1 AS one", OWNER)
        with as_role(database, OWNER) as saver:
            with pytest.raises(lgckpt.StorageError, match="lgckpt_chunks"):
                saver.setup()
            assert admin.execute(
                "SELECT count(*) FROM pg_class WHERE relname LIKE 'lgckpt%'"
            ).fetchone() == (1,)
            run(admin, "DROP VIEW {schema}.lgckpt_chunks", OWNER)
            saver.setup()
            use(saver)
