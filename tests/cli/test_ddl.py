"""`lgckpt ddl`: the statements, without a connection."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

import lgckpt as package
from lgckpt import postgres_ddl, sqlite_ddl
from tests.cli.command import lgckpt
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import database_of


def test_the_statements_of_sqlite_make_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    ended = lgckpt("ddl", f"sqlite:///{path}")
    assert (ended.code, ended.stdout.strip()) == (0, sqlite_ddl().strip())
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(ended.stdout)
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert {"lgckpt_meta", "lgckpt_checkpoints", "lgckpt_writes", "lgckpt_chunks"} <= names


def test_the_statements_of_postgres_name_the_schema_of_the_url() -> None:
    with database_of(postgres_url()) as url:
        ended = lgckpt("ddl", f"{url}?lgckpt_schema=my%20memory")
        assert ended.stdout.strip() == postgres_ddl("my memory").strip()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(ended.stdout)
        looked = lgckpt("doctor", f"{url}?lgckpt_schema=my%20memory", "--json")
        assert looked.json["threads"] == 0
        with package.from_url(f"{url}?lgckpt_schema=my%20memory") as saver:
            assert list(saver.list(None)) == []
    assert lgckpt("ddl", "postgresql://h/x").stdout.strip() == postgres_ddl().strip()


@pytest.mark.parametrize("url", ["redis://u:pass-word@h/0", "rediss+cluster://h", "memory://"])
def test_where_there_is_none_it_says_so(url: str) -> None:
    ended = lgckpt("ddl", url)
    assert (ended.code, ended.stdout) == (0, "")
    assert "there is no schema" in ended.stderr
    assert "pass-word" not in ended.stderr
    assert lgckpt("ddl", url, "--json").json == {"ddl": None}


@pytest.mark.parametrize("url", ["mysql://h/x", "langgraph+sqlite:///x", "x"])
def test_what_is_no_database_of_ours_is_wrong_usage(url: str) -> None:
    assert lgckpt("ddl", url).code == 2
