"""A portable file as a source and a target of migrations."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.archive import index
from lgckpt.archive.opening import open_archive
from lgckpt.archive.side import ArchiveSide
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import (
    ClosedError,
    ConfigurationError,
    CorruptCheckpointError,
    StorageError,
    UnsupportedFormatError,
)
from lgckpt.rows import CheckpointRow, Chunk, WriteRow
from tests.checkpoints import config
from tests.golden.threads import STEPS, fill, state, write

pytestmark = pytest.mark.anyio

Opened = Callable[..., ArchiveSide]
Reopened = Callable[[ArchiveSide], Any]


def nothing(_: bytes) -> bool:
    return False


def row(
    thread_id: str, checkpoint_id: str, refs: bytes = b"", state: bytes = b"s"
) -> CheckpointRow:
    return CheckpointRow(
        thread_id, "", checkpoint_id, None, "run", 0, b"etag5678", b"m", state, refs
    )


def pending(thread_id: str, checkpoint_id: str, idx: int, value: bytes = b"v") -> WriteRow:
    return WriteRow(thread_id, "", checkpoint_id, "task", idx, "path", "c", "null", value, b"")


@pytest.fixture
async def opened() -> AsyncIterator[Callable[..., ArchiveSide]]:
    """Makes sides, and closes them after the test."""
    made: list[ArchiveSide] = []

    def make(*args: Any, **options: Any) -> ArchiveSide:
        made.append(ArchiveSide(*args, **options))
        return made[-1]

    yield make
    for side in made:
        await side.close()


@pytest.fixture
async def side(tmp_path: Path, opened: Opened) -> ArchiveSide:
    made = opened(tmp_path / "x.lgckpt")
    await made.setup()
    return made


@pytest.fixture
async def reopened(opened: Opened) -> Callable[[ArchiveSide], Any]:
    async def reopen(side: ArchiveSide) -> ArchiveSide:
        await side.close()
        return opened(side.path)

    return reopen


async def filled(path: Path) -> lgckpt.MemorySaver:
    saver = lgckpt.MemorySaver()
    for name in ("a", "b"):
        await fill(saver, name)
    await lgckpt.amigrate(saver, path.as_uri())
    return saver


async def test_rows_writes_and_chunks_come_back_as_they_were(
    side: ArchiveSide, reopened: Reopened
) -> None:
    ref, frame = core.seal_leaf(b"x" * 500, "lz4")
    batch = Batch(
        [row("t", "1", ref), row("t", "2")], [pending("t", "2", 0), pending("t", "3", -1)],
        [Chunk(ref[1:], frame)],
    )  # fmt: skip
    assert await side.load("t", batch)
    found = await (await reopened(side)).fetch("t", [("", "1"), ("", "2"), ("", "3")], nothing)
    assert found == batch._replace(claims=[])


async def test_places_are_paged_in_code_point_order(side: ArchiveSide, reopened: Reopened) -> None:
    names = ["\U0001f600", "a", "Z", "\uffff", "b"]
    for name in names:
        await side.load("t", Batch([row("t", name)], [pending("t", name + "w", 0)]))
    read = await reopened(side)
    places, after = [], None
    while page := await read.marks("t", after, 3):
        places += [mark.checkpoint_id for mark in page]
        after = page[-1].place
    assert places == sorted(names + [name + "w" for name in names])
    assert [m.etag for m in await read.marks("t", None, 2)] == [b"etag5678", None]


async def test_threads_are_paged(side: ArchiveSide, reopened: Reopened) -> None:
    for name in ("b", "", "a"):
        await side.load(name, Batch([row(name, "1")]))
    read = await reopened(side)
    page = await read.threads("", 2)
    assert page.threads == ["", "a"]
    assert page.after is not None
    rest = await read.threads(page.after, 2)
    assert (rest.threads, rest.after) == (["b"], None)


async def test_a_later_record_wins(side: ArchiveSide, reopened: Reopened) -> None:
    await side.load("t", Batch([row("t", "1", state=b"old")], [pending("t", "1", 0, b"old")]))
    await side.load("t", Batch([row("t", "1", state=b"new")], [pending("t", "1", 0, b"new")]))
    found = await (await reopened(side)).fetch("t", [("", "1")], nothing)
    assert [one.state for one in found.rows] == [b"new"]
    assert [one.value for one in found.writes] == [b"new"]


async def test_a_claim_that_does_not_hold_stores_nothing(
    side: ArchiveSide, reopened: Reopened
) -> None:
    ref, frame = core.seal_leaf(b"x" * 500, "lz4")
    await side.load("t", Batch(chunks=[Chunk(ref[1:], frame)]))
    assert not await side.load("other", Batch([row("other", "1", ref)], claims=[ref[1:]]))
    assert await side.load("t", Batch([row("t", "1", ref)], claims=[ref[1:]]))
    read = await reopened(side)
    assert (await read.threads("", 9)).threads == ["t"]
    found = await read.fetch("t", [("", "1")], {ref[1:]}.__contains__)
    assert (found.chunks, found.claims) == ([], [ref[1:]])


async def test_a_migration_there_and_back_carries_everything(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    saver = await filled(path)
    assert (await lgckpt.amigrate(saver, path.as_uri(), verify=True)).checkpoints == 0
    with lgckpt.MemorySaver() as target:
        done = await lgckpt.amigrate(path.as_uri(), target, verify=True)
        assert done.ok
        assert done.checkpoints == 2 * STEPS
        for step, one in zip(reversed(range(STEPS)), target.list(config("b")), strict=True):
            assert one.checkpoint["channel_values"] == state(step)
            assert one.pending_writes == [("task", *pair) for pair in write(step)]


async def test_a_second_migration_changes_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    saver = await filled(path)
    before = path.read_bytes()
    await lgckpt.amigrate(saver, path.as_uri())
    assert path.read_bytes() == before


async def test_an_index_that_finds_no_room_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.lgckpt"
    saver = await filled(path)
    other = (tmp_path / "y.lgckpt").as_uri()
    monkeypatch.setattr(index, "_SCHEMA", f"PRAGMA max_page_count = 8;{index._SCHEMA}")
    for source, target in ((path.as_uri(), lgckpt.MemorySaver()), (saver, other)):
        with pytest.raises(StorageError, match=r"temporary files.*full") as raised:
            await lgckpt.amigrate(source, target)
        assert isinstance(raised.value.__cause__, sqlite3.OperationalError)


async def test_a_torn_file_is_refused_as_a_source_and_continued_as_a_target(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    saver = await filled(path)
    whole = path.read_bytes()
    for length in (0, 5, 12, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(StorageError, match="is not finished"):
            await lgckpt.amigrate(path.as_uri(), lgckpt.MemorySaver())
        assert path.stat().st_size == length
        await lgckpt.amigrate(saver, path.as_uri())
        with lgckpt.MemorySaver() as target:
            assert (await lgckpt.amigrate(path.as_uri(), target, verify=True)).ok
            assert len(list(target.list(None))) == 2 * STEPS


async def test_a_torn_file_is_read_as_far_as_it_is_whole_if_asked(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    await filled(path)
    path.write_bytes(path.read_bytes()[:-40])
    read = open_archive(path.as_uri() + "?partial=true")
    assert (await read.threads("", 9)).threads
    assert read.unfinished
    await read.close()


KILLED = """
import asyncio, sys
from pathlib import Path
import lgckpt
from tests.golden.threads import fill
async def main():
    saver = lgckpt.MemorySaver()
    for number in range(60):
        await fill(saver, f"thread {number}")
    print("ready", flush=True)
    await lgckpt.amigrate(saver, Path(sys.argv[1]).as_uri(), workers=1)
    print("done", flush=True)
