"""The codec in Python, on ormsgpack: the same bytes and the same limits as the compiled one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde import jsonplus

from lgckpt._fallback import scan
from lgckpt.errors import DecodeError, EncodeError

_OPTION = jsonplus._option
_CODES = 8
_METHOD = 3
_NUMPY_ARRAY = 6
_DELTA_SNAPSHOT = 7
MAX_OBJECTS = 200

PackedExt = ormsgpack.Ext


class _Uncaught:
    """Carries exceptions out of ormsgpack, which drops them all."""

    def __init__(self, hook: Callable[..., Any]) -> None:
        self._hook = hook
        self.error: BaseException | None = None

    def __call__(self, *args: Any) -> Any:
        try:
            return self._hook(*args)
        except BaseException as error:
            self.error = error
            raise

    def reraise(self) -> None:
        """Raise again what is not an `Exception`."""
        if self.error is not None and not isinstance(self.error, Exception):
            raise self.error


_OWN_DEPTH = 200


def _own(obj: Any, depth: int) -> Any:
    """Copy lists and dicts, so that nobody changes them while ormsgpack goes through them.

    It reads memory that is gone when `default`, or a thread that runs meanwhile, changes
    a container it is in the middle of.
    """
    kind = type(obj)
    if depth == 0 or kind not in (list, dict, tuple):
        return obj
    if kind is dict:
        return {key: _own(value, depth - 1) for key, value in obj.copy().items()}
    return kind([_own(item, depth - 1) for item in (obj if kind is tuple else obj.copy())])


def encode(obj: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Pack a value as `ormsgpack.packb` does with the options of `JsonPlusSerializer`.

    Args:
        obj: The value.
        default: Called with each object msgpack has no type for; returns one that it has.

    Raises:
        EncodeError: The value cannot be packed.
    """
    if default is None:
        hook = None
    else:
        hook = _Uncaught(lambda one: _own(default(one), _OWN_DEPTH))
        obj = _own(obj, _OWN_DEPTH)
    try:
        return ormsgpack.packb(obj, hook, _OPTION)
    except ormsgpack.MsgpackEncodeError as error:
        if hook is not None:
            hook.reraise()
        raise EncodeError(str(error)) from (None if hook is None else hook.error)


def decode(data: Any, ext_hook: Callable[[int, bytes], Any] | None = None) -> Any:
    """Unpack one value.

    Args:
        data: A `bytes`, `bytearray` or C-contiguous `memoryview`.
        ext_hook: Called with the code and the bytes of each extension.

    Raises:
        DecodeError: The bytes are not one value, and nothing else.
    """
    hook = None if ext_hook is None else _Uncaught(ext_hook)
    if type(data) is bytearray or (type(data) is memoryview and data.c_contiguous):
        # The hook might change it while it is read.
        data = bytes(data)
    if type(data) is bytes:
        # First, for some releases of ormsgpack crash where a nested value ends too early.
        scan.require_one_value(data)
    try:
        return ormsgpack.unpackb(data, ext_hook=hook, option=ormsgpack.OPT_NON_STR_KEYS)
    except ormsgpack.MsgpackDecodeError as error:
        if hook is not None:
            hook.reraise()
            if isinstance(hook.error, DecodeError):
                raise hook.error from hook.error.__cause__
        raise DecodeError(str(error)) from (None if hook is None else hook.error)


class ObjectEncoder:
    """Packs values, objects that LangGraph knows included.

    Args:
        default: LangGraph's own, over this encoder.
        native: Accepted for the compiled twin's sake.
    """

    def __init__(self, default: Callable[[Any], Any], *, native: bool) -> None:
        self._default = default

    def encode(self, value: Any) -> bytes:
        """Pack one value."""
        return encode(value, self._default)


class ObjectDecoder:
    """Unpacks values, objects that LangGraph knows included.

    Args:
        rebuild: LangGraph's own hook, over values already unpacked.
        fallback: Accepted for the compiled twin's sake, as are the others.
        delta_snapshot: See `fallback`.
        native: See `fallback`.
        permissive: See `fallback`.
        allowed: See `fallback`.
    """

    def __init__(
        self,
        rebuild: Callable[[int, Any], Any],
        fallback: Any,
        delta_snapshot: Any,
        *,
        native: bool,
        permissive: bool,
        allowed: set[tuple[str, ...]] | None,
    ) -> None:
        self._rebuild = rebuild

    def decode(self, data: Any, safe: Any, warned: Any, listeners: Any) -> Any:
        """Unpack one value; the other arguments are for the compiled twin."""
        return self._decode(data, 0)

    def _decode(self, data: Any, depth: int) -> Any:
        def hook(code: int, content: bytes) -> Any:
            return self._object(code, content, depth + 1)

        return decode(data, hook)

    def _object(self, code: int, content: bytes, depth: int) -> Any:
        if not 0 <= code < _CODES:
            raise DecodeError(f"unknown extension code {code}: written by a newer LangGraph?")
        if depth > MAX_OBJECTS:
            raise DecodeError("too many objects inside one another")
        parts = self._decode(content, depth)
        if code == _DELTA_SNAPSHOT:
            return self._rebuild(code, parts)
        needed = 4 if code in (_METHOD, _NUMPY_ARRAY) else 3
        if not isinstance(parts, list) or len(parts) < needed:
            raise DecodeError("an extension that does not describe an object")
        value = self._rebuild(code, parts)
        if code == _NUMPY_ARRAY and value is None:
            raise DecodeError(
                "a numpy array that cannot be rebuilt: numpy is missing or the data is damaged"
            )
        return value
