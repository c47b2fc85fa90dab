"""Where a msgpack value ends, for ormsgpack reads one and ignores what follows."""

from __future__ import annotations

import ormsgpack

from lgckpt.errors import DecodeError

# For each first byte that says it all: how many bytes there are, and how many values follow.
_ONE = {
    **dict.fromkeys([*range(0x80), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3], (1, 0)),
    **{0x80 + count: (1, 2 * count) for count in range(16)},
    **{0x90 + count: (1, count) for count in range(16)},
    **{0xA0 + length: (1 + length, 0) for length in range(32)},
    **dict.fromkeys([0xCC, 0xD0], (2, 0)),
    **dict.fromkeys([0xCD, 0xD1], (3, 0)),
    **dict.fromkeys([0xCA, 0xCE, 0xD2], (5, 0)),
    **dict.fromkeys([0xCB, 0xCF, 0xD3], (9, 0)),
    **{0xD4 + power: (2 + (1 << power), 0) for power in range(5)},
}
# For others: the width of the number that follows, what it counts, and what comes with bytes.
_BYTES, _ITEMS, _PAIRS = range(3)
_COUNTED = {
    **{0xC4 + power: (1 << power, _BYTES, 0) for power in range(3)},
    **{0xC7 + power: (1 << power, _BYTES, 1) for power in range(3)},
    **{0xD9 + power: (1 << power, _BYTES, 0) for power in range(3)},
    0xDC: (2, _ITEMS, 0),
    0xDD: (4, _ITEMS, 0),
    0xDE: (2, _PAIRS, 0),
    0xDF: (4, _PAIRS, 0),
}


def require_one_value(data: bytes) -> None:
    """Check that there is a whole value, and nothing after it.

    Raises:
        DecodeError: It ends too early, or other bytes follow.
    """
    if _is_one_value(data):
        return
    end = _end(data)
    if end != len(data):
        raise DecodeError(f"{len(data) - end} bytes after the end of the value")


def _is_one_value(data: bytes) -> bool:
    """Ask ormsgpack's check of fragments, where there is one; False if that cannot tell."""
    try:
        ormsgpack.Fragment(data)
    except (AttributeError, ValueError):
        # Also for a value deeper than the check allows.
        return False
    return True


def _end(data: bytes) -> int:
    at, owed = 0, 1
    while owed:
        if owed > len(data) - at:
            raise DecodeError("unexpected end of file")
        size, values = _step(data, at)
        at += size
        owed += values - 1
    if at > len(data):
        raise DecodeError("unexpected end of file")
    return at


def _step(data: bytes, at: int) -> tuple[int, int]:
    """The size of the value or the header at a place, and how many values it adds."""
    first = data[at]
    if first in _ONE:
        return _ONE[first]
    if first not in _COUNTED:
        raise DecodeError(f"invalid type 0x{first:02x}")
    width, counts, more = _COUNTED[first]
    number = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    if counts == _BYTES:
        return 1 + width + more + number, 0
    return 1 + width, number * (2 if counts == _PAIRS else 1)
