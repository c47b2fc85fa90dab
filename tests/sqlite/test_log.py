"""The write-ahead log is made longer ahead of time, and nothing else changes by it."""

from __future__ import annotations

import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.backends import sqlite_log
from lgckpt.backends.sqlite_log import STEPS, Log
from tests.checkpoints import Thread
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

FIRST, SECOND = (length for _, length in STEPS)


def lengths(path: Path) -> tuple[int, int]:
    """Of the file and of its log, in bytes."""
    return path.stat().st_size, Path(f"{path}-wal").stat().st_size


async def put(saver: lgckpt.SqliteSaver, times: int, thread: Thread | None = None) -> Thread:
    thread = thread or Thread(Coloured(saver, "sync"))
    for n in range(times):
        await thread.put({"n": n})
    return thread


async def test_it_is_as_long_as_the_steps_say(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        thread = await put(saver, STEPS[0][0] - 2)
        file, log = lengths(path)
        assert log < FIRST / 2
        await put(saver, 4, thread)
        assert lengths(path)[1] >= FIRST * 0.95
        await put(saver, STEPS[1][0] - STEPS[0][0], thread)
        longer, log = lengths(path)
        assert log >= SECOND * 0.95
        assert longer <= file + 400_000
        assert await thread.state() == thread.values
        assert len([*saver.list(None)]) == STEPS[1][0] + 2
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert ("lgckpt_filler",) not in tables


async def test_a_copy_made_without_closing_has_all(tmp_path: Path) -> None:
    """As a crash leaves it: the log's unused part is no part of the database."""
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        thread = await put(saver, STEPS[0][0] + 3)
        for name in ("agents.db", "agents.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / f"copy-{name}")
    with lgckpt.SqliteSaver(tmp_path / "copy-agents.db") as saver:
        copied = Thread(Coloured(saver, "sync"))
        assert await copied.state() == thread.values
        assert len([*saver.list(None)]) == STEPS[0][0] + 3


@pytest.mark.parametrize("how", ["NORMAL", "memory", "given"])
async def test_it_is_left_alone_where_no_commit_of_ours_waits_for_it(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengthened: list[Any] = []
    monkeypatch.setattr(sqlite_log, "_lengthen", lambda *args: lengthened.append(args))
    path = tmp_path / "agents.db"
    given = sqlite3.connect(path, check_same_thread=False)
    where: Any = {"memory": ":memory:", "given": given}.get(how, path)
    with lgckpt.SqliteSaver(where, synchronous="NORMAL" if how == "NORMAL" else "FULL") as saver:
        await put(saver, STEPS[0][0] + 3)
    given.close()
    assert lengthened == []


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    opened = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    opened.execute("PRAGMA journal_mode = WAL")
    opened.execute("CREATE TABLE t (n)")
    yield opened
    opened.close()


def commits(log: Log, connection: sqlite3.Connection, count: int) -> None:
    for n in range(count):
        connection.execute("INSERT INTO t VALUES (?)", (n,))
        log.committed(connection)


def test_a_connection_is_afterwards_as_it_was(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA cache_size = -1234")
    commits(Log(), connection, STEPS[0][0])
    assert connection.execute("PRAGMA cache_size").fetchone() == (-1234,)
    assert not connection.in_transaction


def test_a_log_that_is_long_already_is_left_alone(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    commits(Log(), connection, STEPS[0][0])
    before = lengths(tmp_path / "a.db")
    commits(Log(), connection, STEPS[0][0])
    assert lengths(tmp_path / "a.db") == before


def test_a_full_disk_is_for_the_next_put_to_tell(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    commits(Log(), connection, STEPS[0][0] + 1)
    assert not connection.in_transaction
    assert lengths(tmp_path / "a.db")[1] < FIRST / 2
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (STEPS[0][0] + 1,)


def test_another_process_that_writes_is_not_waited_for(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    connection.execute("PRAGMA busy_timeout = 60000")
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log = Log()
    began = time.monotonic()
    for _ in range(STEPS[0][0]):
        log.committed(connection)
    assert time.monotonic() - began < 10
    assert connection.execute("PRAGMA busy_timeout").fetchone() == (60_000,)
    assert not connection.in_transaction
    other.execute("ROLLBACK")
    other.close()
    commits(log, connection, 1)
