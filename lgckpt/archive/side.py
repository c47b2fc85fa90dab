"""A portable file as one side of a migration: read by its index, written by appending."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from lgckpt.archive.index import Index, Span
from lgckpt.archive.items import Items
from lgckpt.archive.locking import lock
from lgckpt.archive.records import Records
from lgckpt.archive.writer import Writer
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage, claiming
from lgckpt.chunks import collecting, walk
from lgckpt.errors import (
    ClosedError,
    ConfigurationError,
    LgckptError,
    StorageError,
)
from lgckpt.rows import CheckpointRow, Chunk, WriteRow

_MARK = "="
"""Before the thread id in what the next page is asked for with; "" begins."""


class ArchiveSide:
    """One file that holds threads.

    `setup` opens it for writing, and makes it if it is not there; a last record that a kill left
    torn is cut off then. Without `setup` it is opened for reading, and nothing is changed.

    Args:
        path: Of the file.
        name: For people.
        partial: Whether to read a file whose writer was not closed, as far as it is whole.

    Attributes:
        unfinished: Whether the file's writer was not closed: known once the file was opened.
    """

    native = True

    def __init__(self, path: str | Path, name: str | None = None, *, partial: bool = False) -> None:
        self.path = Path(path)
        self.name = name or str(path)
        self.unfinished = False
        self._partial = partial
        self._file: BinaryIO | None = None
        self._index: Index | None = None
        self._writer: Writer | None = None
        self._closed = False

    async def setup(self) -> None:
        """Open the file for writing; make it if it is not there.

        Raises:
            StorageError: It cannot be written, is something else, or another process writes it.
            UnsupportedFormatError: A newer release wrote it.
        """
        if self._writer is not None:
            return
        self._release()
        try:
            self._file = file = open(self.path, "ab+", buffering=0)  # noqa: SIM115, ASYNC230
            lock(file, self.name)
            records = self._pass()
            file.truncate(records.end or 0)
            self._writer = Writer(file, records.end or 0, records.batches)
            if records.end is None:
                self._writer.header()
        except (OSError, sqlite3.Error, LgckptError) as exc:
            self._release()
            raise self._unusable(exc) from exc

    def exists(self) -> bool:
        """Whether there is such a file."""
        return self.path.exists()

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads, in code point order."""
        start = after[len(_MARK) :] if after else None
        found = self._opened().threads(start, limit + 1)
        more = len(found) > limit
        found = found[:limit]
        return ThreadPage(found, _MARK + found[-1] if more else None)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        return self._opened().marks(thread_id, after, limit)

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known.

        Raises:
            CorruptCheckpointError: A part of it is damaged.
        """
        index = self._opened()
        items = Items(self.name, thread_id)
        rows: list[CheckpointRow] = []
        writes: list[WriteRow] = []
        for place in places:
            row = index.row(thread_id, place)
            if row is not None:
                rows.append(items.row(place, row.etag, row.flags, self._read(row.span)))
            for write in index.writes(thread_id, place):
                frame = self._read(write.span)
                writes.append(items.write(place, write.task_id, write.idx, frame))
        asked, claims = claiming(known)
        batch = Batch(rows, writes)
        chunks = walk(
            collecting(batch.refs, sweeps=False, known=asked),
            lambda keys: self._chunks(thread_id, keys),
        )
        return batch._replace(
            chunks=[Chunk(*chunk) for chunk in chunks.items()], claims=list(claims)
        )

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Append a batch: with its last byte it is there.

        Raises:
            StorageError: The disk is full, say.
            ConfigurationError: The file was not opened for writing, by `setup`.
        """
        index = self._opened()
        if self._writer is None:
            raise ConfigurationError(f"{self.name} was opened for reading")
        if any(index.chunk(thread_id, key) is None for key in batch.claims):
            return False
        try:
            listed, start = self._writer.batch(thread_id, batch)
            self.unfinished = True
            index.add(listed, start)
        except (OSError, sqlite3.Error) as exc:
            raise self._unusable(exc) from exc
        return True

    def holds(self, thread_id: str, key: bytes) -> bool:
        """Whether a chunk, and so all below it, is in the file."""
        return self._opened().chunk(thread_id, key) is not None

    async def close(self) -> None:
        """Say at the end of the file that it is whole, and let go of it; safe to call again.

        Raises:
            StorageError: The disk is full, say.
        """
        self._closed = True
        try:
            if self._writer is not None and self._file is not None:
                if self.unfinished:
                    self._writer.end()
                os.fsync(self._file.fileno())
        except OSError as exc:
            raise self._unusable(exc) from exc
        finally:
            self._release()

    async def abandon(self) -> None:
        """Let go of the file as it is: whoever reads it is told that it is not finished."""
        self._closed = True
        self._release()

    def _release(self) -> None:
        if self._index is not None:
            self._index.close()
        if self._file is not None:
            self._file.close()
        self._index = self._file = self._writer = None

    def _opened(self) -> Index:
        if self._closed:
            raise ClosedError(f"{self.name} was closed")
        if self._index is not None:
            return self._index
        try:
            self._file = open(self.path, "rb")  # noqa: SIM115
            self._pass()
            if self.unfinished and not self._partial:
                raise StorageError(
                    f"{self.name} is not finished: its writer was killed, or only a part of it "
                    "was copied. Run that writer again, or add ?partial=true to read what is there"
                )
        except (OSError, sqlite3.Error, LgckptError) as exc:
            self._release()
            raise self._unusable(exc) from exc
        return self._opened()

    def _pass(self) -> Records:
        """Index the file, from its beginning to its end."""
        index = self._index = Index()
        with open(self.path, "rb") as stream:
            records = Records(stream, self.name, os.fstat(stream.fileno()).st_size)
            index.begin()
            for record in records:
                index.add(record.listed, record.start)
            index.commit()
        self.unfinished = not records.ended
        return records

    def _unusable(self, exc: OSError | sqlite3.Error | LgckptError) -> LgckptError:
        if isinstance(exc, LgckptError):
            return exc
        if isinstance(exc, sqlite3.Error):
            where = "an index of it, in the directory for temporary files,"
            return StorageError(f"{self.name} cannot be used: {where} cannot be kept: {exc}")
        return StorageError(f"{self.name} cannot be used: {exc.strerror or exc}")

    def _chunks(self, thread_id: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Frames as they are stored: who puts them together checks them."""
        index = self._opened()
        spans = ((key, index.chunk(thread_id, key)) for key in keys)
        return {key: self._read(span) for key, span in spans if span is not None}

    def _read(self, span: Span) -> bytes:
        if self._file is None:
            raise ClosedError(f"{self.name} was closed")
        try:
            self._file.seek(span.start)
            data = self._file.read(span.length)
            while len(data) < span.length and (more := self._file.read(span.length - len(data))):
                data += more
        except OSError as exc:
            raise self._unusable(exc) from exc
        return data
