"""Which classes the compiled core may write and make natively, and how.

The core asks once for each class it meets, and again after any change to the class or its bases. A
plan is given only where it can be shown that the native path gives what `JsonPlusSerializer` gives;
None leaves the class to LangGraph's own code.
"""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import inspect
import ipaddress
import pathlib
import re
import uuid
import zoneinfo
from abc import ABCMeta
from collections import deque
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from lgckpt._serde import models

# `_msgpack_default` asks for these before it asks for enums and dataclasses.
_EARLIER = (
    _DeltaSnapshot,
    pathlib.Path,
    re.Pattern,
    uuid.UUID,
    decimal.Decimal,
    set,
    frozenset,
    deque,
    ipaddress.IPv4Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Address,
    ipaddress.IPv6Interface,
    ipaddress.IPv6Network,
    datetime.date,
    datetime.timedelta,
    datetime.time,
    datetime.timezone,
    zoneinfo.ZoneInfo,
)
# The attributes by which it knows other kinds of objects.
_HOOKS = ("model_dump", "get_secret_value", "dict", "_asdict")
_SEND = {"node", "arg"}


def packed_name(name: str) -> tuple[str, bytes]:
    """A name and its msgpack."""
    return name, ormsgpack.packb(name)


def _prefix(cls: type, count: int) -> bytes:
    return bytes([0x90 | count]) + ormsgpack.packb(cls.__module__) + ormsgpack.packb(cls.__name__)


def _inherits(cls: Any, name: str) -> bool:
    """Whether an attribute is the one that `object` has."""
    return getattr(cls, name) is getattr(object, name)


def _defines(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__ if base is not object)


def _is_ordinary(cls: type) -> bool:
    """Whether attributes of instances are looked up in the usual way."""
    return (
        type(cls) in (type, ABCMeta, enum.EnumMeta)
        and _inherits(cls, "__getattribute__")
        and not _defines(cls, "__getattr__")
        and not _defines(cls, "__class__")
        and isinstance(cls.__module__, str)
    )


def encode_plan(cls: type) -> tuple[Any, ...] | None:
    """Plan how instances of a class are written.

    Returns:
        `("enum", prefix)`, `("dataclass", prefix, names)`, `("model", prefix, fields)`, or None.
    """
    if models.is_model(cls):
        fields = models.encode_fields(cls)
        return None if fields is None else ("model", _prefix(cls, 4), fields)
    if (
        not _is_ordinary(cls)
        or issubclass(cls, _EARLIER)
        or any(hasattr(cls, hook) for hook in _HOOKS)
    ):
        return None
    if issubclass(cls, enum.Enum):
        return ("enum", _prefix(cls, 3))
    return _dataclass_plan(cls) if dataclasses.is_dataclass(cls) else None


def _dataclass_plan(cls: Any) -> tuple[Any, ...] | None:
    names = [field.name for field in dataclasses.fields(cls)]
    attributes = {*names, *(name for name in _SEND if hasattr(cls, name))}
    if attributes & {*_HOOKS, "node", "__class__"}:
        return None
    return ("dataclass", _prefix(cls, 3), [packed_name(name) for name in names])


def decode_plan(cls: type) -> tuple[Any, ...] | None:
    """Plan how instances of a class are made.

    Returns:
        `("call",)`, `("dataclass", names)`, `("model", fields, tool_calls)`, or None.
    """
    if models.is_model(cls):
        making = models.decode_fields(cls)
        return None if making is None else ("model", *making)
    if dataclasses.is_dataclass(cls) and _sets_fields_only(cls):
        return ("dataclass", [packed_name(field.name) for field in dataclasses.fields(cls)])
    return ("call",)


def _sets_fields_only(cls: type) -> bool:
    """Whether calling a dataclass with all its fields does nothing but set them, in their order."""
    fields = dataclasses.fields(cls)
    frozen = cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    return (
        type(cls) in (type, ABCMeta)
        and not inspect.isabstract(cls)
        and _inherits(cls, "__new__")
        and not _defines(cls, "__del__")
        and (frozen or _inherits(cls, "__setattr__"))
        and all(field.init for field in fields)
        and _has_generated_init(cls, fields, frozen)
    )


def _has_generated_init(
    cls: type, fields: tuple[dataclasses.Field[Any], ...], frozen: bool
) -> bool:
    """Compare `__init__` with the one `dataclasses` generates for plain fields so named."""
    code = getattr(inspect.getattr_static(cls, "__init__"), "__code__", None)
    specs = []
    for field in fields:
        options: dict[str, Any] = {"kw_only": field.kw_only}
        if field.default is not dataclasses.MISSING:
            options["default"] = None
        elif field.default_factory is not dataclasses.MISSING:
            options["default_factory"] = list
        specs.append((field.name, Any, dataclasses.field(**options)))
    try:
        reference: Any = dataclasses.make_dataclass("Reference", specs, frozen=frozen)
    except (TypeError, ValueError):
        return False
    generated = reference.__init__.__code__
    parts = (
        "co_code",
        "co_names",
        "co_varnames",
        "co_freevars",
        "co_consts",
        "co_argcount",
        "co_flags",
    )
    return code is not None and all(getattr(code, p) == getattr(generated, p) for p in parts)
