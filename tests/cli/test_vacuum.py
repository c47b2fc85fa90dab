"""`lgckpt vacuum`, as a process of its own, on real servers."""

from __future__ import annotations

from pathlib import Path

import lgckpt as package
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.rows import Chunk
from lgckpt.storage import run_sync
from tests.cli.command import lgckpt
from tests.cli.filled import fill, left


def test_what_nothing_refers_to_goes_and_its_bytes_are_told(url: str) -> None:
    fill(url)
    made = [core.seal_leaf(f"left over {n} ".encode() * 99, "lz4") for n in range(3)]
    batch = Batch((), (), [Chunk(ref[1:], frame) for ref, frame in made], ())
    with package.from_url(url) as saver:
        run_sync(saver._handle.driver(sync=True)("load", "live", batch))
    before = left(url)
    ended = lgckpt("vacuum", url, "--json")
    assert ended.code == 0
    assert ended.json == {
        "expired": 0,
        "threads": 1,
        "chunks": 3,
        "bytes": sum(len(frame) for _, frame in made),
        "file_bytes": None,
        "damaged": [],
    }
    assert left(url) == before
    again = lgckpt("vacuum", url)
    assert again.stdout == "gone: 0 expired threads, 0 chunks of 0 threads, 0 bytes gained\n"


def test_a_file_gives_its_room_back(sqlite_url: str) -> None:
    fill(sqlite_url)
    lgckpt("delete", sqlite_url, "old", "live", "young", "--yes")
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    size = path.stat().st_size
    ended = lgckpt("vacuum", sqlite_url, "--full", "--json")
    assert ended.json["file_bytes"] == size - path.stat().st_size > 0


def test_full_is_for_files(url: str) -> None:
    if url.startswith("sqlite"):
        return
    ended = lgckpt("vacuum", url, "--full")
    assert ended.code == 2
    assert "no SQLite file" in ended.stderr
