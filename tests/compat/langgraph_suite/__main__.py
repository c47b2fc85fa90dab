"""Run LangGraph's own tests with the official savers and with ours, and compare.

`python -m tests.compat.langgraph_suite [--on PLACE] [tests/test_pregel.py ...]`. The official
savers and ours in each place run at the same time, one process each. Exits with 1 if any
test passes with the official savers only, or if ours were not really in use.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.compat.langgraph_suite import sdist
from tests.compat.langgraph_suite.compare import compare
from tests.compat.langgraph_suite.side import Run, Side
from tests.compat.langgraph_suite.table import differences, table
from tests.services.postgres import postgres_url
from tests.services.valkey import shared_url

CACHE = Path(".cache") / "langgraph-suite"
TIMEOUT_MINUTES = 30.0
WHOLE = "tests"
PLACES: dict[str, Callable[[], str | None]] = {
    "files": lambda: None,
    "postgres": postgres_url,
    "redis": shared_url,
}
"""Where our savers keep their data: where their names say, or all on one server."""


def main() -> int:
    """Run all sides, print the comparisons, say whether ours hold."""
    options = _options()
    started = time.monotonic()
    release = sdist.installed()
    archive = sdist.fetch(release, options.cache)
    places = list(dict.fromkeys(options.on or PLACES))
    with tempfile.TemporaryDirectory(prefix="langgraph-suite-") as root:
        official, ours = _run(archive, Path(root), options.tests, options.timeout * 60, places)
    print(f"langgraph {release}, {time.monotonic() - started:.0f} s")
    failed = False
    for place, run in ours.items():
        verdict = compare(official, run, whole=options.tests == [WHOLE])
        print(f"\nours on {place}")
        print(table(official, run))
        print(differences(verdict, run))
        failed = failed or bool(verdict.problems)
    print("FAILED" if failed else "every test that passes with theirs passes with ours")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.langgraph_suite")
    parser.add_argument("tests", nargs="*", default=[WHOLE], help="the suite's files (all)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where sdists are kept")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_MINUTES, help="minutes")
    parser.add_argument(
        "--on", action="append", choices=list(PLACES), help="where ours keep their data (all)"
    )
    return parser.parse_args()


def _run(
    archive: Path, root: Path, tests: list[str], seconds: float, places: list[str]
) -> tuple[Run, dict[str, Run]]:
    sides: dict[str, Side] = {}
    try:
        for name in ("official", *places):
            directory = root / name
            sdist.unpack(archive, directory)
            kind, server = ("official", None) if name == "official" else ("lgckpt", PLACES[name]())
            sides[name] = Side(kind, directory, tests, server)
        runs = {name: side.wait(seconds) for name, side in sides.items()}
    finally:
        for side in sides.values():
            side.kill()
    return runs.pop("official"), runs


if __name__ == "__main__":
    sys.exit(main())
