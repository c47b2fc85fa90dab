"""One chat thread grows by a message a superstep: what a put, a read and the file cost."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.database import file_bytes
from benchmarks.measures.growth import Growth, Samples, size
from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings
from benchmarks.savers import sides
from benchmarks.workloads.chat import conversation

GROUP = "growth"
MESSAGES = 1_000
_OFFICIAL = "SqliteSaver"
_WINDOWS = {100: 20, MESSAGES: 40}


def run(settings: Settings) -> list[Result]:
    """Grow a thread to 1,000 messages on both sides, in step."""
    messages = conversation(MESSAGES)
    kinds = sides("sqlite", self_check=settings.self_check)
    growth = Growth(kinds, settings, _WINDOWS)
    sizes: Samples = defaultdict(list)
    for _ in range(1 if settings.quick else 3):
        with TemporaryDirectory(dir=settings.directory) as directory:
            paths = {side: Path(directory) / f"{side}.db" for side in kinds}
            growth.grow(paths, messages)
            for side, path in paths.items():
                sizes[side].append(file_bytes(path) / 1e6)
    name = "SQLite file after 1,000 messages"
    goal, faster = Goal(Kind.SMALLER, 100, 200), Kind.FASTER
    return [
        size(GROUP, name, _OFFICIAL, sizes, goal),
        *growth.results(GROUP, _OFFICIAL, put=Goal(faster, 5, 8), get=Goal(faster, 4, 8)),
    ]
