"""Sweeps of a SQLite file: small steps, others between them, and any number of processes."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.backends import sqlite_expiry
from lgckpt.backends.sqlite_threads import LIFE, Life
from lgckpt.errors import StorageError
from lgckpt.rows import ScanQuery
from lgckpt.saver import Saver
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.survive.checker import check_file
from tests.survive.harness import finish, scaled, started

TABLES = ("threads", "checkpoints", "writes", "chunks", "gone")
HUGE = 4_000
"""Chunks of a thread that a sweep takes many steps for."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents.db"


def put(saver: Saver, thread_id: str) -> None:
    saver.put(config(thread_id), checkpoint({"n": 1}), {}, {"n": 1})


def expire(path: Path, *threads: str) -> None:
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        for name in threads:
            done = connection.execute(
                "UPDATE lgckpt_threads SET expires_at = 1 WHERE thread_id = ?"
                " AND expires_at IS NOT NULL",
                (name,),
            )
            assert done.rowcount == 1


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM lgckpt_{table}").fetchone()[0]
            for table in TABLES
        }


def make_huge(saver: Saver, path: Path, thread_id: str) -> None:
    """Give a thread many chunks, as a long life would, and let it have expired."""
    put(saver, thread_id)
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        ((tid,),) = connection.execute(
            "SELECT tid FROM lgckpt_threads WHERE thread_id = ?", (thread_id,)
        )
        connection.executemany(
            "INSERT INTO lgckpt_chunks (tid, hash, frame) VALUES (?, ?, ?)",
            [(tid, n.to_bytes(20, "big"), bytes(2000)) for n in range(HUGE)],
        )
    expire(path, thread_id)


