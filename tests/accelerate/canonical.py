"""Results of two runs made comparable: ids, times and versions differ in every run."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import fields, is_dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from pydantic import BaseModel

_PATTERNS = {
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}"),
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?"),
    "version": re.compile(r"\b(\d{32})\.\d\.\d+(?:e-\d+)?"),
}


class Canonical:
    """Names ids in the order in which they come, so that the same id stays the same.

    Args:
        unnamed: Call them all the same, since they come in any order.
    """

    def __init__(self, *, unnamed: bool = False) -> None:
        self._ids: dict[str, str] = {}
        self._unnamed = unnamed

    def __call__(self, value: Any) -> Any:
        """Rebuild a value of plain parts."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, set | frozenset):
            return ("set", sorted(map(repr, map(self, value))))
        if isinstance(value, tuple | list | deque):
            return (type(value).__name__, [self(item) for item in value])
        if isinstance(value, BaseMessage | BaseModel):
            return (type(value).__name__, self(value.model_dump()))
        if isinstance(value, BaseException):
            return (type(value).__name__, self(str(value)), self(getattr(value, "__notes__", [])))
        if is_dataclass(value) and not isinstance(value, type):
            parts = {f.name: self(getattr(value, f.name, None)) for f in fields(value)}
            return (type(value).__name__, parts)
        return value if value is None or isinstance(value, int | float | bytes) else repr(value)

    def _text(self, text: str) -> str:
        text = _PATTERNS["version"].sub(lambda found: f"v{int(found[1])}", text)
        text = _PATTERNS["time"].sub("TIME", text)
        return _PATTERNS["id"].sub(self._name, text)

    def _name(self, found: re.Match[str]) -> str:
        if self._unnamed:
            return "ID"
        return self._ids.setdefault(found[0], f"ID{len(self._ids)}")
