"""Just enough MessagePack to find where values end: headers, never what is in them."""

from __future__ import annotations

from enum import Enum


class Kind(Enum):
    """What a header says of the bytes after it."""

    SCALAR = 0
    TEXT = 1
    EXT = 2
    ARRAY = 3
    MAP = 4


Header = tuple[int, Kind, int]
"""The header's own length, and the number of bytes, items or pairs that follow."""

# By tag from 0xc4 on: the kind, the width of its length in bytes, and what follows the length.
_SIZED = {
    **{0xC4 + i: (Kind.TEXT, 1 << i, 0) for i in range(3)},
    **{0xC7 + i: (Kind.EXT, 1 << i, 1) for i in range(3)},
    **{0xD9 + i: (Kind.TEXT, 1 << i, 0) for i in range(3)},
    **{0xDC + i: (Kind.ARRAY, 2 << i, 0) for i in range(2)},
    **{0xDE + i: (Kind.MAP, 2 << i, 0) for i in range(2)},
}


def _fixed(tag: int) -> Header | None:
    """The header that the tag alone makes up."""
    if tag < 0x80 or tag >= 0xE0 or tag in (0xC0, 0xC2, 0xC3):
        return 1, Kind.SCALAR, 0
    if tag < 0xC0:
        kind, mask = (
            (Kind.MAP, 15) if tag < 0x90 else (Kind.ARRAY, 15) if tag < 0xA0 else (Kind.TEXT, 31)
        )
        return 1, kind, tag & mask
    if 0xCA <= tag <= 0xD3:
        return 1, Kind.SCALAR, (4, 8, 1, 2, 4, 8, 1, 2, 4, 8)[tag - 0xCA]
    if 0xD4 <= tag <= 0xD8:
        return 2, Kind.EXT, 1 << (tag - 0xD4)
    return None


_FIXED = tuple(_fixed(tag) for tag in range(256))


def header(data: bytes, at: int) -> Header | None:
    """Read the header at `at`; None if it is cut short or not msgpack."""
    if at >= len(data):
        return None
    tag = data[at]
    fixed = _FIXED[tag]
    if fixed is not None:
        return fixed if at + fixed[0] <= len(data) else None
    sized = _SIZED.get(tag)
    if sized is None:
        return None
    kind, width, extra = sized
    length = 1 + width + extra
    if at + length > len(data):
        return None
    return length, kind, int.from_bytes(data[at + 1 : at + 1 + width], "big")


def skip(data: bytes, at: int, end: int | None = None) -> int | None:
    """Where the value at `at` ends, at most at `end`; None if it is cut short or not msgpack."""
    limit = len(data) if end is None else end
    pos, left = at, 1
    while left > 0:
        read = header(data, pos)
        if read is None:
            return None
        length, kind, count = read
        pos += length
        left -= 1
        if kind is Kind.ARRAY:
            left += count
        elif kind is Kind.MAP:
            left += 2 * count
        else:
            pos += count
        # Each value has a byte at least: a count that cannot be met ends here.
        if left > limit - pos:
            return None
    return pos
