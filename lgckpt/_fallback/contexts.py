"""The zstd contexts that each thread keeps: making one costs more than compressing a small chunk.

Whoever uses a context takes it from its thread, so that a finalizer or a signal handler that runs
meanwhile makes another. One that raised is not given back.
"""

from __future__ import annotations

import threading

import zstandard

_LEVEL = 3
# A thread keeps no larger context, in bytes. They grow with their inputs and with frames' windows.
_KEEP_MAX = 2**20


class _Kept(threading.local):
    compressor: zstandard.ZstdCompressor | None = None
    decompressor: zstandard.ZstdDecompressor | None = None


_kept = _Kept()


def compress(data: bytes) -> bytes:
    """Compress to one zstd frame that names its content's size."""
    taken, _kept.compressor = _kept.compressor, None
    compressor = taken or zstandard.ZstdCompressor(level=_LEVEL)
    packed = compressor.compress(data)
    if compressor.memory_size() <= _KEEP_MAX:
        _kept.compressor = compressor
    return packed


def take_decompressor() -> zstandard.ZstdDecompressor:
    """The thread's decompressor, or another if it has none."""
    taken, _kept.decompressor = _kept.decompressor, None
    return taken or zstandard.ZstdDecompressor()


def give_back(decompressor: zstandard.ZstdDecompressor) -> None:
    """Let the thread keep a decompressor that has come to the end of a frame."""
    if decompressor.memory_size() <= _KEEP_MAX:
        _kept.decompressor = decompressor
