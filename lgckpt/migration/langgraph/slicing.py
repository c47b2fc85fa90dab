"""A serialized checkpoint cut into the checkpoint without its values and each value, and back.

The values are slices of the bytes as they are: nothing is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lgckpt.core import core
from lgckpt.errors import DecodeError
from lgckpt.migration.langgraph.msgpack import (
    bytes_at,
    container_at,
    end_of,
    is_array,
    is_map,
    map_header,
    text_at,
)

Typed = tuple[str, bytes]
"""A serialized value: its tag and its bytes."""

VALUES = "channel_values"
AFTER_VALUES = "channel_versions"
"""The key before which LangGraph has a checkpoint's values."""

_NIL = b"\xc0"


class Cut(NamedTuple):
    """A checkpoint in parts.

    Attributes:
        bare: The checkpoint without `channel_values`, as msgpack.
        values: For each channel its value's msgpack.
    """

    bare: bytes
    values: dict[str, bytes]


def cut(data: bytes, earlier: Mapping[str, bytes] | None = None) -> Cut:
    """Cut a checkpoint of msgpack.

    Args:
        data: The checkpoint.
        earlier: Values of another checkpoint, in which the same ones are found without a look
            into them.

    Raises:
        DecodeError: The bytes are not a checkpoint, and nothing else.
    """
    values: dict[str, bytes] = {}
    kept: list[bytes] = []
    keys: set[str] = set()
    at = 0
    if not is_map(data, at):
        raise DecodeError("not a checkpoint")
    left, at = container_at(data, at)
    for _ in range(0, left, 2):
        begin, at = at, end_of(data, at)
        key = text_at(data, begin, at)
        if key in keys:
            raise DecodeError(f"the key {key!r} comes twice")
        keys.add(key)
        if key == VALUES:
            at = _cut_values(data, at, earlier or {}, values)
        else:
            at = end_of(data, at)
            kept.append(data[begin:at])
    if at != len(data):
        raise DecodeError(f"{len(data) - at} bytes after the end of the value")
    return Cut(map_header(len(kept)) + b"".join(kept), values)


def _cut_values(data: bytes, at: int, earlier: Mapping[str, bytes], found: dict[str, bytes]) -> int:
    if data[at : at + 1] == _NIL:
        return at + 1
    if not is_map(data, at):
        raise DecodeError(f"{VALUES} is not a map")
    left, at = container_at(data, at)
    for _ in range(0, left, 2):
        begin, at = at, end_of(data, at)
        channel = text_at(data, begin, at)
        begin, at = at, _end_beside(data, at, earlier.get(channel))
        found[channel] = data[begin:at]
    return at


def _end_beside(data: bytes, at: int, earlier: bytes | None) -> int:
    """Where the value at a place ends, found by one that may be the same, or the same but longer.

    A msgpack value ends where its own bytes say: what begins with one, is it.
    """
    if not earlier:
        return end_of(data, at)
    if data.startswith(earlier, at):
        return at + len(earlier)
    if is_array(earlier, 0) and is_array(data, at):
        before, old = container_at(earlier, 0)
        count, begin = container_at(data, at)
        if count >= before and data.startswith(earlier[old:], begin):
            return end_of(data, begin + len(earlier) - old, count - before)
    return end_of(data, at)


def typed(data: bytes) -> Typed:
    """A value's msgpack as LangGraph's serializer has the value alone."""
    if data == _NIL:
        return "null", b""
    content = bytes_at(data, 0, len(data))
    return ("msgpack", data) if content is None else ("bytes", content)


def untyped(value: Typed) -> bytes | None:
    """A serialized value as msgpack; None if its tag names something else."""
    tag, data = value
    if tag == "msgpack":
        return data
    if tag == "null":
        return _NIL
    if tag == "bytes":
        return core.encode(data)
    if tag == "bytearray":
        return core.encode(bytearray(data))
    return None


def join(bare: bytes, values: Mapping[str, bytes]) -> bytes:
    """Put a checkpoint together: the reverse of `cut`.

    Raises:
        DecodeError: `bare` is not a checkpoint.
    """
    if not is_map(bare, 0):
        raise DecodeError("not a checkpoint")
    left, begin = container_at(bare, 0)
    at, place = begin, None
    for _ in range(0, left, 2):
        start, at = at, end_of(bare, at)
        if text_at(bare, start, at) == AFTER_VALUES:
            place = start
        at = end_of(bare, at)
    place = at if place is None else place
    parts = [map_header(left // 2 + 1), bare[begin:place], core.encode(VALUES)]
    parts.append(map_header(len(values)))
    for channel, value in values.items():
        parts += (core.encode(channel), value)
    return b"".join([*parts, bare[place:]])
