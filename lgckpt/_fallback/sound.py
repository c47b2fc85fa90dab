"""Whether stored rows are as they were written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lgckpt._fallback.frame import unseal
from lgckpt._fallback.hashing import etag, hash_chunk
from lgckpt._fallback.params import ROOT
from lgckpt._fallback.refs import parse
from lgckpt._fallback.seal import children
from lgckpt.errors import FrameError, UnsupportedFormatError

_TEXT = ((str, type(None)),) * 2
_DAMAGE = (FrameError, UnsupportedFormatError)


def sound(
    rows: Sequence[tuple[Any, ...]],
    writes: Sequence[tuple[Any, ...]],
    chunks: Sequence[tuple[Any, ...]],
    claims: Sequence[Any],
) -> bool:
    """Whether every row has its etag, every write its checksum, and all chunks are whole."""
    held = _Chunks(dict(chunks), frozenset(claims))
    try:
        return all(map(held.hold_row, rows)) and all(map(held.hold_write, writes))
    except _DAMAGE:
        return False


class _Chunks:
    """Chunks, and which of those have been found to be whole."""

    def __init__(self, frames: dict[bytes, bytes], claims: frozenset[bytes]) -> None:
        self._frames = frames
        self._claims = claims
        self._whole: set[tuple[int, bytes]] = set()

    def hold_row(self, row: tuple[Any, ...]) -> bool:
        """Whether a row has its etag, and all that it refers to."""
        types = tuple(map(type, row[3:]))
        texts = all(kind in both for kind, both in zip(types[:2], _TEXT, strict=True))
        if not texts or types[2:] != (int, bytes, bytes, bytes, bytes):
            return False
        _, _, _, own, metadata, state, refs = row[3:]
        return bool(own == etag(state, refs, metadata)) and self._hold(refs)

    def hold_write(self, row: tuple[Any, ...]) -> bool:
        """Whether a write's frame is whole, and all that it refers to."""
        if tuple(map(type, row[3:])) != (str, int, str, str, str, bytes, bytes):
            return False
        value, refs = row[8:]
        return unseal(value)[:1] == (b"\1" if refs else b"\0") and self._hold(refs)

    def _hold(self, refs: bytes) -> bool:
        left = parse(refs)
        while left:
            level, key = left.pop()
            if key in self._claims or (level, key) in self._whole:
                continue
            self._whole.add((level, key))
            frame = self._frames.get(key)
            if type(frame) is not bytes or hash_chunk(level, unseal(frame)) != key:
                return False
            below = children(level, frame)
            found = parse(below)
            if level == ROOT and any(one == ROOT for one, _ in found):
                return False
            left += found
        return True
