"""Views as what JSON can hold; each kind that it has no form for is an object with `$type`."""

from __future__ import annotations

import base64
import math
from typing import Any

from lgckpt.inspection.views import Opaque, Typed

KEY = "$type"


def jsonable(view: Any) -> Any:
    """What a JSON encoder takes, and nothing lost.

    A `Typed` is `{"$type": "module.Class", "value": …}`, bytes `{"$type": "bytes", "base64": …}`,
    an `Opaque` `{"$type": "encrypted", "bytes": 123}`, a dict with keys that are no texts
    `{"$type": "dict", "items": [[key, value], …]}`, and a float that JSON has no number for
    `{"$type": "float", "value": "nan"}`.
    """
    if isinstance(view, (list, tuple)):
        return [jsonable(one) for one in view]
    if isinstance(view, dict):
        return _keyed(view)
    if isinstance(view, Typed):
        return {KEY: view.path, "value": jsonable(view.content)}
    return _leaf(view)


def _keyed(view: dict[Any, Any]) -> dict[str, Any]:
    if all(isinstance(key, str) for key in view) and KEY not in view:
        return {key: jsonable(value) for key, value in view.items()}
    return {KEY: "dict", "items": [[jsonable(k), jsonable(v)] for k, v in view.items()]}


def _leaf(view: Any) -> Any:
    if isinstance(view, Opaque):
        return {KEY: view.reason, "bytes": view.size}
    if isinstance(view, (bytes, bytearray)):
        return {KEY: "bytes", "base64": base64.b64encode(view).decode()}
    if isinstance(view, float) and not math.isfinite(view):
        return {KEY: "float", "value": repr(view)}
    return view