asyncio.run(main())
"""


def kill_midway(path: Path) -> None:
    """Start a migration, and kill it when a part of it is in the file."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=Path.cwd()
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        while not path.exists() or path.stat().st_size < 500_000:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert process.stdout.read() == b""


async def test_a_migration_that_was_killed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    await asyncio.to_thread(kill_midway, path)
    with lgckpt.MemorySaver() as saver:
        for number in range(3):
            await fill(saver, f"again {number}")
        await lgckpt.amigrate(saver, path.as_uri())
    with lgckpt.MemorySaver() as target:
        assert (await lgckpt.amigrate(path.as_uri(), target, verify=True)).ok
        assert len(list(target.list(config("again 2")))) == STEPS
        assert target.get_tuple(config("thread 0")) is not None


async def test_two_writers_are_refused(side: ArchiveSide, opened: Opened) -> None:
    with pytest.raises(StorageError, match="being written by another"):
        await opened(side.path).setup()
    await side.close()


async def test_damage_names_the_file_and_the_thread_and_the_rest_is_read(
    tmp_path: Path, opened: Opened
) -> None:
    path = tmp_path / "x.lgckpt"
    side = opened(path)
    await side.setup()
    await side.load("whole", Batch([row("whole", "1")]))
    await side.load("hurt", Batch([row("hurt", "1", state=b"find me"), row("hurt", "2")]))
    await side.close()
    path.write_bytes(path.read_bytes().replace(b"find me", b"lost me"))
    read = opened(path)
    with pytest.raises(CorruptCheckpointError, match=r"x\.lgckpt is damaged.*thread 'hurt'"):
        await read.fetch("hurt", [("", "1")], nothing)
    assert (await read.fetch("hurt", [("", "2")], nothing)).rows
    assert (await read.fetch("whole", [("", "1")], nothing)).rows


