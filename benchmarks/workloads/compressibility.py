"""How much the benchmark's messages shrink: the reader's measure of how honest they are."""

from __future__ import annotations

import lz4.frame
import zstandard
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from benchmarks.workloads.chat import conversation

_PIECE = 4096


def compressibility(count: int = 1_000) -> str:
    """Say how many times smaller lz4 and zstd make packed messages, whole and in pieces."""
    _, packed = JsonPlusSerializer().dumps_typed(conversation(count))
    pieces = [packed[at : at + _PIECE] for at in range(0, len(packed), _PIECE)]
    zstd = zstandard.ZstdCompressor(level=3)
    said = [f"{len(packed) / count:.0f} bytes a message"]
    for name, compress in (("lz4", lz4.frame.compress), ("zstd -3", zstd.compress)):
        whole = len(packed) / len(compress(packed))
        split = len(packed) / sum(len(compress(piece)) for piece in pieces)
        said.append(f"{name} {whole:.2f}x whole, {split:.2f}x in {_PIECE // 1024} KiB pieces")
    return "; ".join(said)
