"""Values to split, frames to forge, and bytes to damage."""

from __future__ import annotations

import random
import struct
from zlib import crc32

import ormsgpack
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

examples = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
CODECS = (None, "lz4", "zstd")


def prose(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices("etaoin shrdlu", k=length))


def message(index: int) -> ormsgpack.Ext:
    fields = {"content": prose(150 + index * 37 % 700, index), "id": prose(32, ~index)}
    return ormsgpack.Ext(5, ormsgpack.packb(["langchain_core.messages", "HumanMessage", fields]))


def chat(messages: int, start: int = 0) -> bytes:
    return ormsgpack.packb([message(index) for index in range(start, start + messages)])


def forged(version: int, codec: int, length: int, payload: bytes) -> bytes:
    """A frame with any header and a checksum that holds."""
    rest = varint(length) + payload
    return struct.pack("<BBI", version, codec, crc32(rest, crc32(bytes((version, codec))))) + rest


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The bytes with something cut, flipped, repeated or put in."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            del out[at:]
        elif kind == 1 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            out[at:at] = rng.randbytes(rng.randint(1, 8))
        elif kind == 3:
            out[at:at] = out[at : at + rng.randint(1, 64)]
        else:
            out[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"))
    return bytes(out)


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.builds(prose, st.integers(0, 9000), st.integers(0, 99)),
    st.builds(
        lambda length, seed: random.Random(seed).randbytes(length),
        st.integers(0, 9000),
        st.integers(0, 99),
    ),
)


def _containers(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(
        st.lists(inner, max_size=30),
        st.dictionaries(st.text(max_size=10), inner, max_size=10),
        st.builds(lambda it: ormsgpack.Ext(7, ormsgpack.packb(it)), inner),
    )


_REPEATED = st.builds(lambda it, times: [it] * times, _SCALARS, st.integers(0, 30))
VALUES = st.one_of(
    st.recursive(_SCALARS | _REPEATED, _containers, max_leaves=12),
    st.lists(st.integers(0, 10), max_size=100).map(lambda them: [message(it) for it in them]),
).map(ormsgpack.packb)
BYTES = st.one_of(
    VALUES,
    VALUES.flatmap(lambda it: st.integers(0, len(it)).map(lambda at: it[:at])),
    st.builds(lambda it, seed: mutated(it, random.Random(seed)), VALUES, st.integers(0, 2**32)),
    st.binary(max_size=300),
    st.builds(lambda it, times: bytes((it,)) * times, st.integers(0, 255), st.integers(0, 50_000)),
)
