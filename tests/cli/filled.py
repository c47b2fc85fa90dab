"""Threads for the command line to work on."""

from __future__ import annotations

import asyncio

import lgckpt
from tests.upkeep.made import LARGE, Aged

AGES = {"old": (50, 40), "live": (60, 35, 1), "young": (3, 2)}
"""Threads, with the ages of their checkpoints in days."""


def fill(url: str) -> dict[str, list[str]]:
    """Store the threads, each checkpoint with a pending write; gives their checkpoints."""

    async def put() -> dict[str, list[str]]:
        made = {}
        async with lgckpt.from_url(url) as saver:
            for name, ages in AGES.items():
                thread = Aged(saver, name)
                for days in ages:
                    values = {"large": [*LARGE, f"{name} {days}"]}
                    at = await thread.put(days, values, run_id=f"run-{name}")
                    await saver.aput_writes(at, [("n", days)], "task")
                made[name] = thread.ids
        return made

    return asyncio.run(put())


def left(url: str) -> dict[str, int]:
    """How many checkpoints each thread has."""
    with lgckpt.from_url(url) as saver:
        found: dict[str, int] = {}
        for one in saver.list(None):
            name = one.config["configurable"]["thread_id"]
            found[name] = found.get(name, 0) + 1
    return found
