"""`python -m benchmarks [--quick] [--group NAME]... [--check]`: measure, print, save."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Console

from benchmarks import machine, report, servers
from benchmarks.apart import measured
from benchmarks.groups import GROUPS
from benchmarks.rows import Result
from benchmarks.runner import Settings
from benchmarks.workloads.compressibility import compressibility

RESULTS = Path("bench-results")
# Of the tables when they go to a file or a log.
_WIDTH = 150


def main() -> int:
    """Run the groups asked for; 1 if `--check` was given and a bar does not hold."""
    options = _options()
    machine.refuse_debug_build()
    RESULTS.mkdir(exist_ok=True)
    groups = options.group or list(GROUPS)
    settings = Settings(
        quick=options.quick,
        samples=9 if options.quick else 31,
        directory=RESULTS,
        self_check=options.self_check,
    )
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    run = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "run": _kind(options),
        "machine": machine.describe(RESULTS) | servers.describe(groups, RESULTS),
        "compressibility of the messages": compressibility(),
    }
    for name, value in run.items():
        console.print(f"{name}: {value}", highlight=False)
    results: list[Result] = []
    for group in groups:
        found = measured(group, settings)
        report.show(console, group, found)
        results += found
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    path = report.save(RESULTS, stamp, run, results)
    missed = [result for result in results if result.holds is False]
    console.print(f"{path} and {path.with_suffix('.md').name}; {len(missed)} bars missed")
    return 1 if missed and options.check else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--group", action="append", choices=list(GROUPS), help="only this group")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a bar is missed")
    parser.add_argument(
        "--self-check",
        action="store_true",
        help="official savers on both sides: how far ratios stray from 1 is the noise",
    )
    return parser.parse_args()


def _kind(options: argparse.Namespace) -> str:
    size = "quick" if options.quick else "full"
    return f"{size}, self-check" if options.self_check else size


if __name__ == "__main__":
    raise SystemExit(main())
