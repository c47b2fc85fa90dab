"""Where a msgpack value ends, for ormsgpack reads one and ignores what follows."""

from __future__ import annotations

from typing import Any

import ormsgpack

from lgckpt.errors import DecodeError

# For each first byte: how many bytes the header has, and what its number counts.
_VALUE, _BYTES, _ITEMS, _PAIRS = range(4)
_FIXED = {
    **dict.fromkeys([0xC0, 0xC2, 0xC3], 1),
    **dict.fromkeys([0xCC, 0xD0], 2),
    **dict.fromkeys([0xCD, 0xD1], 3),
    **dict.fromkeys([0xCA, 0xCE, 0xD2], 5),
    **dict.fromkeys([0xCB, 0xCF, 0xD3], 9),
    **{0xD4 + power: 2 + (1 << power) for power in range(5)},
}
_COUNTED = {
    **{0xC4 + power: (1 << power, _BYTES, 0) for power in range(3)},
    **{0xC7 + power: (1 << power, _BYTES, 1) for power in range(3)},
    **{0xD9 + power: (1 << power, _BYTES, 0) for power in range(3)},
    0xDC: (2, _ITEMS, 0),
    0xDD: (4, _ITEMS, 0),
    0xDE: (2, _PAIRS, 0),
    0xDF: (4, _PAIRS, 0),
}


def require_one_value(data: Any) -> None:
    """Check that nothing follows a value that ormsgpack could read.

    Raises:
        DecodeError: Other bytes follow.
    """
    data = data if type(data) is bytes else bytes(data)
    try:
        ormsgpack.Fragment(data)
    except ValueError:
        # Also for a value deeper than the check allows, and for timestamps that LangGraph does not write.
        end = _end(data)
        if end != len(data):
            raise DecodeError(f"{len(data) - end} bytes after the end of the value") from None


def _end(data: bytes) -> int:
    at, owed = 0, 1
    while owed:
        owed -= 1
        size, values = _step(data, at)
        at += size
        owed += values
    return at


def _step(data: bytes, at: int) -> tuple[int, int]:
    """The size of the value or the header at a place, and how many values it adds."""
    first = data[at]
    if first < 0x80 or first >= 0xE0:
        return 1, 0
    if first < 0x90:
        return 1, 2 * (first & 0x0F)
    if first < 0xA0:
        return 1, first & 0x0F
    if first < 0xC0:
        return 1 + (first & 0x1F), 0
    if first in _FIXED:
        return _FIXED[first], 0
    width, counts, more = _COUNTED[first]
    number = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    if counts == _BYTES:
        return 1 + width + more + number, 0
    return 1 + width, number * (2 if counts == _PAIRS else 1)
