"""Disks that are full, files that may not be written or are no database: clear errors, no crash."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.damaged import THREADS
from tests.survive.harness import run, scaled
from tests.survive.states import WRITERS, Conversation, assert_whole

AT = config("small-1")

CALLS: dict[str, Callable[[Saver], Any]] = {
    "setup": lambda saver: saver.setup(),
    "get_tuple": lambda saver: saver.get_tuple(AT),
    "list": lambda saver: list(saver.list(AT)),
    "put": lambda saver: Conversation("small-1").put(saver),
    "put_writes": lambda saver: saver.put_writes(config("small-1", "1"), [("a", 1)], "task"),
    "prune": lambda saver: saver.prune(["small-1"]),
    "copy_thread": lambda saver: saver.copy_thread("small-1", "small-2"),
    "delete_thread": lambda saver: saver.delete_thread("small-1"),
    "delete_for_runs": lambda saver: saver.delete_for_runs(["run"]),
    "aget_tuple": lambda saver: asyncio.run(saver.aget_tuple(AT)),
    "aput": lambda saver: asyncio.run(Conversation("small-1").aput(saver)),
}


def assert_all_refused(saver: Saver, path: Path) -> None:
    """Every call raises our error, with the file's name and SQLite's own error as the cause."""
    for name, call in CALLS.items():
        with pytest.raises(StorageError) as caught:
            call(saver)
        assert str(path) in str(caught.value), f"{name} does not name the file: {caught.value}"
        assert isinstance(caught.value.__cause__, sqlite3.Error), name


def assert_usable(saver: Saver) -> None:
    Conversation("small-1").put(saver)
    found = saver.get_tuple(AT)
    assert found is not None
    assert_whole(found)


def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        assert_all_refused(saver, path)
        path.parent.mkdir()
        assert_usable(saver)


def test_a_directory_in_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    path.mkdir()
    with lgckpt.SqliteSaver(path) as saver:
        assert_all_refused(saver, path)
        path.rmdir()
        assert_usable(saver)


@pytest.mark.parametrize(
    "content",
    [b"not a database\n" * 1000, b"SQLite format 3\0" + bytes(range(256)) * 64, b"\xff" * 5000],
    ids=["text", "header", "noise"],
)
def test_a_file_that_is_not_sqlite_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "agents.db"
    path.write_bytes(content)
    with lgckpt.SqliteSaver(path) as saver:
        assert_all_refused(saver, path)
        assert path.read_bytes() == content
        path.unlink()
        assert_usable(saver)


def test_a_file_truncated_in_the_middle(tmp_path: Path, seed: int) -> None:
    """SQLite itself refuses it whole; that is said, with the file's name, at every call."""
    outcomes = json.loads(run("damaged", "truncate", tmp_path, scaled(20), seed))
    assert outcomes.keys() == {"storage"}


@pytest.mark.slow
def test_a_file_truncated_in_its_last_page(tmp_path: Path, seed: int) -> None:
    """SQLite reads zeros there: what they spoil is said, all else is as it was acknowledged."""
    rounds = scaled(40)
    outcomes = json.loads(run("damaged", "last-page", tmp_path, rounds, seed))
    assert outcomes.keys() <= {"whole", "listed", "put", "pruned", "storage", "corrupt"}
    assert outcomes.get("storage", 0) + outcomes.get("corrupt", 0) > 0
    assert outcomes["listed"] > rounds * THREADS // 2, "most of the data is readable"


@pytest.mark.slow
def test_a_truncated_log_leaves_what_came_before(tmp_path: Path, seed: int) -> None:
    """The state of an earlier moment: some checkpoints are gone, and nothing is torn."""
    outcomes = json.loads(run("damaged", "wal", tmp_path, scaled(30), seed))
    assert outcomes.keys() <= {"whole", "earlier", "absent", "listed", "put", "pruned"}
    assert outcomes["whole"] + outcomes["earlier"] > outcomes.get("absent", 0)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["flip", "types", "indexes"])
def test_damage_anywhere_gives_errors_of_ours_alone(tmp_path: Path, how: str, seed: int) -> None:
    """Bytes flipped, cells of another type, indexes that disagree with their tables."""
    outcomes = json.loads(run("damaged", how, tmp_path, scaled(100), seed))
    assert not [what for what in outcomes if what.startswith("escaped")], outcomes
    damaged = outcomes.get("storage", 0) + outcomes.get("corrupt", 0)
    assert outcomes["whole"] > damaged > 0, "most of the data is readable beside the damage"


@pytest.mark.parametrize("how", ["rlimit", "pages"])
def test_a_full_disk(tmp_path: Path, how: str) -> None:
    run("full_disk", how, tmp_path)


def test_a_full_file_system(tmp_path: Path) -> None:
    """In a mount namespace of its own, where this machine lets us have one."""
    enter = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--mount", "-r"]
    probe = [*enter, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if not shutil.which("unshare") or subprocess.run(probe, check=False).returncode:
        pytest.skip("this user cannot mount a tmpfs in a namespace of its own")
    run("full_disk", "tmpfs", tmp_path, prefix=enter)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """Directories that anyone may enter, whose database none but its owner may write."""
    root = Path(tempfile.mkdtemp(prefix="lgckpt-read-only-"))
    root.chmod(0o755)
    for name in ("writable", "in-use", "closed"):
        (root / name).mkdir()
    with lgckpt.SqliteSaver(root / "in-use" / "agents.db") as in_use:
        _fill(in_use)
        for name in ("writable", "closed"):
            with lgckpt.SqliteSaver(root / name / "agents.db") as saver:
                _fill(saver)
        for path in root.rglob("agents.db*"):
            path.chmod(0o444)
        (root / "writable").chmod(0o777)
        for name in ("in-use", "closed"):
            (root / name).chmod(0o555)
        yield root
        for name in ("in-use", "closed"):
            (root / name).chmod(0o755)
    shutil.rmtree(root)


def _fill(saver: Saver) -> None:
    conversation = Conversation("large-1")
    for _ in range(6):
        conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))


def test_a_read_only_file(read_only: Path) -> None:
    run("read_only", read_only)
