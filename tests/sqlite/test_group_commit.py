"""Threads that store at once share transactions, and each has what it would have alone."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.backends.sqlite_shared import MOST, Shared
from tests.checkpoints import checkpoint, config

LOOP = {"source": "loop", "step": 0, "parents": {}}
THREADS = 12


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """What each gave, or its error."""
    found: list[Any] = [None] * len(jobs)

    def work(n: int) -> None:
        try:
            found[n] = jobs[n]()
        except BaseException as exc:
            found[n] = exc

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return found


@pytest.fixture
def saver(tmp_path: Path) -> Any:
    with lgckpt.SqliteSaver(tmp_path / "agents.db") as opened:
        opened.setup()
        yield opened


@pytest.fixture
def commits(saver: lgckpt.SqliteSaver) -> list[str]:
    """Every COMMIT of the saver's writing connection."""
    found: list[str] = []
    with saver._handle.storage._connections.write() as connection:
        connection.set_trace_callback(lambda text: found.append(text) if text == "COMMIT" else None)
    found.clear()
    return found


def together(saver: lgckpt.SqliteSaver, jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run them so that all wait while something is being stored."""
    shared = saver._handle.storage._connections._shared
    held, waiting = threading.Event(), threading.Event()

    def hold(connection: sqlite3.Connection) -> None:
        held.set()
        assert waiting.wait(30)

    def watch() -> None:
        while len(shared._waiting) < len(jobs) + 1:
            threading.Event().wait(0.002)
        waiting.set()

    def store() -> Any:
        return saver._handle.storage._connections.share(hold)

    first = threading.Thread(target=store)
    first.start()
    assert held.wait(30)
    watcher = threading.Thread(target=watch)
    watcher.start()
    found = at_once(jobs)
    for thread in (first, watcher):
        thread.join(30)
        assert not thread.is_alive()
    return found


def put(saver: lgckpt.SqliteSaver, n: int, value: Any = None) -> Callable[[], Any]:
    made = checkpoint({"n": n if value is None else value}, {"n": "1"})
    return lambda: saver.put(config(f"t{n}"), made, LOOP, {"n": "1"})


def write(saver: lgckpt.SqliteSaver, n: int) -> Callable[[], Any]:
    at = config("writes", "0" * 36)
    return lambda: saver.put_writes(at, [("n", n), ("large", "x" * 9000)], f"task {n}")


def test_puts_and_writes_that_wait_are_one_commit(
    saver: lgckpt.SqliteSaver, commits: list[str]
) -> None:
    for n in range(THREADS):
        put(saver, n, "the thread is there")()
    saver.put_writes(config("writes", "1"), [("n", 0)], "so is this")
    commits.clear()
    jobs = [put(saver, n) for n in range(THREADS)] + [write(saver, n) for n in range(THREADS)]
    found = together(saver, jobs)
    assert not [one for one in found if isinstance(one, BaseException)]
    assert len(commits) == 2
    for n in range(THREADS):
        assert saver.get_tuple(config(f"t{n}")).checkpoint["channel_values"] == {"n": n}
    saver.put(config("writes"), checkpoint({}, {}, id="0" * 36), LOOP, {})
    pending = saver.get_tuple(config("writes")).pending_writes
    assert sorted(one[0] for one in pending if one[1] == "n") == sorted(
        f"task {n}" for n in range(THREADS)
    )


def test_what_fails_by_itself_fails_alone(saver: lgckpt.SqliteSaver) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO lgckpt_gone VALUES (77)")
        raise KeyError("mine")

    share = saver._handle.storage._connections.share
    found = together(saver, [put(saver, 1), lambda: share(fail), put(saver, 2)])
    assert isinstance(found[1], KeyError)
    assert [saver.get_tuple(config(f"t{n}")) is not None for n in (1, 2)] == [True, True]
    with saver._handle.storage._connections.read() as connection:
        assert connection.execute("SELECT count(*) FROM lgckpt_gone").fetchone() == (0,)


def test_what_sqlite_refuses_fails_alone(saver: lgckpt.SqliteSaver) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO lgckpt_gone VALUES (78)")
        connection.execute("INSERT INTO lgckpt_gone VALUES (78)")

    share = saver._handle.storage._connections.share
    found = together(saver, [put(saver, 1), lambda: share(refused), put(saver, 2)])
    assert isinstance(found[1], lgckpt.StorageError)
    assert "UNIQUE" in str(found[1])
    assert [saver.get_tuple(config(f"t{n}")) is not None for n in (1, 2)] == [True, True]
    with saver._handle.storage._connections.read() as connection:
        assert connection.execute("SELECT count(*) FROM lgckpt_gone").fetchone() == (0,)


def test_a_full_disk_is_told_to_each_whose_put_does_not_fit(saver: lgckpt.SqliteSaver) -> None:
    with saver._handle.storage._connections.read() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    writer = saver._handle.storage._connections._writer
    assert writer is not None
    writer.execute(f"PRAGMA max_page_count = {pages + 8}")
    rng = random.Random(5)
    large = [rng.randbytes(6000) for _ in range(THREADS)]
    jobs = [put(saver, 0), *(put(saver, n, large[n]) for n in range(1, THREADS))]
    found = together(saver, jobs)
    stored = [n for n in range(THREADS) if saver.get_tuple(config(f"t{n}")) is not None]
    assert stored == [n for n in range(THREADS) if isinstance(found[n], dict)]
    assert stored
    failed = [one for one in found if not isinstance(one, dict)]
    assert failed
    assert all(isinstance(one, lgckpt.StorageError) and "full" in str(one) for one in failed)


def test_more_than_one_transaction_takes_are_several() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE t (n)")
    sizes: list[int] = []

    class Transaction:
        def __enter__(self) -> sqlite3.Connection:
            connection.execute("BEGIN")
            self.before = connection.total_changes
            return connection

        def __exit__(self, *raised: object) -> None:
            connection.execute("ROLLBACK" if raised[0] else "COMMIT")
            sizes.append(connection.total_changes - self.before)

    shared = Shared(threading.RLock(), Transaction)
    with shared._lock:
        threads = [
            threading.Thread(
                target=shared.run,
                args=(lambda c, n=n: c.execute("INSERT INTO t VALUES (?)", (n,)) and None,),
            )
            for n in range(MOST + 10)
        ]
        for thread in threads:
            thread.start()
        while len(shared._waiting) < MOST + 10:
            threading.Event().wait(0.002)
    for thread in threads:
        thread.join(30)
    assert sizes == [MOST, 10]
    assert not shared._waiting
    found = {n for (n,) in connection.execute("SELECT n FROM t")}
    assert found == set(range(MOST + 10))
    connection.close()


def test_a_thread_that_is_interrupted_leaves_the_others_theirs(saver: lgckpt.SqliteSaver) -> None:
    share, interrupted = saver._handle.storage._connections.share, threading.Event()

    def interrupt(connection: sqlite3.Connection) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    found = together(saver, [lambda: share(interrupt), *(put(saver, n) for n in range(1, THREADS))])
    assert [type(one) for one in found].count(KeyboardInterrupt) <= 1
    for n in range(1, THREADS):
        stored = saver.get_tuple(config(f"t{n}")) is not None
        assert stored is isinstance(found[n], dict)
    assert sum(isinstance(one, dict) for one in found[1:]) >= THREADS - 2
