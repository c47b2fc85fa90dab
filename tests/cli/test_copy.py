"""`lgckpt copy`, as a process of its own, on real servers."""

from __future__ import annotations

import lgckpt as package
from tests.checkpoints import config
from tests.cli.command import lgckpt
from tests.cli.filled import fill, left


def test_a_thread_is_copied_once(url: str) -> None:
    fill(url)
    ended = lgckpt("copy", url, "live", "copy", "--json")
    assert (ended.code, ended.json) == (
        0,
        {"thread_id": "copy", "checkpoints": 3, "writes": 3},
    )
    assert left(url)["copy"] == 3
    with package.from_url(url) as saver:
        one, other = [saver.get_tuple(config(name)) for name in ("live", "copy")]
        assert one.checkpoint == other.checkpoint
        assert one.pending_writes == other.pending_writes
    again = lgckpt("copy", url, "live", "copy")
    assert again.code == 1
    assert "--merge" in again.stderr
    merged = lgckpt(
        "copy", "--from-env", "HERE", "live", "copy", "--merge", environment={"HERE": url}
    )
    assert (merged.code, merged.stdout) == (0, "copy has 3 checkpoints and 3 writes\n")


def test_what_is_not_there_cannot_be_copied(sqlite_url: str) -> None:
    for words, code in ((["none", "copy"], 1), (["a", "a"], 2), (["a"], 2)):
        ended = lgckpt("copy", sqlite_url, *words)
        assert ended.code == code
        assert ended.stderr.startswith("lgckpt: ")
