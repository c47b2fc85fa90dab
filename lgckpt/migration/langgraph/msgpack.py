"""Where a msgpack value ends: headers alone, in a loop, whatever the bytes claim."""

from __future__ import annotations

from lgckpt.errors import DecodeError

_SIZES = bytearray(256)
"""For a first byte that says how long the header and the bytes after it are: that; or 0."""

_ITEMS = bytearray(256)
"""For a first byte that says how many values follow: that many."""

for _tag in (*range(0x80), *range(0x80, 0xA0), *range(0xE0, 0x100), 0xC0, 0xC2, 0xC3):
    _SIZES[_tag] = 1
for _tag in range(16):
    _ITEMS[0x80 + _tag], _ITEMS[0x90 + _tag] = 2 * _tag, _tag
for _tag in range(32):
    _SIZES[0xA0 + _tag] = 1 + _tag
for _tag, _size in zip(range(0xCA, 0xD4), (5, 9, 2, 3, 5, 9, 2, 3, 5, 9), strict=True):
    _SIZES[_tag] = _size
for _tag in range(5):
    _SIZES[0xD4 + _tag] = 2 + (1 << _tag)

# For the others: the width of the number that follows, and what comes with the bytes it counts.
_BYTES = {
    **{0xC4 + power: (1 << power, 0) for power in range(3)},
    **{0xC7 + power: (1 << power, 1) for power in range(3)},
    **{0xD9 + power: (1 << power, 0) for power in range(3)},
}
# The width of the number that follows, and how many values each that it counts is.
_CONTAINERS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}

_CUT_SHORT = "unexpected end of file"


def end_of(data: bytes, at: int, values: int = 1) -> int:
    """Where the values that begin at a place end.

    Memory is the loop's own: no claim of a length or of a depth takes any.

    Args:
        data: The bytes.
        at: Where they begin.
        values: How many there are.

    Raises:
        DecodeError: They are cut short, or are not msgpack.
    """
    sizes, items, end = _SIZES, _ITEMS, len(data)
    owed = values
    # Each value has a byte at least: a count that cannot be met ends here.
    while 0 < owed <= end - at:
        tag = data[at]
        size = sizes[tag]
        if size:
            at += size
            owed += items[tag] - 1
        elif tag in _BYTES:
            width, more = _BYTES[tag]
            at += 1 + width + more + int.from_bytes(data[at + 1 : at + 1 + width], "big")
            owed -= 1
        else:
            count, at = container_at(data, at)
            owed += count - 1
    if owed or at > end:
        raise DecodeError(_CUT_SHORT)
    return at


def container_at(data: bytes, at: int) -> tuple[int, int]:
    """How many values the array or the map at a place holds, keys counted, and where they begin.

    Raises:
        DecodeError: There is none, or its header is cut short.
    """
    tag = data[at] if at < len(data) else 0
    if 0x80 <= tag < 0xA0:
        return _ITEMS[tag], at + 1
    if tag not in _CONTAINERS:
        raise DecodeError(f"no array or map begins with 0x{tag:02x}")
    width, each = _CONTAINERS[tag]
    begin = at + 1 + width
    if begin > len(data):
        raise DecodeError(_CUT_SHORT)
    return each * int.from_bytes(data[at + 1 : begin], "big"), begin


def is_map(data: bytes, at: int) -> bool:
    """Whether a map begins at a place."""
    return at < len(data) and (0x80 <= data[at] < 0x90 or data[at] in (0xDE, 0xDF))


def is_array(data: bytes, at: int) -> bool:
    """Whether an array begins at a place."""
    return at < len(data) and (0x90 <= data[at] < 0xA0 or data[at] in (0xDC, 0xDD))


def text_at(data: bytes, at: int, end: int) -> str:
    """The text that lies between two places, as `end_of` found them.

    Raises:
        DecodeError: Another value is there.
    """
    tag = data[at]
    if 0xA0 <= tag < 0xC0:
        at += 1
    elif 0xD9 <= tag <= 0xDB:
        at += 1 + _BYTES[tag][0]
    else:
        raise DecodeError("a key is not text")
    try:
        return data[at:end].decode()
    except UnicodeDecodeError as exc:
        raise DecodeError("a key is not text") from exc


def bytes_at(data: bytes, at: int, end: int) -> bytes | None:
    """The content of the byte string between two places, as `end_of` found them, if it is one."""
    if 0xC4 <= data[at] <= 0xC6:
        return data[at + 1 + _BYTES[data[at]][0] : end]
    return None


def map_header(pairs: int) -> bytes:
    """The header of a map."""
    if pairs < 16:
        return bytes([0x80 | pairs])
    if pairs < 1 << 16:
        return b"\xde" + pairs.to_bytes(2, "big")
    return b"\xdf" + pairs.to_bytes(4, "big")


def ext_code(data: bytes) -> int | None:
    """The code of the extension that a value is, if it is one."""
    tag = data[0] if data else 0
    if 0xD4 <= tag <= 0xD8:
        return data[1]
    if 0xC7 <= tag <= 0xC9:
        return data[1 + _BYTES[tag][0]]
    return None
