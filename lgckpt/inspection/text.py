"""Views as text for people: long texts folded, and nothing in it that a terminal would obey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lgckpt.inspection.views import Opaque, Typed

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tab and newline, what turns the direction of text, lone surrogates."""

_PLAIN = {
    "datetime.datetime", "datetime.date", "datetime.time", "uuid.UUID", "decimal.Decimal",
    "zoneinfo.ZoneInfo", "ipaddress.IPv4Address", "ipaddress.IPv6Address",
}  # fmt: skip
"""Classes whose one text says all."""

_UUID_DIGITS = 32
INDENT = "  "


def safe(text: str) -> str:
    r"""Text in which each character that a terminal would obey is written out, as `\x1b` is."""
    return _UNSAFE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """Safe text on one line."""
    return safe(" ".join(text.split()))


def folded(text: str, limit: int | None) -> str:
    """The beginning of a text, and how much was left out."""
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit].rstrip()}… ({len(text) - limit:,} more characters)"


def scalar(view: Any, limit: int | None) -> str | None:
    """A value that has one line, on that line; None if it has parts."""
    if isinstance(view, str):
        return folded(view, limit)
    if isinstance(view, (bytes, bytearray)):
        shown = "" if not view else f": {bytes(view[:16]).hex(' ')}{'…' if len(view) > 16 else ''}"
        return f"<{len(view):,} bytes{shown}>"
    if isinstance(view, Opaque):
        return f"<{view.reason}, {view.size:,} bytes>"
    if isinstance(view, Typed):
        return _named(view, limit)
    if isinstance(view, (list, dict)):
        return None if view else ("[]" if isinstance(view, list) else "{}")
    return "null" if view is None else str(view).lower() if isinstance(view, bool) else repr(view)


def _named(view: Typed, limit: int | None) -> str | None:
    content = view.content
    if view.path in _PLAIN and isinstance(content, str):
        if view.name == "UUID" and len(content) == _UUID_DIGITS:
            content = "-".join(
                content[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
            )
        return folded(content, limit)
    if view.path == "numpy.ndarray" and isinstance(content, dict):
        shape = "x".join(map(str, content["shape"])) if content["shape"] else "scalar"
        return f"<numpy.ndarray {content['dtype']} {shape}>"
    inner = scalar(content, limit)
    if inner is not None:
        return f"<{view.path} {inner}>"
    short = compact(content, 60)
    return f"<{view.path} {short}>" if len(short) <= 60 else None


def compact(view: Any, limit: int | None) -> str:
    """A value on one line, in a form like JSON's, up to about `limit` characters."""
    text = ""
    for piece in _pieces(view):
        text += piece
        if limit is not None and len(text) > limit:
            return text[:limit] + "…"
    return text


def _pieces(view: Any) -> Iterator[str]:
    if isinstance(view, dict) and view:
        for number, (key, value) in enumerate(view.items()):
            yield "{" if number == 0 else ", "
            yield f"{key}: "
            yield from _pieces(value)
        yield "}"
    elif isinstance(view, list) and view:
        for number, value in enumerate(view):
            yield "[" if number == 0 else ", "
            yield from _pieces(value)
        yield "]"
    elif isinstance(view, Typed) and isinstance(view.content, (dict, list)):
        yield f"<{view.path} "
        yield from _pieces(view.content)
        yield ">"
    else:
        yield (repr(view) if isinstance(view, str) else scalar(view, None)) or ""


def lines(view: Any, limit: int | None) -> Iterator[str]:
    """A value over as many lines as it needs, its parts indented.

    Args:
        view: The value.
        limit: Where longer texts and long lists are folded; None to unfold all.
    """
    found = scalar(view, limit)
    if found is not None:
        yield from found.split("\n")
    elif isinstance(view, Typed):
        yield f"<{view.path}>"
        yield from (INDENT + line for line in lines(view.content, limit))
    elif isinstance(view, dict):
        for key, value in view.items():
            yield from _part(str(key), value, limit)
    else:
        yield from _elements(view, limit)


_FEW = 20
"""Elements of a folded list that are shown, of its beginning and of its end."""


def _elements(view: list[Any], limit: int | None) -> Iterator[str]:
    fold = limit is not None and len(view) > _FEW
    for number, value in enumerate(view):
        if fold and _FEW // 2 <= number < len(view) - _FEW // 2:
            if number == _FEW // 2:
                yield f"… ({len(view) - _FEW:,} more elements)"
            continue
        yield from _part(f"[{number}]", value, limit)


def _part(name: str, value: Any, limit: int | None) -> Iterator[str]:
    found = list(lines(value, limit))
    if len(found) == 1 and scalar(value, limit) is not None:
        yield f"{name}: {found[0]}"
    else:
        yield f"{name}:"
        yield from (INDENT + line for line in found)
