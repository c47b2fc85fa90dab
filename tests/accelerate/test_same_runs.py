"""Every scenario gives the same results, events, histories and errors plain and accelerated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

import lgckpt
from tests.accelerate.driver import Driver
from tests.accelerate.scenarios import SCENARIOS


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
    assert all(calls[part] for part in ("apply_writes", "restore_channels", "triggers"))
    calls.clear()
    found = ran(name, colour, lgckpt.accelerate)
    assert_equal(found, wanted)
    assert all(calls[part] for part in ("apply_writes", "restore_channels", "triggers"))
    lgckpt.decelerate()
    calls.clear()
    assert_equal(ran(name, colour), wanted)
    assert not calls


def assert_equal(found: list[Any], wanted: list[Any]) -> None:
    for one, other in zip(found, wanted, strict=True):
        assert one == other
