"""The bytes of a portable file, version 1; `docs/portable-file.md` describes them for others.

A file is a header and then records. A record that holds a batch is a transaction: it is there
with its last byte, or not at all.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

from lgckpt.core import core
from lgckpt.errors import FrameError, LgckptError, UnsupportedFormatError

MAGIC = b"\x89lgckpt\r\n\x1a\n"
"""As of PNG: a transfer as text, or one that drops the eighth bit, breaks it visibly."""

VERSION = 1
HEADER = MAGIC + bytes((VERSION,))

BATCH, END = 1, 2
"""Kinds of records: some rows of one thread; the writer was closed, and nothing is cut off."""

_LENGTHS = struct.Struct("<B3xIQ")
_CHECK = struct.Struct("<I")
RECORD_SIZE = _LENGTHS.size + _CHECK.size

LIST_MAX = 256 * 1024 * 1024
"""The most plain bytes that a batch's list may take."""

_CHUNK = struct.Struct("<20sI")
_CLAIM = struct.Struct("<20s")

_NUMBER = range(-(2**63), 2**63)
"""What every database has an integer for."""


class RowItem(NamedTuple):
    """A checkpoint in a batch: what is looked up, and the length of the rest."""

    checkpoint_ns: str
    checkpoint_id: str
    etag: bytes
    flags: int
    length: int


class WriteItem(NamedTuple):
    """A pending write in a batch, likewise."""

    checkpoint_ns: str
    checkpoint_id: str
    task_id: str
    idx: int
    length: int


class ChunkItem(NamedTuple):
    """A chunk in a batch; what follows is its frame as it is stored."""

    hash: bytes
    length: int


class Listed(NamedTuple):
    """The list of a batch: the items in the order in which they follow.

    Attributes:
        claims: Hashes of chunks that earlier batches of the thread hold.
    """

    thread_id: str
    rows: list[RowItem]
    writes: list[WriteItem]
    chunks: list[ChunkItem]
    claims: list[bytes]

    @property
    def length(self) -> int:
        """Bytes of all that follows."""
        return sum(item.length for part in (self.rows, self.writes, self.chunks) for item in part)


class Prefix(NamedTuple):
    """What stands before a record: its kind, and the lengths of its list and of its items."""

    kind: int
    list_length: int
    items_length: int


def check_header(found: bytes) -> None:
    """Refuse what is no file of this format and version.

    Raises:
        FrameError: It is something else.
        UnsupportedFormatError: A newer release wrote it.
    """
    if found[: len(MAGIC)] != MAGIC:
        raise FrameError("it is no portable file of lgckpt")
    version = found[len(MAGIC)]
    if version != VERSION:
        raise UnsupportedFormatError(
            f"a portable file of format version {version}; "
            f"this release of lgckpt reads version {VERSION}"
        )


def pack_prefix(prefix: Prefix) -> bytes:
    """The bytes of a prefix, with their checksum."""
    lengths = _LENGTHS.pack(*prefix)
    return lengths + _CHECK.pack(zlib.crc32(lengths))


def unpack_prefix(data: bytes) -> Prefix:
    """Read a prefix.

    Raises:
        FrameError: It is damaged, so that nothing is known of what follows.
        UnsupportedFormatError: The record is of another kind.
    """
    lengths, check = data[: _LENGTHS.size], data[_LENGTHS.size :]
    if _CHECK.unpack(check)[0] != zlib.crc32(lengths):
        raise FrameError("the start of a record is damaged")
    prefix = Prefix(*_LENGTHS.unpack(lengths))
    if prefix.kind not in (BATCH, END):
        raise UnsupportedFormatError(
            f"a record of kind {prefix.kind}; this release of lgckpt knows {BATCH} and {END}"
        )
    if prefix.list_length > LIST_MAX or (prefix.kind == END and prefix.items_length):
        raise FrameError("a record claims more than it can hold")
    return prefix


def pack_list(listed: Listed) -> bytes:
    """Seal the list of a batch."""
    chunks = b"".join(_CHUNK.pack(*item) for item in listed.chunks)
    rows, writes = map(tuple, listed.rows), map(tuple, listed.writes)
    fields = (listed.thread_id, [*rows], [*writes], chunks, b"".join(listed.claims))
    return core.seal(core.encode(fields), "lz4")


def unpack_list(frame: bytes) -> Listed:
    """Read the list of a batch.

    Raises:
        FrameError: It is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    try:
        fields = core.decode(core.unseal(frame, LIST_MAX))
        thread_id, rows, writes, chunks, claims = fields
        listed = Listed(
            _as(str, thread_id),
            [RowItem(*_typed(row, (str, str, bytes, int, int))) for row in rows],
            [WriteItem(*_typed(write, (str, str, str, int, int))) for write in writes],
            [ChunkItem(*found) for found in _CHUNK.iter_unpack(chunks)],
            [found for (found,) in _CLAIM.iter_unpack(claims)],
        )
    except (FrameError, UnsupportedFormatError):
        raise
    except (LgckptError, TypeError, ValueError, struct.error) as exc:
        raise FrameError("the list of a batch has another shape") from exc
    if any(item.length < 0 for part in (listed.rows, listed.writes) for item in part):
        raise FrameError("the list of a batch has a length below zero")
    return listed


def pack_end(batches: int) -> bytes:
    """Seal what an end says: how many batches there are before it."""
    return core.seal(core.encode(batches), None)


def unpack_end(frame: bytes) -> int:
    """Read how many batches there are before an end.

    Raises:
        FrameError: It is damaged.
    """
    try:
        batches: int = _as(int, core.decode(core.unseal(frame)))
    except (LgckptError, TypeError) as exc:
        raise FrameError("the end is damaged") from exc
    return batches


def pack_item(fields: tuple[Any, ...]) -> bytes:
    """Seal what is stored of a row or a write besides its name."""
    return core.seal(core.encode(fields), None)


def unpack_item(frame: bytes, kinds: tuple[Any, ...]) -> list[Any]:
    """Read what `pack_item` sealed.

    Raises:
        FrameError: It is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    try:
        return _typed(core.decode(core.unseal(frame)), kinds)
    except (FrameError, UnsupportedFormatError):
        raise
    except (LgckptError, TypeError, ValueError) as exc:
        raise FrameError("an item has another shape") from exc


def _as(kind: type, found: Any) -> Any:
    if type(found) is not kind:
        raise TypeError(f"{kind.__name__} expected")
    return found


def _typed(found: Any, kinds: tuple[Any, ...]) -> list[Any]:
    if type(found) is not list or len(found) != len(kinds):
        raise TypeError("another number of fields")
    if not all(map(isinstance, found, kinds)):
        raise TypeError("a field of another type")
    if any(isinstance(one, int) and one not in _NUMBER for one in found):
        raise ValueError("a number that is too large")
    return found
