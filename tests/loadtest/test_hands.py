"""Processes of clients, as the run sees them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from lgckpt.errors import StorageError
from lgckpt.loadtest.hands import engage
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.worker import Order


def order(path: Path) -> Order:
    return Order(
        url=f"sqlite:///{path}", workload="chat", replay=None, pace=None, seed=1, prefix="t",
        number=0, processes=1, connections=1, patience=1.0, timeout=5.0,
    )  # fmt: skip


def test_a_process_that_dies_is_a_problem_and_no_closed_pipe(tmp_path: Path) -> None:
    async def die() -> None:
        before = set(psutil.Process().children())
        hands = await engage([order(tmp_path / "x.db")])
        try:
            work = asyncio.ensure_future(hands.run(Load(1), 60.0))
            # The answer comes after the one before it was taken up.
            await hands.snapshot()
            for one in set(psutil.Process().children()) - before:
                if "spawn_main" in " ".join(one.cmdline()):
                    one.kill()
            # What was asked before it died, and what is asked after.
            with pytest.raises(StorageError, match="ended unexpectedly"):
                await work
            with pytest.raises(StorageError, match="ended unexpectedly"):
                await hands.snapshot()
        finally:
            await hands.close()

    asyncio.run(die())
