"""Counts the statements that a saver sends, each of which is one round trip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

Sent = tuple[str, tuple[Any, ...]]
"""A statement and its parameters."""

METHODS = ("execute", "executemany", "fetch", "fetchmany", "fetchrow", "fetchval")


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Sent]]:
    """The statements sent within the block, by every asyncpg connection."""
    sent: list[Sent] = []
    with monkeypatch.context() as patch:
        for name in METHODS:
            patch.setattr(asyncpg.Connection, name, _counting(name, sent))
        yield sent


def _counting(name: str, sent: list[Sent]) -> Any:
    real = getattr(asyncpg.Connection, name)

    async def call(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        sent.append((query, args))
        return await real(self, query, *args, **kwargs)

    return call
