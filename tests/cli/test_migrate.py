"""`lgckpt migrate`, as a process of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

import lgckpt as library
from tests.backends import damage_sqlite
from tests.checkpoints import config
from tests.cli.command import Ended, lgckpt, started
from tests.contract.hospital import cut
from tests.contract.stored import Stored, stored
from tests.migrate.sides import fill
from tests.services.ports import free_port
from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import database_of
from tests.services.valkey import drop_prefix, shared_url


class Databases:
    """A filled SQLite file, and one that is not there yet."""

    def __init__(self, directory: Path) -> None:
        self.source, self.target = directory / "source.db", directory / "target.db"
        self.urls = f"sqlite:///{self.source}", f"sqlite:///{self.target}"
        self.fill("a", "b", "c")

    def fill(self, *names: str) -> None:
        with library.SqliteSaver(self.source) as saver:
            for name in names:
                asyncio.run(fill(saver, name, 3))

    def migrate(self, *options: str) -> Ended:
        return lgckpt("migrate", *self.urls, *options)

    def assert_same(self) -> None:
        ours, theirs = content(self.source), content(self.target)
        assert sorted(ours.checkpoints) == sorted(theirs.checkpoints)
        assert sorted(ours.writes) == sorted(theirs.writes)
        assert ours.chunks == theirs.chunks


def content(path: Path) -> Stored:
    with library.SqliteSaver(path) as saver:
        return stored(saver)


@pytest.fixture
def databases(tmp_path: Path) -> Databases:
    return Databases(tmp_path)


def test_it_moves_and_compares(databases: Databases) -> None:
    ended = databases.migrate("--verify")
    assert ended.code == 0
    assert "moved: 3 threads, 9 checkpoints, 27 writes" in ended.stdout
    assert "all equal" in ended.stdout
    assert not ended.stderr
    databases.assert_same()
    again = databases.migrate()
    assert again.code == 0
    assert "nothing moved: 3 threads" in again.stdout


def test_json_is_one_document_and_nothing_else(databases: Databases) -> None:
    ended = databases.migrate("--json", "--verify", "--workers", "2")
    assert (ended.code, ended.stderr) == (0, "")
    found = ended.json
    assert (found["checkpoints"], found["writes"], found["threads"]) == (9, 27, 3)
    assert found["verification"]["different"] == 0
    assert found["ok"] is True
    assert found["bytes"] > 1000
    assert {"seconds", "rate", "skipped", "damage", "passes"} <= found.keys()
    assert databases.migrate("--json").json["checkpoints"] == 0


def test_a_dry_run_writes_nothing_not_even_a_file(databases: Databases) -> None:
    ended = databases.migrate("--dry-run", "--json")
    assert ended.code == 0
    would = ended.json
    assert would["dry_run"] is True
    assert not databases.target.exists()
    assert "would move: 3 threads, 9 checkpoints" in databases.migrate("--dry-run").stdout
    done = databases.migrate("--json").json
    for name in ("threads_moved", "checkpoints", "writes", "bytes"):
        assert would[name] == done[name] > 0
    assert "nothing would move" in databases.migrate("--dry-run").stdout


def test_a_dry_run_makes_no_tables_in_postgres(databases: Databases) -> None:
    import psycopg  # noqa: PLC0415

    with database_of(postgres_url()) as url:
        ended = lgckpt("migrate", databases.urls[0], url, "--dry-run", "--json")
        assert (ended.code, ended.json["checkpoints"]) == (0, 9)
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT to_regclass('public.lgckpt_meta')").fetchone()
        assert found == (None,)


def test_urls_come_from_the_environment(databases: Databases) -> None:
    ended = lgckpt(
        "migrate", "--from-env", "OLD", "--from-env=NEW", "--json",
        environment={"OLD": databases.urls[0], "NEW": databases.urls[1]},
    )  # fmt: skip
    assert ended.code == 0
    assert ended.json["checkpoints"] == 9
    assert lgckpt("migrate", "--from-env", "OLD", databases.urls[1]).code == 2


def test_filters(databases: Databases) -> None:
    databases.fill("b2", "x,y")
    found = databases.migrate("--threads", "a,b", "--threads", "c", "--dry-run", "--json").json
    assert found["threads"] == 3
    found = databases.migrate("--thread-prefix", "b", "--dry-run", "--json").json
    assert found["threads"] == 2
    shards = [databases.migrate("--shard", f"{i}/2", "--dry-run", "--json").json for i in (1, 2)]
    assert sum(one["threads"] for one in shards) == 5
    found = databases.migrate("--latest-only", "--verify", "--json").json
    assert (found["checkpoints"], found["ok"]) == (5, True)
    found = databases.migrate("--since", "2999-01-01", "--json").json
    assert found["checkpoints"] == 0


def test_re_encoding(databases: Databases) -> None:
    assert databases.migrate("--re-encode", "none", "--verify").code == 0
    assert content(databases.target).payload > 1.5 * content(databases.source).payload


@pytest.mark.parametrize(
    "options",
    [
        ["--shard", "3/2"],
        ["--since", "yesterday"],
        ["--re-encode", "gzip"],
        ["--workers", "0"],
        ["--until-idle", "2"],
        ["--threads", ""],
        ["--threads", ",", "--threads", ""],
        ["--dry-run", "--verify"],
        ["--latest-only", "--since", "2026-01-01"],
        ["--unknown"],
        ["third"],
    ],
    ids=" ".join,
)
def test_wrong_usage(databases: Databases, options: list[str]) -> None:
    ended = databases.migrate(*options)
    assert ended.code == 2
    assert ended.stderr.startswith("lgckpt: ")
    assert ended.stderr.count("\n") == 1
    assert not ended.stdout
    assert not databases.target.exists()


@pytest.mark.parametrize("urls", [[], ["one"], ["one", "two"], ["same", "same"]], ids=len)
def test_wrong_urls(databases: Databases, urls: list[str]) -> None:
    named = [databases.urls[0] if url == "same" else url for url in urls]
    assert lgckpt("migrate", *named).code == 2


@pytest.mark.parametrize("end", [0, 1])
def test_memory_has_no_use_on_the_command_line(databases: Databases, end: int) -> None:
    urls = [databases.urls[0], databases.urls[0]]
    urls[end] = "memory://"
    ended = lgckpt("migrate", *urls)
    assert ended.code == 2
    assert "file:///" in ended.stderr


def test_a_source_that_is_not_there_is_not_made(databases: Databases, tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    ended = lgckpt("migrate", f"sqlite:///{missing}", databases.urls[1])
    assert ended.code == 1
    assert "missing.db" in ended.stderr
    assert not missing.exists()
    assert not databases.target.exists()
    with closing(sqlite3.connect(missing)) as connection:
        connection.execute("CREATE TABLE other (x)")
    assert lgckpt("migrate", f"sqlite:///{missing}", databases.urls[1]).code == 1
    with closing(sqlite3.connect(missing)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (1,)


TOLD_WITHIN = 15.0
"""Seconds, with the start of Python on a busy machine: half of what a lost server is tried for."""


@pytest.mark.parametrize(
    "scheme", ["postgresql", "redis", "langgraph+postgresql", "langgraph+redis"]
)
@pytest.mark.parametrize("end", [0, 1])
def test_an_unreachable_database_is_one_line_without_a_password(
    databases: Databases, scheme: str, end: int
) -> None:
    urls = [databases.urls[0], databases.urls[0]]
    path = "0" if scheme.endswith("redis") else "agents"
    urls[end] = f"{scheme}://me:geheim@127.0.0.1:{free_port()}/{path}"
    began = time.monotonic()
    ended = lgckpt("migrate", *urls)
    assert time.monotonic() - began < TOLD_WITHIN
    # LangGraph's Redis layout is no target, wherever it is.
    assert ended.code == (2 if (scheme, end) == ("langgraph+redis", 1) else 1)
    assert "127.0.0.1" in ended.stderr
    assert "geheim" not in ended.stdout + ended.stderr
    assert ended.stderr.count("\n") == 1


def test_damage_stops_it_or_is_skipped(databases: Databases) -> None:
    with library.SqliteSaver(databases.source) as saver:
        at = next(saver.list(config("b"))).config["configurable"]["checkpoint_id"]
        (good,) = [r.state for r in stored(saver).checkpoints if r.checkpoint_id == at]
        damage_sqlite(saver, "checkpoints", "state", lambda v: cut(v) if v == good else v)
    ended = databases.migrate()
    assert ended.code == 1
    for part in ("'b'", at):
        assert part in ended.stderr
    ended = databases.migrate("--skip-corrupt")
    assert ended.code == 1
    assert at in ended.stdout
    ended = databases.migrate("--skip-corrupt", "--json")
    assert ended.code == 1
    assert (ended.json["skipped"], ended.json["checkpoints"]) == (1, 0)
    assert ended.json["damage"][0]["checkpoint_id"] == at
    assert len(content(databases.target).checkpoints) == 8


def test_differences_are_named(databases: Databases) -> None:
    databases.migrate()
    with library.SqliteSaver(databases.target) as saver:
        saver.delete_thread("c")
    ended = databases.migrate("--verify-only")
    assert ended.code == 1
    assert "3 differences" in ended.stdout
    assert ended.stdout.count("missing: checkpoint (thread 'c'") == 3
    ended = databases.migrate("--verify-only", "--json")
    assert (ended.code, ended.json["verification"]["different"]) == (1, 3)
    assert content(databases.target).chunks.keys() == {"a", "b"}
    assert databases.migrate("--verify").code == 0


def test_follow_carries_on_until_interrupted(databases: Databases) -> None:
    process = started(["migrate", *databases.urls, "--follow", "--interval", "0.05", "--json"])
    try:
        _wait_for(databases.target, 9)
        databases.fill("later")
        _wait_for(databases.target, 12)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    found = json.loads(stdout)
    assert found["checkpoints"] == 12
    assert found["passes"] > 1
    assert "ending with one more pass" in stderr
    databases.assert_same()


def test_follow_ends_when_idle(databases: Databases) -> None:
    ended = databases.migrate("--follow", "--interval", "0", "--until-idle", "2", "--json")
    assert ended.code == 0
    assert ended.json["passes"] == 3


def test_without_a_terminal_progress_is_plain_lines(databases: Databases) -> None:
    process = started(
        ["migrate", *databases.urls, "--follow", "--interval", "0.05"],
        {"LGCKPT_PROGRESS_SECONDS": "0.2"},
    )
    lines: list[str] = []
    limit = threading.Timer(60, process.kill)
    limit.start()
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "checkpoints, 3 threads" in line:
                lines.append(line)
            if len(lines) == 2:
                break
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=30)
    finally:
        limit.cancel()
        process.kill()
    assert process.returncode == 0
    assert len(lines) == 2
    assert all("\x1b" not in line and "\r" not in line for line in lines)
    assert "moved: 3 threads" in stdout


def test_from_sqlite_to_servers_and_back(databases: Databases) -> None:
    prefix = "test-cli-migrate"
    cache = f"{shared_url()}?lgckpt_prefix={prefix}"
    try:
        with database_of(postgres_url()) as url:
            for source, target in (
                (databases.urls[0], url),
                (url, cache),
                (cache, databases.urls[1]),
            ):
                ended = lgckpt("migrate", source, target, "--verify")
                assert (ended.code, ended.stderr) == (0, "")
        databases.assert_same()
    finally:
        drop_prefix(shared_url(), prefix)


def test_a_thread_that_is_not_there_is_a_problem(databases: Databases) -> None:
    ended = databases.migrate("--threads", "a,nosuch")
    assert ended.code == 1
    assert "moved: 1 thread" in ended.stdout
    assert "not on the source: 'nosuch'" in ended.stdout
    ended = databases.migrate("--threads", "nosuch", "--json")
    assert (ended.code, ended.json["missing"], ended.json["ok"]) == (1, ["nosuch"], False)
    assert "none of the threads is there" in databases.migrate("--threads", "nosuch").stdout


def test_a_source_without_tables_leaves_no_target(databases: Databases) -> None:
    empty = databases.source.with_name("empty.db")
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute("CREATE TABLE other (id)")
    ended = lgckpt("migrate", f"langgraph+sqlite:///{empty}", databases.urls[1])
    assert ended.code == 1
    assert "has no table 'checkpoints'" in ended.stderr
    assert not databases.target.exists()


def test_help_has_examples() -> None:
    ended = lgckpt("migrate", "--help")
    assert ended.code == 0
    for part in ("--follow", "--shard", "Examples", "lgckpt migrate sqlite:///agents.db"):
        assert part in ended.stdout


def _wait_for(path: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if path.exists():
            with closing(sqlite3.connect(path)) as connection:
                found = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                if found != (0,):
                    query = "SELECT count(*) FROM lgckpt_checkpoints"
                    if connection.execute(query).fetchone()[0] >= count:
                        return
    raise AssertionError(f"no {count} checkpoints within the time")
