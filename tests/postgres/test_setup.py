"""The schema is made once, by whoever comes first, and needs no right once it is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg import sql

import lgckpt
from lgckpt.errors import ConfigurationError, StorageError, UnsupportedFormatError
from tests.checkpoints import checkpoint, config
from tests.postgres.conftest import Place
from tests.services.postgres import postgres_url

SCHEMA = 'a schema "of its own"'
ROLE = "lgckpt_tests_app"


@pytest.fixture
def admin() -> Any:
    with psycopg.connect(postgres_url(), autocommit=True) as connection:
        _drop(connection)
        yield connection
        _drop(connection)


def _drop(connection: psycopg.Connection[Any]) -> None:
    connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(SCHEMA)))
    connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(ROLE)))


def use(saver: lgckpt.PostgresSaver) -> None:
    saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
    assert saver.get_tuple(config("t")) is not None
    saver.prune(["t"])
    saver.copy_thread("t", "u")
    saver.delete_thread("t")


def test_twenty_at_once_make_one_schema(admin: psycopg.Connection[Any]) -> None:
    savers = [lgckpt.PostgresSaver(postgres_url(), schema=SCHEMA) for _ in range(20)]
    with ThreadPoolExecutor(20) as pool:
        assert [*pool.map(lambda saver: saver.setup(), savers)] == [None] * 20
    for saver in savers:
        saver.close()
    found = admin.execute(
        "SELECT count(*) FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace"
        " WHERE nspname = %s AND relkind = 'r'",
        (SCHEMA,),
    ).fetchone()
    assert found == (5,)


def test_the_printed_statements_make_what_setup_makes(admin: psycopg.Connection[Any]) -> None:
    admin.execute(lgckpt.postgres_ddl(SCHEMA))
    with lgckpt.PostgresSaver(postgres_url(), schema=SCHEMA) as saver:
        saver.setup()
        use(saver)


def test_a_role_with_no_right_to_create_can_use_what_is_there(
    admin: psycopg.Connection[Any],
) -> None:
    admin.execute(lgckpt.postgres_ddl(SCHEMA))
    names = {"schema": sql.Identifier(SCHEMA), "role": sql.Identifier(ROLE)}
    for statement in (
        "CREATE ROLE {role} LOGIN PASSWORD 'p'",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
    ):
        admin.execute(sql.SQL(statement).format(**names))
    url = postgres_url().replace("//tests:of%20the%20tests@", f"//{ROLE}:p@")
    try:
        with lgckpt.PostgresSaver(url, schema=SCHEMA) as saver:
            saver.setup()
            use(saver)
        with (
            lgckpt.PostgresSaver(url, schema="another one of no one's") as saver,
            pytest.raises(StorageError, match="permission denied"),
        ):
            saver.setup()
    finally:
        admin.execute(sql.SQL("DROP OWNED BY {role}").format(**names))


def test_a_newer_schema_is_refused_by_its_version(
    place: Place, connection: psycopg.Connection[Any]
) -> None:
    with place.saver() as saver:
        saver.setup()
    connection.execute("UPDATE lgckpt_meta SET value = 9 WHERE key = 'schema'")
    try:
        with place.saver() as saver:
            use(saver)
        connection.execute("UPDATE lgckpt_meta SET value = 9 WHERE key = 'min_reader'")
        with place.saver() as saver, pytest.raises(UnsupportedFormatError, match="version 9"):
            saver.setup()
    finally:
        connection.execute("UPDATE lgckpt_meta SET value = 1")


def test_any_schema_name_is_an_identifier_and_nothing_more(
    admin: psycopg.Connection[Any],
) -> None:
    for name in ("", "a\0b", "x" * 64, "é" * 32, "a$lgckpt$b"):
        with pytest.raises(ConfigurationError, match="schema"):
            lgckpt.PostgresSaver(postgres_url(), schema=name)
        with pytest.raises(ConfigurationError, match="schema"):
            lgckpt.postgres_ddl(name)
    for name in ('"; DROP SCHEMA public; --', "{schema}", "$1 %s", "SELECT", "ünï"):
        with lgckpt.PostgresSaver(postgres_url(), schema=name) as saver:
            use(saver)
        with admin.transaction():
            assert admin.execute(
                "SELECT count(*) FROM pg_namespace WHERE nspname = %s", (name,)
            ).fetchone() == (1,)
            admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def test_another_isolation_level_is_refused_rather_than_unsafe(place: Place) -> None:
    settings = {"default_transaction_isolation": "repeatable read"}
    with (
        place.saver(server_settings=settings) as saver,
        pytest.raises(StorageError, match="repeatable read"),
    ):
        use(saver)
    with place.saver(server_settings=settings) as saver:
        saver.setup()
        assert saver.get_tuple(config("t")) is None
