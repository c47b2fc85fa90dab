"""Stored values as people read them: decoded, with no class of anybody's imported.

An object stays the name of its class and what that was given: a `Typed`. What cannot be read
without a key or without running code is an `Opaque`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lgckpt.core import core
from lgckpt.errors import DecodeError, EncodeError

CODECS = ("lz4", "zstd")

_NAMED = frozenset(range(6))
"""Codes of msgpack extensions that hold a module, a name and what to give it; as LangGraph's
`jsonplus` assigns them."""
_ARRAY, _SNAPSHOT = 6, 7


@dataclass(frozen=True, slots=True)
class Typed:
    """An object of a class.

    Attributes:
        module: Where the class is, as written on disk; it was not imported.
        name: Of the class.
        content: What it is made of.
    """

    module: str
    name: str
    content: Any

    @property
    def path(self) -> str:
        """The class's whole name."""
        return f"{self.module}.{self.name}" if self.module else self.name


@dataclass(frozen=True, slots=True)
class Opaque:
    """Bytes that are not looked into.

    Attributes:
        reason: What they are: "encrypted", say.
        size: How many.
    """

    reason: str
    size: int


def extension(code: int, data: bytes) -> Any:
    """What a msgpack extension holds."""
    if code not in _NAMED and code not in (_ARRAY, _SNAPSHOT):
        return Opaque(f"msgpack extension {code}", len(data))
    content = core.decode(data, extension)
    if code == _SNAPSHOT:
        return Typed("", "DeltaSnapshot", content)
    if not isinstance(content, list) or not content[2:]:
        return Opaque(f"msgpack extension {code}", len(data))
    if code == _ARRAY:
        array = {"dtype": content[0], "shape": content[1], "data": content[-1]}
        return Typed("numpy", "ndarray", array)
    return Typed(str(content[0]), str(content[1]), content[2])


def _constructor(found: dict[str, Any]) -> Any:
    """An object of the JSON that LangGraph wrote before msgpack."""
    name = found.get("id")
    if "lc" not in found or found.get("type") != "constructor" or not isinstance(name, list):
        return found
    given = found.get("kwargs") or found.get("args")
    return Typed(".".join(map(str, name[:-1])), str(name[-1]) if name else "", given)


def decode(tag: str, data: bytes) -> Any:
    """A serialized value as dicts, lists, texts, numbers, bytes, `Typed` and `Opaque`.

    Raises:
        DecodeError: It is damaged.
    """
    base, plus, _ = tag.partition("+")
    if plus:
        return Opaque("encrypted", len(data))
    base, dot, codec = tag.rpartition(".")
    if dot and codec in CODECS:
        return decode(base, core.decompress(data, codec))
    try:
        if tag == "msgpack":
            return core.decode(data, extension)
        if tag == "json":
            return json.loads(data, object_hook=_constructor)
    except RecursionError as exc:
        raise DecodeError("nested too deeply") from exc
    if tag in ("null", "bytes", "bytearray"):
        return None if tag == "null" else bytes(data)
    return Opaque("pickled" if tag == "pickle" else f"serialized as {tag!r}", len(data))


class Views:
    """A serializer that reads as `decode` does, for `lgckpt.packing`; it writes nothing."""

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """See `decode`."""
        return decode(*data)

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Not there.

        Raises:
            EncodeError: Always.
        """
        raise EncodeError("this serializer only reads")


VIEWS = Views()
