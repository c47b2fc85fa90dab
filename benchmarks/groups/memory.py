"""Process memory that an in-memory saver holds for 1,000 appended messages.

Every sample is a process of its own (`benchmarks.memory_child`); tracemalloc is off, since
it slows and distorts, and does not see what the compiled core holds.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings

GROUP = "memory"
MESSAGES = 1_000


def run(settings: Settings) -> list[Result]:
    """Fill both savers in fresh processes in turn."""
    names = {"ours": "official" if settings.self_check else "ours", "official": "official"}
    held: dict[str, list[float]] = {side: [] for side in names}
    order = list(names)
    for _ in range(1 if settings.quick else 5):
        for side in order:
            held[side].append(_held(names[side]) / 1e6)
        order.reverse()
    return [
        Result(
            group=GROUP,
            name="process memory held by MemorySaver after 1,000 messages",
            unit="MB",
            ours=Stat.of(held["ours"]),
            other=Stat.of(held["official"]),
            other_name="InMemorySaver",
            goal=Goal(Kind.SMALLER, 50, 100),
            note="growth of the process's unique set size, before any read",
        )
    ]


def _held(side: str) -> int:
    command = [sys.executable, "-m", "benchmarks.memory_child", side, str(MESSAGES)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout)
