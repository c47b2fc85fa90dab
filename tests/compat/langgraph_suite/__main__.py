"""Run LangGraph's own tests with the official savers and with ours, and compare.

`python -m tests.compat.langgraph_suite [tests/test_pregel.py ...]`. Both runs go on at the
same time, one process each. Exits with 1 if any test passes with the official savers only,
or if ours were not really in use.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.compat.langgraph_suite import sdist
from tests.compat.langgraph_suite.compare import compare
from tests.compat.langgraph_suite.side import Run, Side
from tests.compat.langgraph_suite.table import differences, table
from tests.services.postgres import postgres_url

CACHE = Path(".cache") / "langgraph-suite"
TIMEOUT_MINUTES = 20.0
WHOLE = "tests"


def main() -> int:
    """Run both sides, print the comparison, say whether ours hold."""
    options = _options()
    started = time.monotonic()
    release = sdist.installed()
    archive = sdist.fetch(release, options.cache)
    with tempfile.TemporaryDirectory(prefix="langgraph-suite-") as root:
        url = postgres_url() if options.postgres else None
        runs = _both(archive, Path(root), options.tests, options.timeout * 60, url)
    verdict = compare(*runs, whole=options.tests == [WHOLE])
    print(f"langgraph {release}, {time.monotonic() - started:.0f} s")
    print(table(*runs))
    print(differences(verdict, runs[1]))
    print("FAILED" if verdict.problems else "every test that passes with theirs passes with ours")
    return 1 if verdict.problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compat.langgraph_suite")
    parser.add_argument("tests", nargs="*", default=[WHOLE], help="the suite's files (all)")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where sdists are kept")
    parser.add_argument("--timeout", type=float, default=TIMEOUT_MINUTES, help="minutes")
    parser.add_argument(
        "--postgres", action="store_true", help="each of our savers keeps its data in Postgres"
    )
    return parser.parse_args()


def _both(
    archive: Path, root: Path, tests: list[str], seconds: float, url: str | None
) -> tuple[Run, Run]:
    sides = []
    try:
        for savers in ("official", "lgckpt"):
            directory = root / savers
            sdist.unpack(archive, directory)
            sides.append(Side(savers, directory, tests, url if savers == "lgckpt" else None))
        official, ours = (side.wait(seconds) for side in sides)
    finally:
        for side in sides:
            side.kill()
    return official, ours


if __name__ == "__main__":
    sys.exit(main())
