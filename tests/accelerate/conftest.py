"""Tests here switch acceleration themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import lgckpt
from lgckpt import pregel


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """Begin and end without acceleration, whatever the rest of the run has."""
    scope = lgckpt.status().acceleration.scope
    lgckpt.decelerate()
    yield
    lgckpt.decelerate()
    assert lgckpt.status().acceleration.scope == "none"
    if scope == "all":
        lgckpt.accelerate()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the core did a part of a step."""
    counter: Counter[str] = Counter()
    real = pregel.core

    class Counting:
        def __getattr__(self, name: str) -> Any:
            function = getattr(real, name)

            def count(*args: Any) -> Any:
                result = function(*args)
                counter[name] += result is not None
                return result

            return count

    monkeypatch.setattr(pregel, "core", Counting())
    return counter
