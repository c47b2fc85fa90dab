"""A value's digest: equal for equal values, before a saver has them and after."""

from __future__ import annotations

from typing import Any, NamedTuple

import xxhash

from lgckpt.serde import Serializer

_SERDE = Serializer(compression=None)


class Digest(NamedTuple):
    """What stands for a value.

    Attributes:
        value: 128 bits of XXH3 over the bytes that the plain serializer gives.
        size: How many bytes those are.
    """

    value: bytes
    size: int


def digest(value: Any) -> Digest:
    """The digest of a value.

    The plain serializer keeps types, order and every field, and gives the same bytes for the same
    value; it is far cheaper than a comparison of messages, and nothing of the value is kept.
    """
    kind, data = _SERDE.dumps_typed(value)
    return Digest(xxhash.xxh3_128_digest(kind.encode() + b"\0" + data), len(data))
