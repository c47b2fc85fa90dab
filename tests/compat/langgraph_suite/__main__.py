"""Run LangGraph's own tests with the official savers and with ours, and compare.

`python -m tests.compat.langgraph_suite [--on PLACE] [tests/test_pregel.py ...]`. The official
savers and ours in each place run at the same time, one process each. Exits with 1 if any
test passes with the official savers only, or if ours were not really in use. In the place
"accelerated" ours are files, and LangGraph's step is native.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.compat.langgraph_suite import sdist
from tests.compat.langgraph_suite.compare import compare, lost
from tests.compat.langgraph_suite.side import Run, Side
from tests.compat.langgraph_suite.table import differences, table
from tests.services.postgres import postgres_url
from tests.services.valkey import shared_url

CACHE = Path(".cache") / "langgraph-suite"
TIMEOUT_MINUTES = 30.0
WHOLE = "tests"
FILES = "files"
ACCELERATED = "accelerated"
PLACES: dict[str, Callable[[], str | None]] = {
    FILES: lambda: None,
    ACCELERATED: lambda: None,
    "postgres": postgres_url,
    "redis": shared_url,
}
"""Where our savers keep their data: where their names say, or all on one server."""

MOST_AGAIN = 20
"""More tests lost than this are no accident, and are not run again."""

_OFFICIAL = "official"


def main() -> int:
    """Run all sides, print the comparisons, say whether ours hold."""
    options = _options()
    started = time.monotonic()
    release = sdist.installed()
    archive = sdist.fetch(release, options.cache)
    places = list(dict.fromkeys(options.on or PLACES))
    with tempfile.TemporaryDirectory(prefix="langgraph-suite-") as root:
        suite = _Suite(archive, Path(root), options.timeout * 60)
        official, ours = suite.run(options.tests, places)
        for place, run in ours.items():
            suite.run_again(place, run, lost(official, run))
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


class _Suite:
    """The unpacked suite, run by several sides at once.

    Args:
        archive: The suite's sdist.
        root: A directory to unpack it in, once for each side.
        seconds: How long the sides may take.
    """

    def __init__(self, archive: Path, root: Path, seconds: float) -> None:
        self._archive = archive
        self._root = root
        self._seconds = seconds

    def run(self, tests: list[str], places: list[str]) -> tuple[Run, dict[str, Run]]:
        """Run it with the official savers, and with ours in each place."""
        sides: dict[str, Side] = {}
        try:
            for name in (_OFFICIAL, *places):
                sides[name] = self._side(name, tests, self._root / name)
            runs = {name: side.wait(self._seconds) for name, side in sides.items()}
        finally:
            for side in sides.values():
                side.kill()
        return runs.pop(_OFFICIAL), runs

    def run_again(self, place: str, run: Run, tests: list[str]) -> None:
        """Run lost tests once more with nothing beside them, and take that result.

        Some of the suite's tests look at the clock or at which of two parallel steps came first,
        and fail now and then with any saver where several sides keep the machine busy.
        """
        if not 0 < len(tests) <= MOST_AGAIN:
            return
        side = self._side(place, tests, self._root / f"{place}-again")
        try:
            run.take_again(side.wait(self._seconds))
        finally:
            side.kill()

    def _side(self, name: str, tests: list[str], directory: Path) -> Side:
        sdist.unpack(self._archive, directory)
        if name == _OFFICIAL:
            return Side("official", directory, tests)
        accelerated = name == ACCELERATED
        return Side("lgckpt", directory, tests, PLACES[name](), accelerated=accelerated)


if __name__ == "__main__":
    sys.exit(main())
