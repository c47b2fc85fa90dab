"""Serialized checkpoints and metadata as plain data: no class of anybody's is imported.

Extensions of msgpack and the constructors of LangGraph's JSON stay what they are on disk, so
that two packings of one object are equal, and no object is ever made.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from lgckpt.core import core
from lgckpt.errors import ConfigurationError, FrameError

SUFFIXES = {".lz4": "lz4", ".zstd": "zstd"}
"""What `lgckpt.Serializer` adds to a tag when it compresses."""


class Ext(NamedTuple):
    """A msgpack extension, its content decoded where that is msgpack again."""

    code: int
    content: Any


def plain_bytes(tag: str, data: bytes) -> tuple[str, bytes]:
    """A serialized value without the compression that its tag names.

    Raises:
        DecodeError: It is damaged.
    """
    for suffix, codec in SUFFIXES.items():
        if tag.endswith(suffix):
            return tag.removesuffix(suffix), core.decompress(data, codec)
    return tag, data


def _ext(code: int, data: bytes) -> Ext:
    try:
        return Ext(code, core.decode(data, _ext))
    except ValueError:
        return Ext(code, data)


def plain(tag: str, data: bytes) -> Any:
    """A serialized value as dicts, lists, texts, numbers, bytes and `Ext`.

    Raises:
        ConfigurationError: The tag is of a serializer that alone can read it: encrypted.
        DecodeError: It is damaged.
        FrameError: It is damaged.
    """
    tag, data = plain_bytes(tag, data)
    if tag == "msgpack":
        return core.decode(data, _ext)
    if tag == "json":
        try:
            return json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise FrameError(f"damaged JSON: {exc}") from exc
    if tag in ("null", "bytes", "bytearray"):
        return None if tag == "null" else data
    raise ConfigurationError(f"what is stored as {tag!r} can be moved and not read")


class PlainSerde:
    """A serializer that reads as `plain` does; it writes nothing."""

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """See `plain`."""
        return plain(*data)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Not there.

        Raises:
            ConfigurationError: Always.
        """
        raise ConfigurationError("this serializer only reads")
