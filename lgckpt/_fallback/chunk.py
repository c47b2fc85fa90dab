"""The content-defined split of a value; `rust/core/src/chunk.rs` describes it."""

from __future__ import annotations

from zlib import crc32

from lgckpt._fallback import gear
from lgckpt._fallback.msgpack import Kind, header, skip
from lgckpt._fallback.params import DEPTH_MAX, ELEMENT_MAX, LEAF_MAX, LEAF_MIN


def split(data: bytes, structured: bool) -> tuple[int, list[int]]:
    """The length of the head, and where each leaf ends; the tail follows.

    Args:
        data: The value: msgpack if `structured`, any bytes otherwise.
        structured: Whether to split at element boundaries.
    """
    head, kind, count = _outer(data) if structured else (0, None, 0)
    splitter = _Splitter(data, head)
    end = splitter.items(head, kind, count)
    # A long string, and whatever is not msgpack or comes after the value.
    splitter.text(end, len(data))
    return head, splitter.ends


def _outer(data: bytes) -> tuple[int, Kind | None, int]:
    """The outermost container or string: where its header ends, and what it is."""
    pos = 0
    for _ in range(DEPTH_MAX):
        read = header(data, pos)
        if read is None:
            break
        length, kind, count = read
        if kind is Kind.EXT and _wraps(data, pos + length, count):
            pos += length
        elif kind is Kind.SCALAR:
            break
        else:
            return pos + length, kind, count
    return pos, None, 0


def _wraps(data: bytes, start: int, length: int) -> bool:
    """Whether an ext body is exactly one msgpack value."""
    end = start + length
    return end <= len(data) and skip(data, start, end) == end


def _item_end(data: bytes, pos: int, pair: bool) -> int | None:
    end = skip(data, pos)
    return skip(data, end) if pair and end is not None else end


def _ends_leaf(element: bytes) -> bool:
    length = len(element)
    return length >= LEAF_MIN or crc32(element) * LEAF_MIN < min(length, LEAF_MIN // 2) << 32


class _Splitter:
    def __init__(self, data: bytes, head: int) -> None:
        self.data = data
        self.leaf = head
        self.ends: list[int] = []

    def items(self, pos: int, kind: Kind | None, count: int) -> int:
        """Add all items of a container from `pos` on; return where it stopped."""
        if kind is not Kind.ARRAY and kind is not Kind.MAP:
            return pos
        # Of each container within another: items still to come, and whether they are pairs.
        stack = [(count, kind is Kind.MAP)]
        while stack:
            left, pairs = stack.pop()
            if left == 0:
                continue
            end = _item_end(self.data, pos, pairs)
            if end is None:
                break
            stack.append((left - 1, pairs))
            pos = self._item(pos, end, pairs, stack)
        return pos

    def _item(self, pos: int, end: int, pairs: bool, stack: list[tuple[int, bool]]) -> int:
        if end - pos <= ELEMENT_MAX:
            self._element(pos, end)
            return end
        if len(stack) >= DEPTH_MAX:
            self.text(pos, end)
            return end
        if pairs:
            stack.append((2, False))
            return pos
        return self._enter(pos, end, stack)

    def _enter(self, start: int, end: int, stack: list[tuple[int, bool]]) -> int:
        """Take a long element apart: its header joins the leaf, its body is split in turn."""
        read = header(self.data, start)
        if read is None:
            return start
        length, kind, count = read
        body = start + length
        if body - self.leaf > LEAF_MAX:
            self._close(start)
        if kind is Kind.ARRAY or kind is Kind.MAP:
            stack.append((count, kind is Kind.MAP))
            return body
        if kind is Kind.EXT and _wraps(self.data, body, count):
            stack.append((1, False))
            return body
        self.text(body, end)
        return end

    def _element(self, start: int, end: int) -> None:
        if end - self.leaf < LEAF_MIN:
            return
        if end - self.leaf > LEAF_MAX:
            self._close(start)
        if end - self.leaf >= LEAF_MIN and _ends_leaf(self.data[start:end]):
            self._close(end)

    def text(self, start: int, end: int) -> None:
        """Add a long string, which is cut by the rolling hash."""
        if end - self.leaf < LEAF_MIN:
            return
        text = self.data[start:end]
        pos = start
        while pos < end:
            if pos - self.leaf >= LEAF_MAX:
                self._close(pos)
            full = self.leaf + LEAF_MAX
            first = max(self.leaf + LEAF_MIN, pos + 1)
            place = gear.find(text, first - start, min(full, end) - start)
            if place is not None:
                self._close(start + place)
            elif full <= end:
                self._close(full)
            else:
                return
            pos = self.leaf

    def _close(self, at: int) -> None:
        self.ends.append(at)
        self.leaf = at
