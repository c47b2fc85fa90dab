"""The records of a portable file, one after the other, and where it was cut short if it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lgckpt.archive import layout
from lgckpt.archive.layout import BATCH, HEADER, RECORD_SIZE, Listed, Prefix
from lgckpt.errors import FrameError, StorageError, UnsupportedFormatError

_PIECE = 1024 * 1024
"""Bytes read at once: a length that lies is found out before it costs memory."""


class Cut(Exception):
    """The bytes end before what they said would follow.

    Attributes:
        found: What is there of it.
    """

    def __init__(self, found: bytes) -> None:
        super().__init__("cut short")
        self.found = found


class Record(NamedTuple):
    """A batch as it was met.

    Attributes:
        start: Offset of its items.
    """

    listed: Listed
    start: int


class Records:
    """Iterates over the batches of a file, from where it stands.

    The items of each are skipped, unless they are read with `take` before the next.

    Args:
        stream: The file; it need not be seekable.
        name: Of the file, for errors.
        size: Its length in bytes, if that is known.

    Attributes:
        end: Offset after the last whole record; None before the header was found whole.
        batches: How many there were.
        ended: Whether the last record was an end: the writer was closed.
    """

    def __init__(self, stream: BinaryIO, name: str, size: int | None = None) -> None:
        self._stream = stream
        self._size = size
        self._at = 0
        self._due = 0
        self._thread: str | None = None
        self.name = name
        self.end: int | None = None
        self.batches = 0
        self.ended = False

    def __iter__(self) -> Iterator[Record]:
        """The batches, up to the end or to where the file was cut.

        Raises:
            StorageError: This is no portable file, or it is damaged.
            UnsupportedFormatError: A newer release wrote it.
        """
        try:
            self._open()
            while (prefix := self._prefix()) is not None:
                if prefix.kind == BATCH:
                    yield self._batch(prefix)
                    self.skip()
                    self.batches += 1
                else:
                    self._end(prefix)
                self.end = self._at
                self.ended = prefix.kind == layout.END
        except Cut:
            self.ended = False
        except FrameError as exc:
            raise StorageError(f"{self.name} cannot be read: {exc} ({self._where()})") from exc
        except UnsupportedFormatError as exc:
            raise UnsupportedFormatError(f"{self.name}: {exc} ({self._where()})") from exc

    def take(self, length: int) -> bytes:
        """The next bytes of the batch's items.

        Raises:
            Cut: The file ends before.
        """
        data = self._read(length)
        self._due -= length
        return data

    def skip(self) -> None:
        """Leave what was not taken of the batch's items."""
        if self._size is None:
            while self._due > 0:
                self.take(min(self._due, _PIECE))
        elif self._due:
            self._at += self._due
            self._due = 0
            self._stream.seek(self._at)

    def _open(self) -> None:
        try:
            found = self._read(len(HEADER))
        except Cut as cut:
            if HEADER.startswith(cut.found):
                raise
            found = cut.found.ljust(len(HEADER))
        layout.check_header(found)
        self.end = self._at

    def _prefix(self) -> Prefix | None:
        try:
            data = self._read(RECORD_SIZE)
        except Cut as cut:
            if cut.found:
                raise
            return None
        prefix = layout.unpack_prefix(data)
        if self._size is not None:
            rest = self._size - self._at
            if prefix.list_length + prefix.items_length > rest:
                raise Cut(data)
        return prefix

    def _batch(self, prefix: Prefix) -> Record:
        listed = layout.unpack_list(self._read(prefix.list_length))
        if listed.length != prefix.items_length:
            raise FrameError("the list of a batch does not add up")
        self._thread = listed.thread_id
        self._due = prefix.items_length
        return Record(listed, self._at)

    def _end(self, prefix: Prefix) -> None:
        batches = layout.unpack_end(self._read(prefix.list_length))
        if batches != self.batches:
            raise FrameError(f"there were {batches} batches, of which {self.batches} are left")

    def _read(self, length: int) -> bytes:
        pieces: list[bytes] = []
        missing = length
        while missing:
            piece = self._stream.read(min(missing, _PIECE))
            if not piece:
                raise Cut(b"".join(pieces))
            pieces.append(piece)
            missing -= len(piece)
        self._at += length
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _where(self) -> str:
        where = f"near byte {self._at}"
        return where if self._thread is None else f"{where}, in or after thread {self._thread!r}"
