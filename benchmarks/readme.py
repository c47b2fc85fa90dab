"""`python -m benchmarks.readme [RESULTS.json]`: put measured figures into README.md.

Takes the newest full run in `bench-results` unless told which, and replaces what stands
between the two markers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.groups import GROUPS
from benchmarks.rows import Kind, Result

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
_HEADINGS = ("what", "lgckpt", "beside", "ratio", "bar", "`python -m benchmarks …`")


def main() -> None:
    """Rewrite README.md.

    Raises:
        SystemExit: There is no full run to take figures from.
    """
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else _newest()
    run, results = report.load(path)
    readme = Path("README.md")
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{BEGIN}\n{_figures(run, results)}{END}{after}", encoding="utf-8")
    print(f"README.md has the figures of {path}")


def _newest() -> Path:
    for path in sorted(Path("bench-results").glob("*.json"), reverse=True):
        run, results = report.load(path)
        if run["run"] == "full" and {result.group for result in results} == set(GROUPS):
            return path
    raise SystemExit("no full run in bench-results: run `make bench` first")


def _figures(run: dict[str, Any], results: Sequence[Result]) -> str:
    machine = run["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    servers = "".join(
        f"{name} {machine[key]}; "
        for key, name in (("postgres", "PostgreSQL"), ("redis", "Redis"))
        if key in machine
    )
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|---|---:|---:|---:|---:|---|"]
    lines += [_line(result) for result in results if result.goal.kind is not Kind.INFORMATION]
    return (
        "\n".join(lines) + f"\n\n{machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB, {machine['filesystem']}, {machine['system']}; "
        f"{machine['python']}; SQLite {machine['sqlite']}; {servers}{packages}. "
        f"{run['date'][:10]}.\n"
        f"The messages: {run['compressibility of the messages']}.\n"
    )


def _line(result: Result) -> str:
    name, ours, other, score, bar, _, _ = report.cells(result)
    missed = " (missed)" if result.holds is False else ""
    cells = (name, ours, other, score, f"{bar}{missed}", f"`--group {result.group}`")
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
