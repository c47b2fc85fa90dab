"""`lgckpt delete`, as a process of its own, on real servers."""

from __future__ import annotations

import os
import pty

import pytest

from tests.cli.command import lgckpt, started
from tests.cli.filled import fill, left


def test_threads_are_deleted_with_yes(url: str) -> None:
    fill(url)
    ended = lgckpt("delete", url, "old", "young", "--yes", "--json")
    assert ended.code == 0
    assert ended.json == {
        "threads": [
            {"thread_id": "old", "checkpoints": 2, "writes": 2},
            {"thread_id": "young", "checkpoints": 2, "writes": 2},
        ],
        "missing": [],
    }
    assert left(url) == {"live": 3}
    missing = lgckpt("delete", url, "old", "live", "-y")
    assert missing.code == 1
    assert "'old'" in missing.stderr
    assert left(url) == {}


def test_where_nobody_can_be_asked_nothing_is_deleted(sqlite_url: str) -> None:
    fill(sqlite_url)
    ended = lgckpt("delete", sqlite_url, "old", stdin="y\n")
    assert ended.code == 2
    assert "--yes" in ended.stderr
    assert left(sqlite_url)["old"] == 2


@pytest.mark.parametrize(("answer", "code", "stays"), [("y", 0, 0), ("n", 1, 2), ("", 1, 2)])
def test_on_a_terminal_it_asks(sqlite_url: str, answer: str, code: int, stays: int) -> None:
    fill(sqlite_url)
    ours, theirs = pty.openpty()
    try:
        process = started(["delete", sqlite_url, "old"], stdin=theirs)
        os.write(ours, f"{answer}\n".encode())
        stdout, stderr = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert process.returncode == code
    assert "Delete 1 thread (old)?" in stderr
    assert ("deleted" in stdout) == (code == 0)
    assert left(sqlite_url).get("old", 0) == stays
