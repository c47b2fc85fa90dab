"""Results as a table on the terminal, as Markdown, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.rows import Goal, Kind, Point, Result, Stat

HEADINGS = ("what", "lgckpt", "beside", "score", "bar", "aim", "holds")


def figure(stat: Stat | None, unit: str) -> str:
    """A median with its unit, and the spread where there are several samples."""
    if stat is None:
        return ""
    spread = f" ±{stat.spread:.0%}" if stat.count > 1 else ""
    gap = "" if unit.startswith("/") else " "
    return f"{_number(stat.median)}{gap}{unit}{spread}"


def score(result: Result) -> str:
    """What the goal is about, as a reader would say it."""
    value = result.score
    if value is None:
        return ""
    if result.goal.kind is Kind.AT_MOST:
        return f"{_number(value)} {result.unit}"
    return f"{_number(value)}x"


def limit(goal: Goal, value: float | None, unit: str) -> str:
    """A bar or an aim with its direction."""
    if value is None:
        return ""
    sign = "≤ " if goal.kind in (Kind.AT_MOST, Kind.AT_MOST_TIMES) else ""
    return f"{sign}{value:g}" + (f" {unit}" if goal.kind is Kind.AT_MOST else "x")


def verdict(result: Result) -> str:
    """Whether the goals hold: "aim", "bar", "no", or nothing where there is no goal."""
    if result.holds is False:
        return "NO"
    if result.aim_reached:
        return "aim"
    if result.holds:
        return "bar"
    return "" if result.aim_reached is None else "below aim"


def cells(result: Result) -> tuple[str, ...]:
    """One row of the table, in the order of `HEADINGS`."""
    other = figure(result.other, result.unit)
    return (
        result.name,
        figure(result.ours, result.unit),
        f"{other} ({result.other_name})" if other else "",
        score(result),
        limit(result.goal, result.goal.bar, result.unit),
        limit(result.goal, result.goal.aim, result.unit),
        verdict(result),
    )


def show(console: Console, group: str, results: Sequence[Result]) -> None:
    """Print the table of one group."""
    table = Table(title=group, title_justify="left")
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading in ("what", "holds") else "right")
    for result in results:
        table.add_row(*cells(result))
    console.print(table)


def markdown(results: Sequence[Result]) -> str:
    """All results as one Markdown table."""
    lines = ["| " + " | ".join(HEADINGS) + " |", "|---|" + "---:|" * 5 + "---|"]
    lines += ["| " + " | ".join(cells(result)) + " |" for result in results]
    return "\n".join(lines) + "\n"


def save(directory: Path, stamp: str, run: dict[str, Any], results: Sequence[Result]) -> Path:
    """Write `STAMP.json` and `STAMP.md`, and return the path of the first."""
    document = {**run, "results": [_as_json(result) for result in results]}
    path = directory / f"{stamp}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    heading = "\n".join(f"- {name}: {value}" for name, value in run.items())
    path.with_suffix(".md").write_text(f"{heading}\n\n{markdown(results)}", encoding="utf-8")
    return path


def load(path: Path) -> tuple[dict[str, Any], list[Result]]:
    """Read what `save` wrote: the run's description and its results."""
    document = json.loads(path.read_text(encoding="utf-8"))
    results = [
        Result(
            group=item["group"],
            name=item["name"],
            unit=item["unit"],
            ours=Stat(**item["ours"]),
            other=Stat(**item["other"]) if item["other"] else None,
            other_name=item["other_name"],
            goal=Goal(Kind(item["goal"]["kind"]), item["goal"]["bar"], item["goal"]["aim"]),
            note=item["note"],
            point=Point(**item["point"]) if item.get("point") else None,
        )
        for item in document.pop("results")
    ]
    return document, results


def newest(groups: Collection[str] = ()) -> Path:
    """The newest full run in `bench-results` that has all of these groups.

    Raises:
        SystemExit: There is none.
    """
    for path in sorted(Path("bench-results").glob("*.json"), reverse=True):
        run, results = load(path)
        if run["run"] == "full" and set(groups) <= {result.group for result in results}:
            return path
    raise SystemExit("no full run in bench-results: run `make bench` first")


def _as_json(result: Result) -> dict[str, Any]:
    goal = {**asdict(result.goal), "kind": result.goal.kind.value}
    verdicts = {"score": result.score, "holds": result.holds, "aim_reached": result.aim_reached}
    return {**asdict(result), "goal": goal, **verdicts}


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
