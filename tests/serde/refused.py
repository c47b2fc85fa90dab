"""Values that JsonPlusSerializer refuses, by name."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from typing import Any

import numpy as np

from . import models_of as m
from . import types_of as t

UTC = dt.timezone.utc


def cyclic() -> list[Any]:
    """A list that holds itself."""
    result: list[Any] = []
    result.append(result)
    return result


REFUSED: dict[str, Any] = {
    "too large": 2**64,
    "too small": -(2**63) - 1,
    "huge": 10**100,
    "large inside": t.Plain(2**64, "x"),
    "large in a model": m.Box[Any](value=2**70),
    "opaque": t.Opaque(),
    "opaque inside": {"a": [t.Opaque()]},
    "opaque in a dataclass": t.Plain(1, "x", t.Opaque()),
    "opaque in a model": m.Box[Any](value=t.Opaque()),
    "float subclass": t.Float(1.5),
    "bytes subclass": [t.Bytes(b"x")],
    "tuple subclass": t.Tuple((1,)),
    "complex": 1j,
    "function": len,
    "class": int,
    "generator": t.generator(),
    "range": range(3),
    "surrogate key": {"\ud800": 1},
    "dataclass key": {t.Frozen(1): 1},
    "zoned time key": {dt.time(1, tzinfo=UTC): 1},
    "opaque in a tuple key": {(1, len): 1},
    "large key": {2**64: 1},
    "too deep": __import__("functools").reduce(lambda inner, _: [inner], range(256), 1),
    "cyclic": cyclic(),
    "strided memoryview": [memoryview(b"abcd")[::2]],
    "numpy float": np.float64(1.5),
    "numpy int": np.int64(1),
    "missing attribute": object.__new__(t.Plain),
    "unset slots": object.__new__(t.Slots),
    "ordered": OrderedDict({"a": len}),
}