def spied(saver: Saver, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects how many rows each write transaction changes."""
    connections = saver._handle.storage._connections
    real, changed = connections.write, []

    @contextmanager
    def write() -> Any:
        with real() as connection:
            before = connection.total_changes
            yield connection
            changed.append(connection.total_changes - before)

    monkeypatch.setattr(connections, "write", write)
    return changed


def test_no_step_of_a_sweep_changes_many_rows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_expiry, "HELD", 0.0)
    with lgckpt.SqliteSaver(path, ttl=1000, synchronous="NORMAL") as saver:
        put(saver, "kept")
        make_huge(saver, path, "huge")
        for n in range(150):
            put(saver, f"t {n}")
        expire(path, *(f"t {n}" for n in range(150)))
        changed = spied(saver, monkeypatch)
        assert saver.sweep() == 151
    assert len(changed) > HUGE // sqlite_expiry.PIECE
    assert max(changed) <= 2 * sqlite_expiry.BATCH + sqlite_expiry.PIECE + 1
    assert rows(path) == {"threads": 1, "checkpoints": 1, "writes": 0, "chunks": 0, "gone": 0}
    check_file(path, exact=True)


def test_others_write_while_a_sweep_goes_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_expiry, "HELD", 0.002)
    with (
        lgckpt.SqliteSaver(path, ttl=1000, synchronous="NORMAL") as saver,
        lgckpt.SqliteSaver(path, synchronous="NORMAL") as other,
    ):
        for n in range(3):
            make_huge(saver, path, f"huge {n}")
        slowest: dict[Saver, float] = {}
        puts: dict[Saver, int] = {saver: 0, other: 0}
        swept: list[int] = []
        sweeping = threading.Thread(target=lambda: swept.append(saver.sweep()))
        sweeping.start()
        while sweeping.is_alive():
            for one in (saver, other):
                started_at = time.monotonic()
                put(one, "for ever")
                puts[one] += 1
                slowest[one] = max(slowest.get(one, 0.0), time.monotonic() - started_at)
        sweeping.join()
    assert swept == [3]
    assert min(puts.values()) > 20
    assert max(slowest.values()) < 5


def test_a_put_to_a_huge_thread_that_expired_changes_few_rows(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000, synchronous="NORMAL") as saver:
        make_huge(saver, path, "t")
        changed = spied(saver, monkeypatch)
        monkeypatch.setattr(saver._handle.storage._expiry, "_next_sweep", float("inf"))
        put(saver, "t")
        assert sum(changed) < 10
        assert rows(path)["chunks"] == HUGE
        assert len(list(saver.list(None))) == 1
        assert saver.sweep() == 0
    assert rows(path) == {"threads": 1, "checkpoints": 1, "writes": 0, "chunks": 0, "gone": 0}
    check_file(path, exact=True)


@pytest.mark.parametrize("how", ["put", "put_writes", "large"])
def test_puts_sweep_now_and_then(path: Path, how: str) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        expiry = saver._handle.storage._expiry
        put(saver, "old")
        expire(path, "old")
        put(saver, "new")
        assert rows(path)["threads"] == 2
        expiry._next_sweep = 0.0
        if how == "put":
            put(saver, "new")
        elif how == "large":
            asyncio.run(Thread(Coloured(saver, "async")).put({"large": ["x" * 50] * 2000}))
        else:
            saver.put_writes(config("new", "1"), [("n", 1)], "task")
        assert rows(path)["gone"] == 0
        assert saver.get_tuple(config("old")) is None
        assert saver.sweep() == 0


def test_heads_and_runs_of_what_has_expired_are_not_looked_at(path: Path) -> None:
    """The saver would find out by itself, one by one."""
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        for name in ("kept", "old"):
            saver.put(config(name), checkpoint({"n": 1}), {"run_id": "r"}, {"n": 1})
        expire(path, "old")
        storage = saver._handle.storage
        assert [head.key.thread_id for head in storage.scan(ScanQuery(limit=9))] == ["kept"]
        assert storage.threads_of_runs(["r"]) == ["kept"]


def test_puts_without_a_ttl_do_not_sweep(path: Path) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000) as saver, lgckpt.SqliteSaver(path) as other:
        put(saver, "old")
        expire(path, "old")
        put(other, "new")
        other.put_writes(config("new", "1"), [("n", 1)], "task")
        assert rows(path)["threads"] == 2
        assert other.sweep() == 1


def test_puts_clear_away_more_than_they_let_expire(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep that had more to do goes on soon, not after the usual while."""
    monkeypatch.setattr(sqlite_expiry, "HELD", 0.0)
    monkeypatch.setattr(sqlite_expiry, "SPARE", 0.1)
    with lgckpt.SqliteSaver(path, ttl=10_000, synchronous="NORMAL") as saver:
        make_huge(saver, path, "huge")
        saver._handle.storage._expiry._next_sweep = 0.0
        deadline = time.monotonic() + 60
        while rows(path)["chunks"] and time.monotonic() < deadline:
            put(saver, "new")
        assert rows(path)["chunks"] == 0


def test_a_put_is_done_though_the_sweep_after_it_fails(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        put(saver, "old")
        expiry = saver._handle.storage._expiry

        def fail() -> Any:
            raise StorageError("the disk is full")

        monkeypatch.setattr(expiry, "_sweep_some", fail)
        expiry._next_sweep = 0.0
        put(saver, "new")
        assert saver.get_tuple(config("new")) is not None
        with pytest.raises(StorageError, match="full"):
            saver.sweep()


def test_a_read_is_done_though_its_thread_cannot_live_longer(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        put(saver, "t")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE lgckpt_threads SET expires_at = expires_at - 500000")
        target = f"file:{path}?mode=ro"
        with (
            lgckpt.SqliteSaver(target, ttl=1000, refresh_on_read=True) as reader,
            caplog.at_level(logging.WARNING, "lgckpt"),
        ):
            assert reader.get_tuple(config("t")) is not None
            assert len(list(reader.list(None))) == 1
    assert "does not live longer" in caplog.text
    assert "readonly" in caplog.text


@pytest.mark.parametrize("now", ["NULL", "1"], ids=["for ever", "expired"])
def test_a_read_changes_no_life_that_another_process_changed_meanwhile(
    path: Path, now: str
) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000, refresh_on_read=True) as saver:
        put(saver, "t")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE lgckpt_threads SET expires_at = expires_at - 500000")
            life = Life(*connection.execute(LIFE, (1,)).fetchone())
            connection.execute(f"UPDATE lgckpt_threads SET expires_at = {now}")
        saver._handle.storage._expiry.refresh([life])
        assert (saver.get_tuple(config("t")) is None) is (now == "1")
        with closing(sqlite3.connect(path)) as connection:
            ((found,),) = connection.execute("SELECT expires_at FROM lgckpt_threads")
        assert found == (None if now == "NULL" else 1)


@pytest.mark.parametrize("cell", ["'text'", "x'00ff'", "1e300", "-1.5"])
def test_a_damaged_life_lets_nothing_escape(path: Path, cell: str) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000, refresh_on_read=True) as saver:
        put(saver, "t")
        put(saver, "other")
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(f"UPDATE lgckpt_threads SET expires_at = {cell} WHERE tid = 1")
        saver.get_tuple(config("t"))
        assert {one.config["configurable"]["thread_id"] for one in saver.list(None)} >= {"other"}
        put(saver, "t")
        assert saver.get_tuple(config("t")) is not None
        assert saver.get_tuple(config("other")) is not None
        saver.sweep()
    check_file(path)


def test_processes_use_threads_that_expire_under_them(path: Path, seed: int) -> None:
    ttl, seconds = 0.2, scaled(6)
    with ExitStack() as stack:
        users = [
            stack.enter_context(started("mortal", path, ttl, seconds, seed + n)) for n in range(3)
        ]
        seen = [json.loads(finish(user)) for user in users]
    assert sum(one.get("there", 0) for one in seen) > 0
    assert sum(one.get("absent", 0) for one in seen) > 8, "few threads expired"
    check_reachable(path)
    time.sleep(ttl)
    with lgckpt.SqliteSaver(path) as saver:
        assert list(saver.list(None)) == []
        saver.sweep()
    assert rows(path) == dict.fromkeys(TABLES, 0)


def check_reachable(path: Path) -> None:
    """Nothing dangles, in what has a name and in what is still to be cleared away by a sweep."""
    with lgckpt.SqliteSaver(path) as saver, closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE lgckpt_threads SET expires_at = NULL")
        connection.commit()
        saver.sweep()
        check_file(path)
        connection.execute("UPDATE lgckpt_threads SET expires_at = 1")
        connection.commit()
