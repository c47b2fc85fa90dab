"""prune, copy_thread, delete_thread and put race on one thread: no reference ever dangles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.survive.harness import run, scaled

ROUNDS = {"memory": 500, "threads": 300, "processes": 500}
"""Rounds of each of the eight who race: thousands in all."""


def race(scenario: str, how: str, path: Path, seed: int) -> None:
    run("racing", scenario, how, path / "agents.db", scaled(ROUNDS[how]), seed, limit=100)


@pytest.mark.slow
@pytest.mark.parametrize("how", ROUNDS)
def test_no_reference_dangles_while_retention_races_puts(
    tmp_path: Path, seed: int, how: str
) -> None:
    race("4", how, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("how", ROUNDS)
def test_pending_sends_of_format_3_are_read_while_retention_races_puts(
    tmp_path: Path, seed: int, how: str
) -> None:
    """They are writes of the parent, so that a checkpoint is read in more than one place."""
    race("3", how, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("how", ROUNDS)
def test_a_delta_channel_replays_whole_while_prune_races_puts(
    tmp_path: Path, seed: int, how: str
) -> None:
    race("delta", how, tmp_path, seed)
