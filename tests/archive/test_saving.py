"""`lgckpt.dump` and `lgckpt.restore`, and streams."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.archive.streams import export_threads, import_threads
from lgckpt.errors import (
    ConfigurationError,
    CorruptCheckpointError,
    NotFoundError,
    StorageError,
)
from tests.backends import Backend, damage_memory
from tests.checkpoints import config
from tests.golden.threads import STEPS, fill, state, write


class Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False


def filled(*names: str, **options: Any) -> lgckpt.MemorySaver:
    saver = lgckpt.MemorySaver(**options)
    for name in names:
        asyncio.run(fill(saver, name))
    return saver


def ids(saver: Any, thread_id: str) -> list[str]:
    return [one.checkpoint["id"] for one in saver.list(config(thread_id))]


def test_a_memory_saver_is_saved_and_restored_into_every_backend(
    backend: Backend, tmp_path: Path
) -> None:
    path = tmp_path / "agents.lgckpt"
    saver = filled("a", "b")
    saved = lgckpt.dump(saver, path)
    assert (saved.threads, saved.checkpoints, saved.writes) == (2, 2 * STEPS, 4 * STEPS)
    with backend.open() as target:
        assert lgckpt.restore(path, target) == saved
        assert lgckpt.restore(path, target) == saved
        assert ids(target, "a") == ids(saver, "a")
        for step, one in zip(reversed(range(STEPS)), target.list(config("b")), strict=True):
            assert one.checkpoint["channel_values"] == state(step)
            assert one.pending_writes == [("task", *pair) for pair in write(step)]
        again = tmp_path / "again.lgckpt"
        lgckpt.dump(target, again, ["b"])
    with lgckpt.MemorySaver() as last:
        assert lgckpt.restore(again, last).threads == 1
        assert ids(last, "b") == ids(saver, "b")


@pytest.mark.anyio
async def test_there_are_async_twins(tmp_path: Path) -> None:
    async with lgckpt.MemorySaver() as saver:
        await fill(saver, "a")
        await lgckpt.adump(saver, tmp_path / "x.lgckpt")
        with pytest.raises(ConfigurationError, match="await"):
            lgckpt.dump(saver, tmp_path / "y.lgckpt")
    async with lgckpt.MemorySaver() as target:
        assert (await lgckpt.arestore(tmp_path / "x.lgckpt", target)).checkpoints == STEPS


def test_one_thread_is_restored_under_another_id_beside_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    with filled("a", "b") as saver:
        lgckpt.dump(saver, path, ["a"])
        lgckpt.restore(path, saver, rename="b")
        assert sorted(ids(saver, "b")) == sorted({*ids(saver, "a"), *ids(saver, "b")})
        assert len(ids(saver, "b")) == 2 * STEPS
        lgckpt.dump(saver, path)
        with pytest.raises(ConfigurationError, match="several: 'a', 'b'"):
            lgckpt.restore(path, saver, rename="c")
        assert ids(saver, "c") == []


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    with filled("a") as saver:
        lgckpt.dump(saver, path)
        before = path.read_bytes()
        with pytest.raises(NotFoundError, match="no thread 'nobody'"):
            lgckpt.dump(saver, path, ["a", "nobody"])
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
        with pytest.raises(StorageError, match="cannot be written"):
            lgckpt.dump(saver, tmp_path / "absent" / "x.lgckpt")
        for directory in (tmp_path, Path(), "/"):
            with pytest.raises(StorageError, match="cannot be written: it is a directory"):
                lgckpt.dump(saver, directory)
        assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("others", [["b"], ["nobody"]])
def test_two_dumps_to_one_file_are_in_nobody_s_way(tmp_path: Path, others: list[str]) -> None:
    path = tmp_path / "x.lgckpt"
    with filled("a", "b") as saver, ThreadPoolExecutor() as pool:

        def meanwhile() -> Iterator[str]:
            yield "a"
            pool.submit(lgckpt.dump, saver, path, others).exception()

        assert lgckpt.dump(saver, path, meanwhile()).threads == 1
        assert list(tmp_path.iterdir()) == [path]
        with lgckpt.MemorySaver() as target:
            lgckpt.restore(path, target)
            assert len(ids(target, "a")) == STEPS
            assert ids(target, "b") == []


@pytest.mark.parametrize("table", ["checkpoints", "chunks"])
def test_damage_is_not_exported(tmp_path: Path, table: str) -> None:
    with filled("a") as saver:
        column = "frame" if table == "chunks" else "state"
        damage_memory(saver, table, column, lambda cell: cell[:-1] + bytes([cell[-1] ^ 1]))
        with pytest.raises(CorruptCheckpointError, match="thread 'a'"):
            lgckpt.dump(saver, tmp_path / "x.lgckpt")
    assert not list(tmp_path.iterdir())


def test_of_a_file_that_is_cut_short_nothing_is_restored(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    with filled("a") as saver:
        lgckpt.dump(saver, path)
    whole = path.read_bytes()
    with lgckpt.MemorySaver() as target:
        for length in (0, 11, 30, len(whole) - 1):
            path.write_bytes(whole[:length])
            with pytest.raises(StorageError, match=r"x\.lgckpt is cut short"):
                lgckpt.restore(path, target)
        assert list(target.list(None)) == []


def test_every_changed_byte_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "x.lgckpt"
    with filled("a", compression="zstd") as saver:
        lgckpt.dump(saver, path)
    whole = path.read_bytes()
    for at in range(12, len(whole), max(1, len(whole) // 300)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        with lgckpt.MemorySaver() as target:
            with pytest.raises(
                (StorageError, CorruptCheckpointError, lgckpt.UnsupportedFormatError)
            ) as caught:
                lgckpt.restore(path, target)
            assert "x.lgckpt" in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
async def test_streams_are_written_and_read(tmp_path: Path, kind: type[io.BytesIO]) -> None:
    source, target = (f"sqlite:///{tmp_path}/{name}.db" for name in ("a", "b"))
    async with lgckpt.from_url(source) as saver:
        await fill(saver, "a")
        await fill(saver, "b")
    stream = Pipe()
    sent = await export_threads(source, stream, ["b", "a", "b"])
    assert sent == await import_threads(kind(stream.getvalue()), "standard input", target)
    with pytest.raises(StorageError, match="standard input is cut short"):
        await import_threads(kind(stream.getvalue()[:-9]), "standard input", target)
    async with lgckpt.from_url(target) as saver:
        assert [one async for one in saver.alist(config("a"))]


def test_an_empty_saver_makes_a_file_of_no_threads(tmp_path: Path) -> None:
    with lgckpt.MemorySaver() as saver:
        assert lgckpt.dump(saver, tmp_path / "x.lgckpt").threads == 0
        assert lgckpt.restore(tmp_path / "x.lgckpt", saver).checkpoints == 0
