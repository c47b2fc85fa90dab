"""Values as LangGraph's Redis saver keeps them, JSON with marks in it, into msgpack.

What stands for an object becomes the extension that LangGraph's serializer writes for it; only
LangChain's own objects, of which the marks do not say enough, are made on the way.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde import jsonplus

from lgckpt.core import core
from lgckpt.errors import DecodeError
from lgckpt.migration.langgraph.msgpack import ext_code
from lgckpt.migration.langgraph.reading import loads_json
from lgckpt.migration.langgraph.slicing import Typed
from lgckpt.serde import Serializer

_serializer = Serializer()

_INTERRUPT = ("value", "id", "resumable", "ns", "when")


def typed_json(value: Any) -> Typed:
    """A value of a checkpoint's JSON, serialized.

    Raises:
        DecodeError: It is nested too deeply, or a mark in it makes no sense.
        EncodeError: It holds a number that msgpack has no place for.
    """
    try:
        return _serializer.dumps_plain(_marked(value))
    except RecursionError as exc:
        raise DecodeError("json nested too deeply") from exc


class Values:
    """Serializes the values of checkpoints that follow each other: of a list, what is new."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[list[bytes], list[Any]]] = {}

    def typed(self, channel: str, value: Any) -> Typed:
        """A channel's value, serialized; see `typed_json`."""
        if not isinstance(value, list):
            return typed_json(value)
        before, made = self._last.get(channel, ([], []))
        same = 0
        try:
            # As bytes, for 1, 1.0 and True are equal.
            items = [core.encode(item) for item in value]
            for old, new in zip(before, items, strict=False):
                if old != new:
                    break
                same += 1
            made = [*made[:same], *(_marked(item) for item in value[same:])]
            found = _serializer.dumps_plain(made)
        except RecursionError as exc:
            raise DecodeError("json nested too deeply") from exc
        self._last[channel] = items, made
        return found


def typed_blob(tag: str, blob: Any) -> Typed:
    """A pending write's value, serialized.

    Raises:
        DecodeError: It is no base64, or see `typed_json`.
    """
    data = _bytes(blob)
    return typed_json(loads_json(data)) if tag == "json" else (tag, data)


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text or b"")
    except (binascii.Error, TypeError, ValueError) as exc:
        raise DecodeError(f"not base64: {exc}") from exc


def _marked(value: Any) -> Any:
    if isinstance(value, list):
        return [_marked(item) for item in value]
    if not isinstance(value, dict):
        return value
    for mark, make in _MARKS.items():
        if mark in value:
            made = make(value)
            if made is not None:
                return made
    return {key: _marked(item) for key, item in value.items()}


def _byte_string(value: dict[str, Any]) -> bytes | None:
    return _bytes(value["__bytes__"]) if len(value) == 1 else None


def _delta(value: dict[str, Any]) -> ormsgpack.Ext | None:
    if value["__delta_snapshot__"] is not True or value.keys() != {"__delta_snapshot__", "value"}:
        return None
    return _ext(jsonplus.EXT_DELTA_SNAPSHOT, _marked(value["value"]))


def _send(value: dict[str, Any]) -> ormsgpack.Ext | None:
    if value["__send__"] is not True or value.keys() != {"__send__", "node", "arg"}:
        return None
    args = [value["node"], _marked(value["arg"])]
    return _ext(jsonplus.EXT_CONSTRUCTOR_POS_ARGS, ["langgraph.types", "Send", args])


def _interrupt(value: dict[str, Any]) -> ormsgpack.Ext | None:
    if value["__interrupt__"] is not True or "value" not in value:
        return None
    fields = {name: _marked(value[name]) for name in _INTERRUPT if name in value}
    return _ext(jsonplus.EXT_CONSTRUCTOR_KW_ARGS, ["langgraph.types", "Interrupt", fields])


def _constructor(value: dict[str, Any]) -> Any:
    name = value.get("id")
    if value.get("type") != "constructor" or not isinstance(name, list) or len(name) < 2:
        return None
    if value["lc"] == 1:
        return _langchain(value)
    if value["lc"] != 2 or not all(isinstance(part, str) for part in name):
        return None
    return _object([".".join(name[:-1]), name[-1]], value.get("args"), value.get("kwargs"))


def _object(name: list[str], args: Any, kwargs: Any) -> ormsgpack.Ext | None:
    """What calling a class with these gives."""
    if name == ["builtins", "set"]:
        items = args[0] if args else (kwargs or {}).get("__set_items__", [])
        return _ext(jsonplus.EXT_CONSTRUCTOR_SINGLE_ARG, [*name, _marked(items)])
    if args and kwargs:
        return None
    if args:
        return _ext(jsonplus.EXT_CONSTRUCTOR_POS_ARGS, [*name, _marked(args)])
    return _ext(jsonplus.EXT_CONSTRUCTOR_KW_ARGS, [*name, _marked(kwargs or {})])


def _langchain(value: dict[str, Any]) -> Any:
    """One of LangChain's own objects; None for others, which stay the JSON that they are."""
    try:
        found = jsonplus.LC_REVIVER({**value, "kwargs": _revived(value.get("kwargs", {}))})
    except (ValueError, TypeError, KeyError, ImportError, NotImplementedError):
        return None
    return None if isinstance(found, dict) else _as_ext(_serializer.dumps_plain(found)[1])


def _as_ext(data: bytes) -> ormsgpack.Ext | None:
    """An object's msgpack, to stand in another's."""
    code = ext_code(data)
    if code is None:
        return None
    # The header of an extension says its length in 0 (a power of two), 1, 2 or 4 bytes.
    begin = 2 + {0xC7: 1, 0xC8: 2, 0xC9: 4}.get(data[0], 0)
    return ormsgpack.Ext(code, data[begin:])


def _revived(value: Any) -> Any:
    if isinstance(value, list):
        return [_revived(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _revived(item) for key, item in value.items()}
    if found.get("lc") == 1 and found.get("type") == "constructor":
        return jsonplus.LC_REVIVER(found)
    return found


def _ext(code: int, content: Any) -> ormsgpack.Ext:
    return ormsgpack.Ext(code, _serializer.dumps_plain(content)[1])


_MARKS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__bytes__": _byte_string,
    "__delta_snapshot__": _delta,
    "__send__": _send,
    "__interrupt__": _interrupt,
    "lc": _constructor,
}