async def test_nothing_is_made_by_reading_and_nothing_foreign_is_written_to(
    tmp_path: Path, opened: Opened
) -> None:
    absent = opened(tmp_path / "absent.lgckpt")
    with pytest.raises(StorageError, match=r"absent\.lgckpt cannot be used: No such file"):
        await absent.threads("", 1)
    assert not absent.path.exists()
    other = tmp_path / "other.db"
    other.write_bytes(b"SQLite format 3\0 and so on")
    with pytest.raises(StorageError, match="no portable file"):
        await opened(other).setup()
    assert other.read_bytes().startswith(b"SQLite")
    newer = tmp_path / "newer.lgckpt"
    newer.write_bytes(b"\x89lgckpt\r\n\x1a\n\x02more")
    for use in (opened(newer).setup(), opened(newer).threads("", 1)):
        with pytest.raises(UnsupportedFormatError, match=r"newer\.lgckpt.*version 2"):
            await use


async def test_what_was_opened_for_reading_or_closed_takes_nothing(
    side: ArchiveSide, reopened: Reopened
) -> None:
    read = await reopened(side)
    with pytest.raises(ConfigurationError, match="opened for reading"):
        await read.load("t", Batch([row("t", "1")]))
    await read.close()
    await read.close()
    with pytest.raises(ClosedError):
        await read.threads("", 1)


async def test_a_dry_run_to_a_file_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    with lgckpt.MemorySaver() as saver:
        await fill(saver, "a")
        assert (await lgckpt.amigrate(saver, path.as_uri(), dry_run=True)).checkpoints == STEPS
    assert not path.exists()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///a/b.lgckpt", "/a/b.lgckpt"),
        ("file://localhost/a/b.lgckpt", "/a/b.lgckpt"),
        ("file:a/b.lgckpt", "a/b.lgckpt"),
        ("file:///a%20b", "/a b"),
    ],
)
async def test_urls_name_files(url: str, path: str) -> None:
    assert str(open_archive(url).path) == path.replace("/", os.sep)


@pytest.mark.parametrize(
    "url", ["file:", "file:///", "file://host/a", "file:a?partial=yes", "file:a?x=1", "file:a#b"]
)
async def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_archive(url)


async def test_a_file_system_without_locks_is_not_taken_for_another_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unable)
    with pytest.raises(StorageError, match="cannot be used: No locks available"):
        await ArchiveSide(tmp_path / "x.lgckpt").setup()
