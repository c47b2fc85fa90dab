"""Whether two values are the same in type, content, order and pydantic state."""

from __future__ import annotations

import dataclasses
import decimal
import struct
from collections import deque
from typing import Any

import numpy as np
import pydantic

_STATE = ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")


def same(one: Any, other: Any) -> bool:
    """Compare two values without trusting their `__eq__` alone."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, c) and same(b, d)
            for (a, b), (c, d) in zip(one.items(), other.items(), strict=True)
        )
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and bool((one == other).all())
    if isinstance(one, pydantic.BaseModel):
        return same(one.__dict__, other.__dict__) and all(
            same(_slot(one, name), _slot(other, name)) for name in _STATE
        )
    if dataclasses.is_dataclass(one):
        return same(_attributes(one), _attributes(other))
    if isinstance(one, decimal.Decimal):
        return one.as_tuple() == other.as_tuple()
    if isinstance(one, BaseException):
        return one.args == other.args
    if hasattr(one, "__dict__") and type(one).__eq__ is object.__eq__:
        return same(one.__dict__, other.__dict__)
    return bool(one == other) or one != one


def _slot(model: Any, name: str) -> Any:
    try:
        return object.__getattribute__(model, name)
    except AttributeError:
        return "unset"


def _attributes(obj: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(obj)]
    extra = getattr(obj, "__dict__", {})
    return {name: getattr(obj, name, "unset") for name in [*extra, *names]}
