"""Every scenario gives the same results, events, histories and errors plain and accelerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lgckpt
from lgckpt import pregel
from tests.accelerate.driver import Driver
from tests.accelerate.scenarios import SCENARIOS


@pytest.fixture(autouse=True)
def plain() -> Iterator[None]:
    """Tests here begin without acceleration, whatever the run of tests has."""
    before = lgckpt.status().acceleration.scope
    lgckpt.decelerate()
    yield
    lgckpt.decelerate()
    if before == "all":
        lgckpt.accelerate()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the core was asked for each part of a step."""
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


def ran(name: str, colour: str, prepare: Callable[[Any], None] = lambda graph: None) -> list[Any]:
    driver = Driver(colour, prepare)
    SCENARIOS[name](driver)
    return driver.log


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same(name: str, colour: str, calls: Counter[str]) -> None:
    wanted = ran(name, colour)
    assert not calls
    assert len(wanted) >= 1
    with lgckpt.accelerated():
        found = ran(name, colour)
    assert_equal(found, wanted)
    assert {"apply_writes", "restore_channels", "triggers"} <= set(calls)
    calls.clear()
    found = ran(name, colour, lgckpt.accelerate)
    assert_equal(found, wanted)
    assert {"apply_writes", "restore_channels", "triggers"} <= set(calls)
    lgckpt.decelerate()
    calls.clear()
    assert_equal(ran(name, colour), wanted)
    assert not calls


def assert_equal(found: list[Any], wanted: list[Any]) -> None:
    for one, other in zip(found, wanted, strict=True):
        assert one == other
