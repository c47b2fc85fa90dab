"""Releases side by side on one file: newer schemas, other compression, with and without Rust."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.errors import UnsupportedFormatError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.checker import check_file
from tests.survive.harness import finish, run, scaled, started
from tests.survive.states import WRITERS, Conversation, assert_whole

UPGRADE = (
    "UPDATE lgckpt_meta SET value = 3 WHERE key = 'schema'",
    "INSERT INTO lgckpt_meta (key, value) VALUES ('features', 7)",
    "ALTER TABLE lgckpt_threads ADD COLUMN owner TEXT",
    "ALTER TABLE lgckpt_checkpoints ADD COLUMN step INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE lgckpt_checkpoints ADD COLUMN note TEXT",
    "ALTER TABLE lgckpt_writes ADD COLUMN step INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE lgckpt_chunks ADD COLUMN uses INTEGER NOT NULL DEFAULT 1",
    "CREATE TABLE lgckpt_tags (tid INTEGER, tag TEXT)",
    "CREATE INDEX lgckpt_writes_by_channel ON lgckpt_writes (channel)",
)
"""What a later release that only adds would do to the file."""

CALLS: list[Callable[[Saver], Any]] = [
    lambda saver: saver.setup(),
    lambda saver: saver.get_tuple(config("large-1")),
    lambda saver: list(saver.list(None)),
    lambda saver: Conversation("large-1").put(saver),
    lambda saver: saver.delete_thread("large-1"),
]


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def write(saver: Saver, conversation: Conversation, steps: int = 3) -> None:
    for _ in range(steps):
        conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))


def assert_all_whole(saver: Saver, name: str, steps: int) -> None:
    found = list(saver.list(config(name)))
    assert [one.metadata["step"] for one in found] == list(reversed(range(steps)))
    for one in found:
        assert_whole(one)
        assert {task for task, _, _ in one.pending_writes} == set(WRITERS)


@pytest.mark.parametrize("call", CALLS)
def test_a_schema_that_needs_a_newer_reader_is_refused_by_name(
    tmp_path: Path, call: Callable[[Saver], Any]
) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        write(saver, Conversation("large-1"))
    execute(
        path,
        "UPDATE lgckpt_meta SET value = 4 WHERE key = 'schema'",
        "UPDATE lgckpt_meta SET value = 3 WHERE key = 'min_reader'",
    )
    before = path.read_bytes()
    with lgckpt.SqliteSaver(path) as saver:
        for _ in range(2):
            with pytest.raises(UnsupportedFormatError, match=r"version 4.*reads version 3"):
                call(saver)
    assert path.read_bytes() == before
    execute(path, "UPDATE lgckpt_meta SET value = 1")
    with lgckpt.SqliteSaver(path) as saver:
        assert_all_whole(saver, "large-1", 3)


def test_this_release_works_beside_a_newer_one_that_only_adds(tmp_path: Path) -> None:
    """Upgraded under a saver that is open, and found so by one that opens later."""
    path = tmp_path / "agents.db"
    conversation = Conversation("large-1")
    with lgckpt.SqliteSaver(path) as before:
        write(before, conversation)
        execute(path, *UPGRADE)
        write(before, conversation)
        with lgckpt.SqliteSaver(path) as after:
            write(after, conversation)
            write(before, conversation)
            for saver in (before, after):
                assert_all_whole(saver, "large-1", 12)
                saver.copy_thread("large-1", "copy")
                assert len(list(saver.list(config("copy")))) == 12
                saver.prune(["copy"])
                assert len(list(saver.list(config("copy")))) == 1
                saver.delete_thread("copy")
    check_file(path, exact=True)
    with closing(sqlite3.connect(path)) as connection:
        meta = dict(connection.execute("SELECT key, value FROM lgckpt_meta"))
    assert meta == {"schema": 3, "min_reader": 1, "features": 7}


def test_a_release_that_meets_an_unknown_meta_key_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    execute(
        path,
        "CREATE TABLE lgckpt_meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO lgckpt_meta VALUES ('features', 7)",
    )
    with lgckpt.SqliteSaver(path) as saver:
        write(saver, Conversation("large-1"))
        assert_all_whole(saver, "large-1", 3)
    with closing(sqlite3.connect(path)) as connection:
        meta = dict(connection.execute("SELECT key, value FROM lgckpt_meta"))
    assert meta == {"schema": 2, "min_reader": 1, "features": 7}


@pytest.mark.slow
def test_processes_with_other_settings_share_one_file(tmp_path: Path) -> None:
    """zstd, lz4, none, and the pure Python core: each goes on with what the others wrote."""
    path = tmp_path / "agents.db"
    turns = scaled(30)
    with (
        started("neighbour", path, "zstd", turns) as zstd,
        started("neighbour", path, "lz4", turns) as lz4,
        started("neighbour", path, "none", turns) as plain,
        started("neighbour", path, "zstd", turns, env={"LGCKPT_PURE": "1"}) as pure,
    ):
        for process in (zstd, lz4, plain, pure):
            assert json.loads(finish(process)) == turns
    with lgckpt.SqliteSaver(path) as saver:
        found = list(saver.list(None))
        assert len(found) == 4 * turns
        for one in found:
            assert_whole(one)
    check_file(path)
    run("neighbour", path, "lz4", 1, env={"LGCKPT_PURE": "1"})
