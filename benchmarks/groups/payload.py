"""Bytes a put writes when a 1 MB channel did not change and a counter did."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.database import payload, rows
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings
from benchmarks.savers import SaverKind, sides
from benchmarks.workloads.text import Prose
from benchmarks.workloads.thread import Thread

GROUP = "payload"
_PUTS = 10
_DOCUMENT_CHARACTERS = 1_000_000


def run(settings: Settings) -> list[Result]:
    """Put a counter's ten updates on both sides and look at the rows they wrote."""
    written = {
        side: Stat.of(_written(kind, settings))
        for side, kind in sides("sqlite", self_check=settings.self_check).items()
    }
    return [
        Result(
            group=GROUP,
            name="row payload of a put: 1 MB channel unchanged, a counter changed",
            unit="B",
            ours=written["ours"],
            other=written["official"],
            other_name="SqliteSaver",
            goal=Goal(Kind.AT_MOST, 2_000, 500),
            note="all columns of all rows new or changed in the database",
        )
    ]


def _written(kind: SaverKind[Path], settings: Settings) -> list[float]:
    sizes: list[float] = []
    with TemporaryDirectory(dir=settings.directory) as directory:
        path = Path(directory) / "payload.db"
        with kind.open(path) as saver:
            thread = Thread(saver)
            document = Prose(4).text(_DOCUMENT_CHARACTERS)
            saver.put(*thread.advance({"document": document, "counter": 0}))
            before = rows(path)
            for counter in range(1, _PUTS + 1):
                saver.put(*thread.advance({"counter": counter}))
                after = rows(path)
                sizes.append(payload(after - before))
                before = after
            thread.check()
    return sizes
