"""Killed at any moment, and run again: all is there, and nothing twice."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import lgckpt as library
from tests.cli.command import lgckpt, started
from tests.contract.stored import assert_nothing_missing, stored
from tests.migrate.places import postgres, redis
from tests.migrate.sides import fill, read

THREADS, CHECKPOINTS = 60, 12
KILLS = 4


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("killed") / "source.db"
    with library.SqliteSaver(path, synchronous="NORMAL") as saver:
        for n in range(THREADS):
            asyncio.run(fill(saver, f"thread {n}", CHECKPOINTS))
    return path


def count(path: Path) -> int:
    """Checkpoints on a target that may not be there yet."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as c:
        found: int = c.execute("SELECT count(*) FROM lgckpt_checkpoints").fetchone()[0]
        return found
    return 0


def kill_at(args: list[str], moment: float) -> bool:
    """Start it, and kill it so many seconds after its first batch; whether it was killed."""
    process = started(args)
    time.sleep(moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def assert_whole(source: Path, target: Any) -> None:
    with library.SqliteSaver(source) as ours:
        here, there = stored(ours), stored(target)
        assert sorted(here.checkpoints, key=repr) == sorted(there.checkpoints, key=repr)
        assert sorted(here.writes, key=repr) == sorted(there.writes, key=repr)
        assert {k: set(v) for k, v in here.chunks.items()} == {
            k: set(v) for k, v in there.chunks.items()
        }
        assert_nothing_missing(target)
        assert read(ours, "thread 7") == read(target, "thread 7")


def test_into_sqlite(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    args = ["migrate", f"sqlite:///{source}", f"sqlite:///{target}", "--workers", "3"]
    sizes = [0]
    chance = random.Random(5)
    for _ in range(KILLS):
        process = started(args)
        deadline = time.monotonic() + 20
        # Some way into it: when more is there than the last one left, and then a moment.
        while count(target) <= sizes[-1] and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        sizes.append(count(target))
        with library.SqliteSaver(target) as saver:
            assert_nothing_missing(saver)
    assert 0 < sizes[1] < THREADS * CHECKPOINTS
    assert sizes == sorted(sizes)
    ended = lgckpt(*args, "--verify", "--json")
    assert (ended.code, ended.json["ok"]) == (0, True)
    assert ended.json["checkpoints"] <= THREADS * CHECKPOINTS - sizes[-1]
    with library.SqliteSaver(target) as saver:
        assert_whole(source, saver)
    assert lgckpt(*args, "--json").json["checkpoints"] == 0


@pytest.mark.parametrize("place", [postgres, redis], ids=lambda p: p.__name__)
def test_into_a_server(source: Path, place: Any) -> None:
    with place() as there:
        args = ["migrate", f"sqlite:///{source}", there.where]
        killed = [kill_at(args, moment) for moment in (0.75, 0.85, 0.95)]
        assert any(killed)
        ended = lgckpt(*args, "--verify", "--json")
        assert (ended.code, ended.json["ok"]) == (0, True)
        with there.saver() as saver:
            assert_whole(source, saver)
        assert lgckpt(*args, "--json").json["checkpoints"] == 0
