"""The versioned envelope around all that is stored; `rust/core/src/frame.rs` has its layout."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

import lz4.block
import zstandard

from lgckpt._fallback import contexts, varint
from lgckpt._fallback.compress import LZ4_RATIO, ZSTD_RATIO, check_codec
from lgckpt._fallback.params import CHUNK_MAX
from lgckpt.errors import FrameError, UnsupportedFormatError

VERSION = 1
COMPRESS_MIN = 64
_LZ4_MAX = 0x7E000000
_PLAIN, _LZ4_BLOCK, _ZSTD_FRAME = range(3)
_HEADER = struct.Struct("<BBI")


@dataclass(frozen=True)
class Envelope:
    """A frame whose length can be true, not yet decompressed."""

    codec: int
    length: int
    payload: bytes


def seal(data: bytes, codec: str | None) -> bytes:
    """Seal one frame; compressed only if that makes it shorter."""
    tag, payload = _pack(data, codec)
    rest = varint.put(len(data)) + payload
    return _HEADER.pack(VERSION, tag, crc32(rest, crc32(bytes((VERSION, tag))))) + rest


def unseal(frame: bytes, max_len: int = CHUNK_MAX) -> bytes:
    """Read one frame of at most `max_len` plain bytes.

    Raises:
        FrameError: It is damaged, or claims more than `max_len` or than its payload can hold.
        UnsupportedFormatError: A newer release wrote it.
    """
    envelope = parse(frame, max_len)
    _check(frame)
    return _unpack(envelope)


def parse(frame: bytes, max_len: int) -> Envelope:
    """Read the header of a frame; the checksum is still to be verified."""
    if len(frame) < _HEADER.size:
        raise FrameError("damaged frame: it is shorter than its header")
    version, tag, _ = _HEADER.unpack_from(frame)
    if version != VERSION:
        _check(frame)
        raise UnsupportedFormatError(
            f"stored in format version {version}, which a newer release of lgckpt wrote; "
            f"this one reads version {VERSION}"
        )
    read = varint.take(frame, _HEADER.size)
    if read is None:
        raise FrameError("damaged frame: it has no length")
    claimed, start = read
    allowed = min(_bound(tag, len(frame) - start), max_len)
    if tag == _PLAIN and claimed != len(frame) - start:
        raise FrameError("damaged frame: its length is not that of its payload")
    if tag != _PLAIN and claimed <= len(frame) - start:
        raise FrameError("damaged frame: it is compressed to no less than its length")
    if claimed > allowed:
        raise FrameError(f"claims {claimed} bytes where at most {allowed} are allowed")
    return Envelope(tag, claimed, frame[start:])


def _bound(tag: int, payload: int) -> int:
    """The most that a payload of this many bytes can decompress to."""
    ratio = {_PLAIN: 1, _LZ4_BLOCK: LZ4_RATIO, _ZSTD_FRAME: ZSTD_RATIO}.get(tag)
    if ratio is None:
        raise FrameError("damaged frame: its codec does not exist")
    return payload * ratio


def _check(frame: bytes) -> None:
    _, _, crc = _HEADER.unpack_from(frame)
    if crc != crc32(frame[_HEADER.size :], crc32(frame[:2])):
        raise FrameError("damaged frame: its checksum is wrong")


def _pack(data: bytes, codec: str | None) -> tuple[int, bytes]:
    if codec is not None:
        check_codec(codec)
    tag, payload = _PLAIN, data
    if codec == "lz4" and COMPRESS_MIN <= len(data) <= _LZ4_MAX:
        tag, payload = _LZ4_BLOCK, lz4.block.compress(data, store_size=False)
    elif codec == "zstd" and len(data) >= COMPRESS_MIN:
        tag, payload = _ZSTD_FRAME, contexts.compress(data)
    return (tag, payload) if len(payload) < len(data) else (_PLAIN, data)


def _unpack(envelope: Envelope) -> bytes:
    plain = envelope.payload
    try:
        if envelope.codec == _LZ4_BLOCK:
            plain = lz4.block.decompress(plain, uncompressed_size=min(envelope.length, _LZ4_MAX))
        elif envelope.codec == _ZSTD_FRAME:
            plain = _unpack_zstd(plain, envelope.length)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise FrameError(f"damaged frame: {error}") from error
    if len(plain) != envelope.length:
        raise FrameError("damaged frame: it does not decompress to the length it names")
    return plain


def _unpack_zstd(payload: bytes, length: int) -> bytes:
    if zstandard.frame_content_size(payload) not in (length, -1):
        raise FrameError("damaged frame: it does not decompress to the length it names")
    decompressor = contexts.take_decompressor()
    plain = decompressor.decompress(payload, max_output_size=length, allow_extra_data=False)
    contexts.give_back(decompressor)
    return plain
