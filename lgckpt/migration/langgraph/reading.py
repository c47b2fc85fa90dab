"""Serialized checkpoints and metadata as a layout's cells have them, made ready to be packed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from langgraph.checkpoint.base import Checkpoint
from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.core import core
from lgckpt.errors import DecodeError, EncodeError, FrameError
from lgckpt.migration.langgraph.slicing import VALUES, Typed, cut, typed
from lgckpt.packing import Packer
from lgckpt.serde import CODECS

ENCRYPTED = (
    "is {tag!r} as a whole, and cannot be taken apart as it is: "
    "pass its serializer to the library function (serde=), or leave it out (--skip-corrupt)"
)

_CONSTRUCTOR = b'"lc"'
"""What the JSON of an object other than plain data has in it."""

Parts = tuple[Typed, dict[str, Typed]]
"""A checkpoint without its values, and the values."""


def decompressed(tag: str, data: bytes) -> Typed:
    """Without the compression that `lgckpt.Serializer` may have put on: chunks have their own."""
    base, dot, codec = tag.rpartition(".")
    if dot and codec in CODECS:
        return base, core.decompress(data, codec)
    return tag, data


def parts_of(
    tag: str, data: bytes, serde: SerializerProtocol | None, earlier: Mapping[str, bytes]
) -> Parts:
    """Take a serialized checkpoint apart.

    Args:
        tag: Its tag.
        data: Its bytes.
        serde: What reads a checkpoint of any other tag, and serializes its parts.
        earlier: See `lgckpt.migration.langgraph.slicing.cut`.

    Raises:
        DecodeError: The bytes are no checkpoint.
        FrameError: They cannot be taken apart as they are.
    """
    tag, data = decompressed(tag, data)
    if tag == "msgpack":
        found = cut(data, earlier)
        return ("msgpack", found.bare), {k: typed(v) for k, v in found.values.items()}
    if tag == "json":
        return json_parts(loads_json(data))
    if serde is None:
        raise FrameError(ENCRYPTED.format(tag=tag))
    checkpoint = serde.loads_typed((tag, data))
    if not isinstance(checkpoint, dict):
        raise DecodeError("not a checkpoint")
    packer = Packer(serde, None)
    values = checkpoint.get(VALUES) or {}
    bare = packer.checkpoint(cast(Checkpoint, checkpoint))
    return bare, {k: (tag, bytes(data)) for k, (tag, data) in _dumped(packer, values)}


def _dumped(packer: Packer, values: Mapping[str, Any]) -> list[tuple[str, Typed]]:
    return [(channel, packer.dumps(value)) for channel, value in values.items()]


def loads_json(data: bytes | str) -> Any:
    """Read JSON, however deep.

    Raises:
        DecodeError: It is none, or nested too deeply.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise DecodeError(f"not JSON: {exc}") from exc


def json_parts(checkpoint: Any) -> Parts:
    """Take apart a checkpoint of the JSON that LangGraph wrote before it had msgpack.

    Raises:
        DecodeError: It is no checkpoint.
    """
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get(VALUES) or {}, dict):
        raise DecodeError("not a checkpoint")
    values = checkpoint.get(VALUES) or {}
    bare = {k: v for k, v in checkpoint.items() if k != VALUES}
    return plain(bare), {k: plain(v) for k, v in values.items()}


def plain(value: Any) -> Typed:
    """What JSON held: as msgpack if it is plain data, else as that JSON, objects and all."""
    if value is None:
        return "null", b""
    content = json.dumps(value).encode()
    if _CONSTRUCTOR in content:
        return "json", content
    try:
        return "msgpack", core.encode(value)
    except EncodeError:
        return "json", content


def check_id(bare: Typed, checkpoint_id: str) -> None:
    """Refuse a checkpoint that is not the one its key names.

    Raises:
        DecodeError: It is another, or none.
    """
    tag, data = bare
    if tag == "msgpack":
        found = core.decode(data, lambda code, content: None)
    elif tag == "json":
        found = loads_json(data)
    else:
        return
    named = found.get("id") if isinstance(found, dict) else None
    if str(named) != checkpoint_id:
        raise DecodeError(f"checkpoint {named!r} is in its place")


def metadata_of(data: Any) -> dict[str, Any]:
    """Metadata as a cell has it: JSON, once maybe of a serializer.

    Raises:
        DecodeError: It is neither.
    """
    if data is None:
        return {}
    found = data if isinstance(data, dict) else loads_json(data)
    if not isinstance(found, dict):
        raise DecodeError("not metadata")
    return found
