"""LEB128: seven bits a byte, low ones first."""

from __future__ import annotations

_MAX = 2**64


def put(value: int) -> bytes:
    """The bytes of a value of up to 64 bits."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def take(data: bytes, at: int) -> tuple[int, int] | None:
    """The value at `at` and where it ends; None if it is cut short or above 64 bits."""
    value = 0
    for shift, byte in zip(range(0, 64, 7), data[at : at + 10], strict=False):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value, at + shift // 7 + 1) if value < _MAX else None
    return None
