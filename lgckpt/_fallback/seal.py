"""Chunks that are sealed one by one, and what a chunk refers to."""

from __future__ import annotations

from lgckpt._fallback import refs as references
from lgckpt._fallback import varint
from lgckpt._fallback.frame import seal, unseal
from lgckpt._fallback.hashing import hash_chunk
from lgckpt._fallback.params import LEAF, LEVEL_MAX, REF_LEN, ROOT
from lgckpt.errors import FrameError


def seal_root(
    size: int, head: bytes, refs: bytes, tail: bytes, codec: str | None
) -> tuple[bytes, bytes]:
    """Seal a whole root into a chunk of its own: its reference and its frame."""
    count = len(references.parse(refs))
    parts = (varint.put(size), varint.put(len(head)), head, varint.put(count), refs, tail)
    return _sealed(ROOT, b"".join(parts), codec)


def seal_leaf(data: bytes, codec: str | None) -> tuple[bytes, bytes]:
    """Seal raw bytes into one leaf: its reference and its frame."""
    return _sealed(LEAF, data, codec)


def open_root(frame: bytes) -> tuple[int, bytes, bytes, bytes]:
    """The size, head, refs and tail of a root chunk.

    Raises:
        FrameError: The frame or what it holds is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    return parse_root(unseal(frame))


def parse_root(plain: bytes) -> tuple[int, bytes, bytes, bytes]:
    """The parts of the plain bytes of a root chunk."""
    size, at = _take(plain, 0)
    length, at = _take(plain, at)
    head, at = _split(plain, at, length)
    count, at = _take(plain, at)
    refs, at = _split(plain, at, count * REF_LEN)
    return size, head, refs, plain[at:]


def children(level: int, frame: bytes) -> bytes:
    """The references that a chunk of this level names: none for a leaf.

    Raises:
        FrameError: The frame or what it holds is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    if level > LEVEL_MAX and level != ROOT:
        raise FrameError("damaged frame: a chunk of a level that does not exist")
    plain = unseal(frame)
    if level == LEAF:
        return b""
    if level == ROOT:
        refs = parse_root(plain)[2]
        references.parse(refs)
        return refs
    prefix = bytes((level - 1,))
    return b"".join(prefix + key for key in references.parse_node(plain))


def _sealed(level: int, plain: bytes, codec: str | None) -> tuple[bytes, bytes]:
    return bytes((level,)) + hash_chunk(level, plain), seal(plain, codec)


def _take(plain: bytes, at: int) -> tuple[int, int]:
    read = varint.take(plain, at)
    if read is None:
        raise FrameError("damaged frame: a root is cut short")
    return read


def _split(plain: bytes, at: int, length: int) -> tuple[bytes, int]:
    if length > len(plain) - at:
        raise FrameError("damaged frame: a root is cut short")
    return plain[at : at + length], at + length
