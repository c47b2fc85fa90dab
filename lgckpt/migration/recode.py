"""Compresses what passes anew: other frames around the same bytes, so every hash stays."""

from __future__ import annotations

from typing import Literal

from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import ConfigurationError
from lgckpt.rows import Chunk

Codec = Literal["lz4", "zstd", "none"]
CODECS: tuple[Codec, ...] = ("lz4", "zstd", "none")


def codec_of(name: str) -> str | None:
    """The core's name for a codec.

    Raises:
        ConfigurationError: There is none of that name.
    """
    if name not in CODECS:
        raise ConfigurationError(f"re-encode with one of {', '.join(CODECS)}, not {name!r}")
    return None if name == "none" else name


def recoded(batch: Batch, codec: str | None) -> Batch:
    """A batch whose frames are sealed anew.

    A row keeps its etag, since its content stays: so a later run finds it where it is.
    """

    def again(frame: bytes) -> bytes:
        return core.seal(core.unseal(frame), codec)

    return Batch(
        [row._replace(state=again(row.state), metadata=again(row.metadata)) for row in batch.rows],
        [row._replace(value=again(row.value)) for row in batch.writes],
        [Chunk(chunk.hash, again(chunk.frame)) for chunk in batch.chunks],
        batch.claims,
    )
