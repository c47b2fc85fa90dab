"""The comparison as text."""

from tests.compat.langgraph_suite.compare import (
    OUTCOMES,
    PARAMETERS,
    Verdict,
    by_parameter,
    savers,
)
from tests.compat.langgraph_suite.side import Run


def table(official: Run, ours: Run) -> str:
    """Both sides' counts, side by side."""
    rows = [("", "official", "lgckpt"), _row("collected", official, ours, lambda r: len(r.results))]
    rows += [_row(name, official, ours, lambda r, n=name: r.count(n)) for name in OUTCOMES]
    rows += [
        _row(f"passed with [{name}]", official, ours, lambda r, n=name: _passed(r, n))
        for name in PARAMETERS
    ]
    rows += [
        _row(f"{name} made", official, ours, lambda r, n=name: savers(r)[n])
        for name in sorted(savers(official) | savers(ours))
    ]
    saves = sum(r.saves for r in ours.results.values())
    rows.append(("put, put_writes", "not counted", str(saves)))
    return "\n".join(f"{name:32} {a:>12} {b:>12}" for name, a, b in rows)


def differences(verdict: Verdict, ours: Run) -> str:
    """What was changed for our run, every test that differs, and what makes the command fail."""
    lines = [f"adapted: {line}" for line in ours.adapted]
    lines += [f"run again alone: {n}: {ours.results[n].outcome}" for n in ours.again]
    lines += [f"differs: {line}" for line in verdict.differing]
    lines += [f"{verdict.gained} tests pass that are skipped with the official savers"]
    lines += [f"PROBLEM: {line}" for line in verdict.problems]
    return "\n".join(lines)


def _row(name, official: Run, ours: Run, count) -> tuple[str, str, str]:
    return name, str(count(official)), str(count(ours))


def _passed(run: Run, parameter: str) -> int:
    return sum(r.outcome == "passed" for r in by_parameter(run, parameter))
