"""`python -m benchmarks.readme [RESULTS.json]`: measured figures into README.md and docs/figures.

Takes the newest full run in `bench-results` unless told which, and replaces what stands
between the two markers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import plots, report
from benchmarks.groups import GROUPS
from benchmarks.rows import Kind, Result

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
ALT = {
    "messages": "Put, read and bytes against 10 to 10,000 messages",
    "clients": "Supersteps a second against 1 to 512 clients",
    "threads": "Put, read and bytes against 1 to 100,000 threads",
}
"""What each picture is for those who do not see it."""
_HEADINGS = ("what", "lgckpt", "beside", "ratio", "bar", "`python -m benchmarks …`")


def main() -> None:
    """Rewrite README.md.

    Raises:
        SystemExit: There is no full run to take figures from.
    """
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else report.newest(GROUPS)
    run, results = report.load(path)
    readme = Path("README.md")
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    pictures = plots.draw(run, results, plots.FIGURES)
    figures = _figures(run, results, pictures)
    readme.write_text(f"{before}{BEGIN}\n{figures}{END}{after}", encoding="utf-8")
    print(f"README.md and {plots.FIGURES} have the figures of {path}")


def _figures(run: dict[str, Any], results: Sequence[Result], pictures: Sequence[Path]) -> str:
    machine = run["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    servers = "".join(
        f"{name} {machine[key]}; "
        for key, name in (("postgres", "PostgreSQL"), ("redis", "Redis"))
        if key in machine
    )
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|---|---:|---:|---:|---:|---|"]
    lines += [
        _line(result)
        for result in results
        if result.goal.kind is not Kind.INFORMATION and result.point is None
    ]
    shown = "".join(f"![{ALT[path.stem]}]({path.as_posix()})\n\n" for path in pictures)
    return (
        shown + "\n".join(lines) + f"\n\n{machine['cpu']}, {machine['cores']} cores, "
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
