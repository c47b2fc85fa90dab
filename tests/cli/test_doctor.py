"""`lgckpt doctor`, as a process of its own, on real servers."""

from __future__ import annotations

from datetime import datetime, timezone

import lgckpt as package
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.rows import Chunk
from lgckpt.storage import run_sync
from tests.checkpoints import config
from tests.cli.command import Ended, lgckpt
from tests.cli.filled import fill
from tests.contract.stored import drop_chunks
from tests.upkeep.made import id_at


def _in_threads(ended: Ended) -> list[dict]:
    return [one for one in ended.json["findings"] if one["thread_id"] is not None]


def test_a_healthy_file(sqlite_url: str) -> None:
    fill(sqlite_url)
    ended = lgckpt("doctor", sqlite_url)
    assert ended.code == 0
    assert ended.stdout.startswith("3 threads, 7 checkpoints, 7 writes, ")
    assert ended.stdout.endswith(": 0 errors, 0 warnings, 0 notes\n")


def test_lost_chunks_are_told_with_where_and_how(url: str) -> None:
    made = fill(url)
    with package.from_url(url) as saver:
        drop_chunks(saver, "old")
    ended = lgckpt("doctor", url, "--json")
    assert ended.code == 1
    found = _in_threads(ended)
    assert {one["thread_id"] for one in found} == {"old"}
    assert {one["checkpoint_id"] for one in found} == set(made["old"])
    assert {one["channel"] for one in found} == {"large"}
    assert {one["kind"] for one in found} == {"dangling-reference"}
    assert all(one["mend"] and one["severity"] == "error" for one in found)
    other = lgckpt("doctor", url, "--thread", "live", "--json")
    assert (other.json["threads"], _in_threads(other)) == (1, [])
    said = lgckpt("doctor", url, "--thread", "old").stdout
    assert "error: dangling-reference: thread 'old'" in said
    assert "  mend: " in said


def test_repair_deletes_what_nothing_needs(url: str) -> None:
    fill(url)
    lost = id_at(datetime(2020, 1, 1, tzinfo=timezone.utc))
    ref, frame = core.seal_leaf(b"left over " * 99, "lz4")
    with package.from_url(url) as saver:
        saver.put_writes(config("live", lost), [("n", 1)], "task")
        batch = Batch((), (), [Chunk(ref[1:], frame)], ())
        run_sync(saver._handle.driver(sync=True)("load", "young", batch))
    told = lgckpt("doctor", url, "--json")
    assert told.code == 1
    assert {(one["kind"], one["thread_id"]) for one in _in_threads(told)} == {
        ("orphan-writes", "live"),
        ("orphan-chunks", "young"),
    }
    repaired = lgckpt("doctor", url, "--repair", "--json")
    assert repaired.json["repaired"] == 2
    assert all(one["repaired"] for one in _in_threads(repaired))
    clean = lgckpt("doctor", url, "--json")
    assert _in_threads(clean) == []
    assert clean.json["checkpoints"] == told.json["checkpoints"]


def test_settings_that_hurt_are_told(url: str) -> None:
    ended = lgckpt("doctor", url)
    if url.startswith("redis"):
        assert ended.code == 1
        assert "nothing is kept on disk" in ended.stdout
    else:
        assert "nothing is kept" not in ended.stdout
