"""prune, copies, bulk loads, deletes and puts race on one thread in Redis: nothing dangles."""

from __future__ import annotations

import uuid

import pytest

from tests.services.valkey import drop_prefix, shared_url
from tests.survive.harness import run, scaled

ROUNDS = {"threads": 60, "processes": 60, "killed": 60}
"""Rounds of each of those who race."""


@pytest.mark.slow
@pytest.mark.parametrize("how", ROUNDS)
@pytest.mark.parametrize("scenario", ["4", "3", "delta"])
def test_no_reference_dangles_while_retention_races_puts(
    seed: int, how: str, scenario: str
) -> None:
    url, prefix = shared_url(), f"race-{uuid.uuid4().hex}"
    try:
        run("redis_racing", scenario, how, url, prefix, scaled(ROUNDS[how]), seed, limit=90)
    finally:
        drop_prefix(url, prefix)
