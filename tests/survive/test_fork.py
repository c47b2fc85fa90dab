"""A process forked after a saver was made or used, as gunicorn's preload does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.valkey import shared_url
from tests.survive.harness import run, scaled
from tests.survive.places import place_on

FORKS = 24

MULTI_THREADED = "-Wignore:This process:DeprecationWarning"
"""Python 3.12 and later warn of what these tests are about."""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["memory", "sqlite", "sqlite-memory", "postgres", "redis"])
@pytest.mark.parametrize(
    "scenario",
    [
        "after-construction", "after-use", "generations", "multiprocessing", "in-the-middle",
        "under-a-lock", "closed-in-the-child",
    ],
)  # fmt: skip
def test_parent_and_children_write_and_read(tmp_path: Path, scenario: str, backend: str) -> None:
    fork(scenario, backend, tmp_path)


def test_a_child_that_ends_late_does_not_disturb_what_came_since(tmp_path: Path) -> None:
    fork("stale-child", "sqlite", tmp_path)


def test_a_child_that_outlives_its_parents_saver_loses_nothing(tmp_path: Path) -> None:
    """SQLite takes a connection inherited by fork for a lock that nobody holds in truth."""
    fork("outlived", "sqlite", tmp_path)


def fork(scenario: str, backend: str, directory: Path) -> None:
    flags = ("-Werror", MULTI_THREADED)
    env = {"LGCKPT_TEST_REDIS": shared_url()} if backend == "redis" else {}
    with place_on(backend, directory) as place:
        run("forked", scenario, backend, place, scaled(FORKS), limit=120, flags=flags, env=env)
