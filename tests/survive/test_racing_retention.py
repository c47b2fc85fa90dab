"""prune, copies, bulk loads, deletes and puts race on one thread: no reference ever dangles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.postgres import postgres_url
from tests.services.postgres_schemas import schema_of
from tests.survive.harness import run, scaled

ROUNDS = {
    "memory": 500,
    "threads": 300,
    "processes": 500,
    "postgres-threads": 150,
    "postgres-processes": 150,
}
"""Rounds of each of the nine who race: thousands in all."""


def race(scenario: str, how: str, path: Path, seed: int) -> None:
    rounds = scaled(ROUNDS[how])
    if not how.startswith("postgres-"):
        run("racing", scenario, how, path / "agents.db", rounds, seed, limit=100)
        return
    url = postgres_url()
    with schema_of(url) as schema:
        how = how.removeprefix("postgres-")
        run("racing", scenario, how, f"{url}#{schema}", rounds, seed, limit=200)


@pytest.mark.slow
@pytest.mark.parametrize("how", ROUNDS)
@pytest.mark.parametrize(
    "scenario",
    [
        pytest.param("4", id="no-reference-dangles"),
        # They are writes of the parent, so that a checkpoint is read in more than one place.
        pytest.param("3", id="pending-sends-of-format-3-are-read"),
        pytest.param("delta", id="a-delta-channel-replays-whole"),
    ],
)
def test_while_retention_races_puts(tmp_path: Path, seed: int, how: str, scenario: str) -> None:
    race(scenario, how, tmp_path, seed)
