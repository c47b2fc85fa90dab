"""Whole threads into a portable file and out of it, in one go, from and to a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import BinaryIO

from lgckpt.archive.items import Items
from lgckpt.archive.records import Cut, Record, Records
from lgckpt.archive.writer import Writer
from lgckpt.bulk import Batch, Place
from lgckpt.errors import ConfigurationError, CorruptCheckpointError, NotFoundError, StorageError
from lgckpt.migration.damage import sound
from lgckpt.migration.fetching import fetch_sound
from lgckpt.migration.sides import Side
from lgckpt.rows import Chunk

_FEWEST, _MOST = 1, 256
"""Checkpoints that are read at once."""

_BYTES = 8 * 1024 * 1024
"""Bytes of a batch that are aimed at: the next one is made of more checkpoints, or of fewer."""


@dataclass(frozen=True)
class Passed:
    """What went into a portable file, or came out of it; bytes as they are stored."""

    threads: int
    checkpoints: int
    writes: int
    bytes: int


class _Count:
    """Counts batches."""

    def __init__(self) -> None:
        self.threads = self.checkpoints = self.writes = self.bytes = 0

    def add(self, batch: Batch) -> None:
        """Count a batch."""
        self.checkpoints += len(batch.rows)
        self.writes += len(batch.writes)
        self.bytes += size_of(batch)

    def passed(self) -> Passed:
        """What was counted."""
        return Passed(self.threads, self.checkpoints, self.writes, self.bytes)


def size_of(batch: Batch) -> int:
    """Bytes of what is stored of a batch."""
    rows = sum(len(row.state) + len(row.metadata) + len(row.refs) for row in batch.rows)
    writes = sum(len(write.value) + len(write.refs) for write in batch.writes)
    return rows + writes + sum(len(chunk.frame) for chunk in batch.chunks)


async def write_threads(
    source: Side, stream: BinaryIO, threads: Iterable[str] | None = None
) -> Passed:
    """Write a portable file.

    Args:
        source: Where the threads are.
        stream: What is written to; it need not be seekable.
        threads: Their ids; None for all.

    Raises:
        NotFoundError: There is no such thread.
        CorruptCheckpointError: Something is damaged; what was written has no end then.
    """
    writer, count = Writer(stream), _Count()
    writer.header()
    if threads is None:
        async for thread_id in _all(source):
            await _write_thread(source, writer, thread_id, count)
    else:
        for thread_id in dict.fromkeys(threads):
            if not await source.marks(thread_id, None, 1):
                raise NotFoundError(f"{source.name} has no thread {thread_id!r}")
            await _write_thread(source, writer, thread_id, count)
    writer.end()
    return count.passed()


async def _all(side: Side) -> AsyncIterator[str]:
    after: str | None = ""
    while after is not None:
        page = await side.threads(after, 256)
        for thread_id in page.threads:
            yield thread_id
        after = page.after


async def _write_thread(side: Side, writer: Writer, thread_id: str, count: _Count) -> None:
    after: Place | None = None
    known: set[bytes] = set()
    limit = 16
    while marks := await side.marks(thread_id, after, limit):
        after = marks[-1].place
        found = await fetch_sound(
            side, thread_id, [mark.place for mark in marks], known.__contains__
        )
        if found.damage:
            raise found.damage[0].error()
        known.update(chunk.hash for chunk in found.batch.chunks)
        writer.batch(thread_id, found.batch)
        count.add(found.batch)
        if len(marks) < limit:
            break
        size = size_of(found.batch)
        limit = max(_FEWEST, limit // 2) if size > _BYTES else min(_MOST, limit * 2)
    count.threads += 1


async def read_threads(
    stream: BinaryIO, name: str, target: Side, *, rename: str | None = None, size: int | None = None
) -> Passed:
    """Read a portable file into a database, batch by batch as it comes.

    What is there already is replaced where it has the same names, and stays otherwise.

    Args:
        stream: What is read; it need not be seekable.
        name: Of the file, for errors.
        target: Where the threads go.
        rename: The id that the file's one thread gets.
        size: Length of the stream in bytes, if known: it is then looked through first, so that
            nothing is stored of a file that is cut short.

    Raises:
        ConfigurationError: There are several threads, and `rename`.
        CorruptCheckpointError: Something in the file is damaged.
        StorageError: It is no portable file, or cut short, or the database cannot be used.
        UnsupportedFormatError: A newer release wrote the file.
    """
    if size is not None:
        await _check(stream, name, rename, size)
        stream.seek(0)
    records, count = Records(stream, name, size), _Count()
    threads = _Threads(rename)
    for record in records:
        if not threads.seen:
            await target.setup()
        thread_id = threads.name_of(record.listed.thread_id)
        batch = _batch(records, record, thread_id, name)
        found = sound(batch)
        if found.damage:
            raise _named(found.damage[0].error(), name)
        if not await target.load(thread_id, batch):
            raise StorageError(
                f"{target.name}: chunks of thread {thread_id!r} that were just stored are gone; "
                "was it pruned meanwhile? Import it again"
            )
        count.add(batch)
    _refuse_cut(records)
    count.threads = len(threads.seen)
    return count.passed()


class _Threads:
    """The threads of a file, and their names on the target."""

    def __init__(self, rename: str | None) -> None:
        self.seen: set[str] = set()
        self._rename = rename

    def name_of(self, thread_id: str) -> str:
        self.seen.add(thread_id)
        if self._rename is None:
            return thread_id
        if len(self.seen) > 1:
            raise ConfigurationError(
                "only one thread can be given another id, and the file has several: "
                + ", ".join(map(repr, sorted(self.seen)))
            )
        return self._rename


async def _check(stream: BinaryIO, name: str, rename: str | None, size: int) -> None:
    records, threads = Records(stream, name, size), _Threads(rename)
    for record in records:
        threads.name_of(record.listed.thread_id)
    _refuse_cut(records)


def _refuse_cut(records: Records) -> None:
    if not records.ended:
        raise StorageError(
            f"{records.name} is cut short after {records.batches:,} whole batches: "
            "its writer was killed, or only a part of it was copied"
        )


def _batch(records: Records, record: Record, thread_id: str, name: str) -> Batch:
    listed, items, take = record.listed, Items(name, thread_id), records.take
    try:
        rows = [
            items.row((one.checkpoint_ns, one.checkpoint_id), one.etag, one.flags, take(one.length))
            for one in listed.rows
        ]
        writes = [
            items.write(
                (one.checkpoint_ns, one.checkpoint_id), one.task_id, one.idx, take(one.length)
            )
            for one in listed.writes
        ]
        chunks = [Chunk(one.hash, take(one.length)) for one in listed.chunks]
    except Cut:
        raise StorageError(f"{name} is cut short in thread {thread_id!r}") from None
    return Batch(rows, writes, chunks, listed.claims)


def _named(error: CorruptCheckpointError, name: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        f"{name} is damaged: {error.reason}",
        thread_id=error.thread_id,
        checkpoint_ns=error.checkpoint_ns,
        checkpoint_id=error.checkpoint_id,
        channel=error.channel,
    )
