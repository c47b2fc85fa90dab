"""One run of the suite in a process of its own, and what it recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

PLUGIN = Path(__file__).parent / "inside"
HANG_SECONDS = 180
"""A single test that takes longer is a hang: its stacks are dumped and the run ends."""

COMPLETED = (0, 1)
"""Exit codes of a pytest that ran every test: all passed, or some failed."""


@dataclass(frozen=True)
class Result:
    """One test: how it went, and the savers it made and used."""

    outcome: str
    reason: str
    official: dict[str, int]
    ours: dict[str, int]
    saves: int


@dataclass
class Run:
    """One side's results by node id.

    Attributes:
        results: Every test that ended.
        problems: What went wrong with the run as a whole.
        adapted: The suite's own saver classes that were changed for this side, and why.
        again: Tests that were run once more, with nothing beside them.
    """

    results: dict[str, Result] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    adapted: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def take_again(self, other: Run) -> None:
        """Take the results of a later run of some of the tests."""
        self.again += other.results
        self.results.update(other.results)
        self.problems += other.problems

    def count(self, outcome: str) -> int:
        """How many tests had that outcome."""
        return sum(r.outcome == outcome for r in self.results.values())


class Side:
    """The suite with one kind of savers, in a directory of its own.

    Args:
        savers: "official" or "lgckpt".
        root: Holds the unpacked suite; records and the log go there too.
        tests: Which of the suite's files, as pytest arguments.
        server: The URL of where our savers keep their data, whatever they are called; None
            for where their names say.
        accelerated: LangGraph's step is to be native.
    """

    def __init__(
        self,
        savers: str,
        root: Path,
        tests: list[str],
        server: str | None = None,
        *,
        accelerated: bool = False,
    ) -> None:
        self.savers = savers
        self.log = root / "pytest.log"
        self._records = root / "records.jsonl"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*_PYTEST, *tests],
                cwd=root,
                env=_environment(savers, self._records, server) | _acceleration(accelerated),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self, seconds: float) -> Run:
        """The run's results; a run that takes longer than `seconds` is ended and reported."""
        run = Run()
        try:
            code = self._process.wait(seconds)
            if code not in COMPLETED:
                run.problems.append(f"pytest ended with exit code {code}: {self._tail()}")
        except subprocess.TimeoutExpired:
            self.kill()
            run.problems.append(f"not done after {seconds:.0f} s: {self._tail()}")
        self._read_records(run)
        return run

    def kill(self) -> None:
        """End the process, if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _read_records(self, run: Run) -> None:
        started = ""
        lines = self._records.read_text().splitlines() if self._records.exists() else []
        for record in map(json.loads, lines):
            if "adapted" in record:
                run.adapted += record["adapted"]
                continue
            nodeid = record.pop("nodeid")
            started = nodeid if record.pop("started") else ""
            if record:
                run.results[nodeid] = Result(**record)
        if started:
            run.problems.append(f"ended within {started}")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])


_PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "lgckpt_suite.hooks"]
_PYTEST += ["-p", "no:cacheprovider", "-o", "addopts=--strict-markers --strict-config"]
_PYTEST += ["-o", f"faulthandler_timeout={HANG_SECONDS}", "-o", "faulthandler_exit_on_timeout=true"]


def _environment(savers: str, records: Path, server: str | None) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")}
    paths = [str(PLUGIN), *filter(None, [kept.get("PYTHONPATH")])]
    if server is not None:
        kept["LGCKPT_SUITE_SERVER"] = server
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "LGCKPT_SUITE_SAVERS": savers,
        "LGCKPT_SUITE_RECORDS": str(records),
        "NO_DOCKER": "true",
        "PYTHONUNBUFFERED": "1",
        "LANGGRAPH_STRICT_MSGPACK": kept.get("LANGGRAPH_STRICT_MSGPACK", "false"),
        "LANGSMITH_TRACING": "false",
    }


def _acceleration(wanted: bool) -> dict[str, str]:
    return {"LGCKPT_SUITE_ACCELERATED": "1" if wanted else ""}
