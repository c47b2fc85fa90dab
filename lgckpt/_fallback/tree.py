"""The chunk tree of one value; `rust/core/src/tree.rs` describes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lgckpt._fallback import refs as references
from lgckpt._fallback.chunk import split
from lgckpt._fallback.compress import check_codec
from lgckpt._fallback.frame import seal
from lgckpt._fallback.hashing import hash_chunk
from lgckpt._fallback.params import LEAF, LEVEL_MAX, NODE_MASK, NODE_MAX, NODE_MIN


class Known:
    """The keys of chunks that are thought to be stored."""

    __slots__ = ("_hashes",)

    def __init__(self, refs: bytes = b"") -> None:
        self._hashes = frozenset(key for _, key in references.parse(refs))

    @classmethod
    def _of(cls, hashes: Iterable[bytes]) -> Known:
        known = cls()
        known._hashes = frozenset(hashes)
        return known

    def __contains__(self, key: bytes) -> bool:
        return key in self._hashes

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def nbytes(self) -> int:
        """The memory it holds."""
        keys = sum(map(sys.getsizeof, self._hashes))
        return sys.getsizeof(self) + sys.getsizeof(self._hashes) + keys


@dataclass(frozen=True)
class _Level:
    """All chunks of one level, in the order of the value: their keys, and what each is made of."""

    hashes: list[bytes]
    # Where each starts and ends: in the value for leaves, among the chunks below for nodes.
    spans: list[tuple[int, int]]

    @property
    def end(self) -> int:
        return self.spans[-1][1] if self.spans else 0


class Tree:
    """A value split into chunks and hashed."""

    __slots__ = ("_data", "_head", "_levels", "_tail")

    def __init__(self, data: bytes, structured: bool, earlier: Tree | None = None) -> None:
        self._data = data
        self._head, ends = split(data, structured)
        spans = list(zip([self._head, *ends], ends, strict=False))
        keys = [] if earlier is None else earlier._keys_of(data, spans)
        keys += [hash_chunk(LEAF, data[start:end]) for start, end in spans[len(keys) :]]
        self._tail = ends[-1] if ends else self._head
        self._levels = [_Level(keys, spans)]
        for level in range(1, LEVEL_MAX + 1):
            nodes = _nodes(level, self._levels[-1].hashes)
            if not nodes.hashes:
                break
            self._levels.append(nodes)

    @property
    def size(self) -> int:
        """The length of the whole value."""
        return len(self._data)

    @property
    def data(self) -> bytes:
        """The value."""
        return self._data

    @property
    def nbytes(self) -> int:
        """The memory it holds, the value included."""
        keys = sum(sys.getsizeof(key) for level in self._levels for key in level.hashes)
        return len(self._data) + keys

    @property
    def proved(self) -> int:
        """How many elements were not packed again: none, here every value is packed afresh."""
        return 0

    @property
    def head(self) -> bytes:
        """The first bytes of the value."""
        return self._data[: self._head]

    @property
    def tail(self) -> bytes:
        """The last bytes of the value."""
        return self._data[self._tail :]

    @property
    def refs(self) -> bytes:
        """The references of the root, 21 bytes each."""
        out = []
        for level in reversed(range(len(self._levels))):
            prefix = bytes((level,))
            out += [prefix + self._levels[level].hashes[index] for index in self._roots(level)]
        return b"".join(out)

    def unsent(
        self, known: Sequence[Known], codec: str | None
    ) -> tuple[list[tuple[bytes, bytes]], list[bytes]]:
        """What of the tree has still to be stored, and what that relies on."""
        if codec is not None:
            check_codec(codec)
        send, claims = self._walk(known)
        chunks = []
        for level, indices in enumerate(send):
            keys = self._levels[level].hashes
            chunks += [(keys[index], seal(self._plain(level, index), codec)) for index in indices]
        return chunks, claims

    def known(self) -> Known:
        """The keys of all its chunks."""
        return Known._of(key for level in self._levels for key in level.hashes)

    def _keys_of(self, data: bytes, spans: list[tuple[int, int]]) -> list[bytes]:
        """The keys of the leading leaves of another value, as far as they are this one's too."""
        keys = []
        leaves = self._levels[0]
        for (start, end), key, (from_, to) in zip(spans, leaves.hashes, leaves.spans, strict=False):
            if data[start:end] != self._data[from_:to]:
                break
            keys.append(key)
        return keys

    def _roots(self, level: int) -> range:
        """What the root itself refers to: what no node one level up has closed over."""
        above = self._levels[level + 1].end if level + 1 < len(self._levels) else 0
        return range(above, len(self._levels[level].hashes))

    def _walk(self, known: Sequence[Known]) -> tuple[list[list[int]], list[bytes]]:
        seen: set[bytes] = set()
        claims: list[bytes] = []
        send: list[list[int]] = [[] for _ in self._levels]
        below: list[int] = []
        for level in reversed(range(len(self._levels))):
            hashes = self._levels[level].hashes
            for index in [*below, *self._roots(level)]:
                key = hashes[index]
                if key in seen:
                    continue
                seen.add(key)
                if any(key in it for it in known):
                    claims.append(key)
                else:
                    send[level].append(index)
            spans = self._levels[level].spans
            below = [child for index in send[level] for child in range(*spans[index])]
        return send, claims

    def _plain(self, level: int, index: int) -> bytes:
        start, end = self._levels[level].spans[index]
        if level == LEAF:
            return self._data[start:end]
        return b"".join(self._levels[level - 1].hashes[start:end])


def _nodes(level: int, hashes: list[bytes]) -> _Level:
    """Group the keys of one level into the nodes of the next."""
    spans, start = [], 0
    for end, key in enumerate(hashes, 1):
        if end - start >= NODE_MAX or (end - start >= NODE_MIN and key[-1] & NODE_MASK == 0):
            spans.append((start, end))
            start = end
    keys = [hash_chunk(level, b"".join(hashes[start:end])) for start, end in spans]
    return _Level(keys, spans)
