"""Compression to and from the standard formats, which any other tool reads too."""

from __future__ import annotations

import lz4.frame
import zstandard

from lgckpt._fallback import contexts
from lgckpt._fallback.params import CHUNK_MAX
from lgckpt.errors import ConfigurationError, DecodeError

# No byte of an lz4 block, or of a zstd frame (blocks of 128 KiB from four bytes), stands for more.
LZ4_RATIO = 255
ZSTD_RATIO = 128 * 1024 // 4
_PIECE = 1024


def check_codec(codec: str | None) -> None:
    """Raise `ConfigurationError` for a name that is none of the codecs."""
    if codec not in ("lz4", "zstd"):
        raise ConfigurationError(f'no codec {codec!r}: there are "lz4" and "zstd"')


def compress(data: bytes, codec: str) -> bytes:
    """Compress to one standard frame that names its content's size."""
    check_codec(codec)
    if codec == "lz4":
        packed: bytes = lz4.frame.compress(data, store_size=True)
        return packed
    return contexts.compress(data)


def decompress(data: bytes, codec: str, max_len: int = CHUNK_MAX) -> bytes:
    """Read a standard frame, whoever wrote it; all of `data` must belong to it.

    Raises:
        DecodeError: It is not one, it is damaged, or holds more than `max_len` bytes.
    """
    check_codec(codec)
    if codec == "lz4":
        return _decompress_lz4(data, min(max_len, len(data) * LZ4_RATIO))
    return _decompress_zstd(data, min(max_len, len(data) * ZSTD_RATIO))


def _decompress_lz4(data: bytes, allowed: int) -> bytes:
    decompressor = lz4.frame.LZ4FrameDecompressor()
    try:
        out: bytes = decompressor.decompress(data, max_length=allowed + 1)
    except (RuntimeError, EOFError) as error:
        raise DecodeError(f"not a whole lz4 frame: {error}") from error
    if len(out) > allowed:
        raise DecodeError(f"not a whole lz4 frame: more than {allowed} bytes")
    if not decompressor.eof:
        raise DecodeError("not a whole lz4 frame: it is cut short")
    if decompressor.unused_data:
        raise DecodeError("not a whole lz4 frame: there are bytes after its end")
    return out


def _decompress_zstd(data: bytes, allowed: int) -> bytes:
    if not data:
        raise DecodeError("not a whole zstd frame: it is empty")
    out = bytearray()
    try:
        while data:
            data = _zstd_frame(data, allowed, out)
    except zstandard.ZstdError as error:
        raise DecodeError(f"not a whole zstd frame: {error}") from error
    return bytes(out)


def _zstd_frame(data: bytes, allowed: int, out: bytearray) -> bytes:
    """Append the content of the first frame in `data`; return what comes after the frame."""
    if zstandard.frame_content_size(data) > allowed - len(out):
        raise DecodeError(f"not a whole zstd frame: more than {allowed} bytes")
    decompressor = contexts.take_decompressor()
    frame = decompressor.decompressobj()
    for at in range(0, len(data), _PIECE):
        out += frame.decompress(data[at : at + _PIECE])
        if len(out) > allowed:
            raise DecodeError(f"not a whole zstd frame: more than {allowed} bytes")
        if frame.eof:
            contexts.give_back(decompressor)
            return frame.unused_data + data[at + _PIECE :]
    raise DecodeError("not a whole zstd frame: it is cut short")
