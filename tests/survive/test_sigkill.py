"""SIGKILL at random moments: what was acknowledged is there, and everything is whole."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

import lgckpt
from tests.checkpoints import config
from tests.survive.checker import check_file
from tests.survive.harness import finish, scaled, started
from tests.survive.states import Conversation, assert_whole, batch

KILLS = 200
PER_FILE = 25
"""Rounds on one file, each going on from what the one before left."""


class Killings:
    """Rounds of writing and killing, and what was acknowledged in them."""

    def __init__(self, directory: Path, rng: random.Random, nursery: Popen[str]) -> None:
        self.directory = directory
        self.rng = rng
        self.nursery = nursery
        self.acknowledged: dict[Path, list[Any]] = {}
        self.inside = 0

    def round(self, number: int) -> None:
        path = self.directory / f"{number // PER_FILE}.db"
        fresh = number % PER_FILE == 0 or self.rng.random() < 0.2
        colour = self.rng.choice(["sync", "async"])
        threads = [f"{size}-{i}" for size in ("large", "small") for i in range(2)]
        order = {
            "path": str(path), "colour": colour, "threads": threads, "fresh": fresh,
            "delay": self.rng.uniform(0, 0.03), "limit": 30,
        }  # fmt: skip
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        acks = json.loads(self.nursery.stdout.readline())
        assert acks or fresh, "the writer did not come to its first put"
        assert not [a for a in acks if a[0] == "error"], acks[-1][1]
        self.acknowledged.setdefault(path, []).extend(acks)
        self.inside += not fresh
        if self.rng.random() < 0.5:
            self.verify(path, acks)

    def verify(self, path: Path, acks: list[Any]) -> None:
        """Everything acknowledged is there and whole; so is the latest, acknowledged or not."""
        if not path.exists():
            assert not acks
            return
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        with lgckpt.SqliteSaver(path) as saver:
            for kind, name, checkpoint_id, *task in acks:
                found = saver.get_tuple(config(name, checkpoint_id))
                assert found is not None, f"lost: {kind} {name} {checkpoint_id}"
                assert_whole(found)
                if task:
                    assert_written(found, task[0])
            for name in {ack[1] for ack in acks}:
                latest = saver.get_tuple(config(name))
                assert latest is not None
                assert_whole(latest)


def assert_written(found: Any, task: str) -> None:
    name, step = found.metadata["name"], found.metadata["step"]
    mine = [(channel, value) for by, channel, value in found.pending_writes if by == task]
    assert mine == batch(name, step, task), f"lost writes of {task} at {found.config}"


@pytest.mark.slow
def test_sigkill_at_random_moments_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    with started("nursery", limit=110) as nursery:
        killings = Killings(tmp_path, random.Random(seed), nursery)
        for number in range(scaled(KILLS)):
            killings.round(number)
        finish(nursery)
    puts = 0
    for path, acks in killings.acknowledged.items():
        if acks:
            killings.verify(path, acks)
            check_file(path)
        puts += len(acks)
    assert puts > killings.inside, f"{puts} calls acknowledged in {killings.inside} rounds"


@pytest.mark.slow
def test_what_one_process_acknowledged_another_reads_right_after(tmp_path: Path) -> None:
    """The reader has its connections open all along: no snapshot may be older than the ack."""
    path = tmp_path / "agents.db"
    seen = 0
    with (
        started("acknowledger", path, scaled(150)) as writer,
        lgckpt.SqliteSaver(path) as saver,
    ):
        assert writer.stdout is not None
        for line in writer.stdout:
            kind, name, checkpoint_id, *task = json.loads(line)
            found = saver.get_tuple(config(name))
            assert found is not None
            assert found.checkpoint["id"] >= checkpoint_id, f"{kind} of {name} is not visible"
            if found.checkpoint["id"] == checkpoint_id and task:
                assert_written(found, task[0])
            assert_whole(found)
            seen += 1
        assert writer.wait(30) == -9, "the writer kills itself right after its last put"
    assert seen == 3 * scaled(150)


def test_commits_are_as_durable_as_the_official_savers(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        Conversation("small").put(saver)
        with saver._handle.storage._write() as connection:
            ours = connection.execute("PRAGMA synchronous").fetchone()
            mode = connection.execute("PRAGMA journal_mode").fetchone()
    with closing(sqlite3.connect(tmp_path / "official.db")) as connection:
        official = connection.execute("PRAGMA synchronous").fetchone()
    assert ours == official == (2,), "2 is FULL: a commit is on disk before it is acknowledged"
    assert mode == ("wal",)
