"""Putting a value together again; `rust/core/src/assemble.rs` describes it."""

from __future__ import annotations

from collections.abc import Mapping

from lgckpt._fallback.frame import parse, unseal
from lgckpt._fallback.params import CHUNK_MAX, HASH_LEN, LEAF, LEAF_LEAST, ROOT
from lgckpt._fallback.refs import parse as parse_refs
from lgckpt._fallback.refs import parse_node
from lgckpt._fallback.seal import parse_root
from lgckpt.errors import FrameError, UnsupportedFormatError


def assemble(
    size: int, head: bytes, refs: bytes, tail: bytes, chunks: Mapping[bytes, bytes]
) -> bytes:
    """Put a value together from its root and its chunks.

    Raises:
        FrameError: A chunk is missing or damaged, or they do not add up to `size`.
        UnsupportedFormatError: A newer release wrote a chunk.
    """
    if size > CHUNK_MAX:
        raise FrameError(f"claims {size} bytes where at most {CHUNK_MAX} are allowed")
    walk = _Walk(size, chunks)
    walk.root(head, refs, tail, outermost=True)
    if walk.left:
        raise FrameError("damaged frame: a value is shorter than its root says")
    return b"".join(walk.pieces)


class _Walk:
    def __init__(self, size: int, chunks: Mapping[bytes, bytes]) -> None:
        self.left = size
        self.chunks = chunks
        self.pieces: list[bytes] = []

    def root(self, head: bytes, refs: bytes, tail: bytes, *, outermost: bool) -> None:
        self._add(head)
        for level, key in parse_refs(refs):
            if level == LEAF:
                self._leaf(key, 0)
            elif level != ROOT:
                self._node(level, key)
            elif outermost:
                self._root_chunk(key)
            else:
                raise FrameError("damaged frame: a root within a root")
        self._add(tail)

    def _root_chunk(self, key: bytes) -> None:
        size, head, refs, tail = parse_root(self._plain(ROOT, key))
        before = self.left
        self.root(head, refs, tail, outermost=False)
        if before - self.left != size:
            raise FrameError(f"{_name(ROOT, key)}: a value is not of the size its root says")

    def _node(self, level: int, key: bytes) -> None:
        """Follow a node down, at most as deep as there are levels."""
        stack = [(level, key)]
        while stack:
            level, key = stack.pop()
            if level == LEAF:
                self._leaf(key, LEAF_LEAST)
                continue
            plain = self._plain(level, key)
            # Every child holds a leaf, so a node cannot have more than the value has room for.
            if len(plain) // HASH_LEN > self.left // LEAF_LEAST:
                raise _longer()
            stack += [(level - 1, child) for child in reversed(parse_node(plain))]

    def _leaf(self, key: bytes, least: int) -> None:
        frame = self._find(LEAF, key)
        try:
            length = parse(frame, CHUNK_MAX).length
        except (FrameError, UnsupportedFormatError) as error:
            raise type(error)(f"{_name(LEAF, key)}: {error}") from error
        if length < least:
            raise FrameError(f"{_name(LEAF, key)}: damaged frame: too short")
        if length > self.left:
            raise _longer()
        self._add(self._plain(LEAF, key))

    def _add(self, piece: bytes) -> None:
        if len(piece) > self.left:
            raise _longer()
        self.left -= len(piece)
        self.pieces.append(piece)

    def _plain(self, level: int, key: bytes) -> bytes:
        try:
            return unseal(self._find(level, key))
        except (FrameError, UnsupportedFormatError) as error:
            raise type(error)(f"{_name(level, key)}: {error}") from error

    def _find(self, level: int, key: bytes) -> bytes:
        try:
            return self.chunks[key]
        except KeyError:
            raise FrameError(f"{_name(level, key)} is missing") from None


def _name(level: int, key: bytes) -> str:
    return f"chunk {key.hex()} of level {level}"


def _longer() -> FrameError:
    return FrameError("damaged frame: a value is longer than its root says")
