"""Every test here is bounded in time, and says its seed when it fails."""

from __future__ import annotations

import faulthandler
import signal
import sys
from collections.abc import Iterator
from types import FrameType

import pytest

from tests.survive.harness import new_seed

BOUND = 120
"""Seconds after which a test fails with the stacks of all threads."""

GRACE = 30
"""Further seconds after which the whole run is given up: a thread hangs in C."""


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    def fail(signum: int, frame: FrameType | None) -> None:
        faulthandler.dump_traceback(file=sys.__stderr__, all_threads=True)
        raise AssertionError(f"still running after {BOUND} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(BOUND)
    faulthandler.dump_traceback_later(BOUND + GRACE, exit=True, file=sys.__stderr__)
    yield
    faulthandler.cancel_dump_traceback_later()
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def seed() -> int:
    """Captured, so that pytest shows it with a failure; run again with it by LGCKPT_TEST_SEED."""
    chosen = new_seed()
    print(f"LGCKPT_TEST_SEED={chosen}")
    return chosen
