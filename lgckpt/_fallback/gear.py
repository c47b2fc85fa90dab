"""The rolling hash that splits long strings by content; `rust/core/src/gear.rs` describes it.

Python is slow a byte at a time, so a block is hashed as one wide integer of 16-bit lanes, one a
byte: the hash over 16 bytes is that over 8, exclusive-ored with that over the 8 before, and so on.
"""

from __future__ import annotations

from functools import lru_cache

from lgckpt._fallback.params import GEAR_MASK, GEAR_SEED, GEAR_WINDOW

_BLOCK = 4096
_LANES = _BLOCK + 2 * GEAR_WINDOW
_WORD = 2**64 - 1


def _table() -> list[int]:
    """The high 16 bits of the first 256 values of SplitMix64 (Steele et al., OOPSLA 2014)."""
    table, state = [], GEAR_SEED
    for _ in range(256):
        state = (state + 0x9E3779B97F4A7C15) & _WORD
        word = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _WORD
        word = (word ^ word >> 27) * 0x94D049BB133111EB & _WORD
        table.append((word ^ word >> 31) >> 48)
    return table


_TABLE = _table()
_LOW = bytes(word & 0xFF for word in _TABLE)
_HIGH = bytes(word >> 8 for word in _TABLE)


@lru_cache(maxsize=8)
def _lanes(word: int) -> int:
    return int.from_bytes(word.to_bytes(2, "little") * _LANES, "little")


def find(text: bytes, first: int, last: int) -> int | None:
    """The first place in `first..=last` that ends a chunk of the string; None if there is none.

    A place is the index after the byte that ends the chunk, so `first` is 1 or more.
    """
    for start in range(first - 1, last, _BLOCK):
        warm = max(0, start - GEAR_WINDOW + 1)
        masked = _masked(text[warm : min(start + _BLOCK, last)])
        lane = _zero_lane(masked, start - warm, min(start + _BLOCK, last) - warm)
        if lane is not None:
            return warm + lane + 1
    return None


def _masked(block: bytes) -> bytes:
    """The masked hash at each byte of the block, which is warm after 15 bytes."""
    lanes = bytearray(2 * len(block))
    lanes[0::2] = block.translate(_LOW)
    lanes[1::2] = block.translate(_HIGH)
    hashes = int.from_bytes(lanes, "little")
    width = 1
    while width < GEAR_WINDOW:
        # Move each lane `width` lanes on, and shift it by as many bits within.
        hashes ^= (hashes & _lanes(0xFFFF >> width)) << (16 * width + width)
        width *= 2
    return (hashes & _lanes(GEAR_MASK)).to_bytes(2 * (len(block) + GEAR_WINDOW), "little")


def _zero_lane(masked: bytes, first: int, end: int) -> int | None:
    at = masked.find(b"\0\0", 2 * first, 2 * end)
    while at >= 0 and at % 2:
        at = masked.find(b"\0\0", at + 1, 2 * end)
    return at // 2 if at >= 0 else None
