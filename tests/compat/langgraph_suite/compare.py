"""Two runs of one suite: what passes with the official savers must pass with ours."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.compat.langgraph_suite.exclusions import Exclusion, exclusion
from tests.compat.langgraph_suite.side import Result, Run

OUTCOMES = ("passed", "failed", "skipped", "xfailed", "xpassed")
PARAMETERS = ("memory", "sqlite", "sqlite_aes", "sqlite_aio")
"""The suite's own names for the savers its fixtures give."""

CLASSES = ("InMemorySaver", "SqliteSaver", "AsyncSqliteSaver")
SOUND = 0.95
"""Share of the tests run that the official savers must pass for the baseline to mean anything."""


@dataclass
class Verdict:
    """What the comparison found.

    Attributes:
        problems: Each makes the command fail.
        differing: Tests that differ for a reason that is no problem, or that fail for both.
        gained: How many pass with ours that are skipped with the official savers.
    """

    problems: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    gained: int = 0


def compare(
    official: Run,
    ours: Run,
    *,
    whole: bool = True,
    excluded: Callable[[str], Exclusion | None] = exclusion,
) -> Verdict:
    """Judge our run by the official one.

    Args:
        official: The baseline.
        ours: The same tests with our savers.
        whole: All of the suite was run, so every kind of saver must have been in use.
        excluded: Gives the entry of a test that is known to fail with ours, or None.
    """
    verdict = Verdict()
    for name, run in (("official", official), ("lgckpt", ours)):
        verdict.problems += [f"{name}: {problem}" for problem in run.problems]
    _same_tests(verdict, official, ours)
    _sound_baseline(verdict, official)
    for nodeid in sorted(official.results.keys() & ours.results.keys()):
        pair = official.results[nodeid], ours.results[nodeid]
        _same_outcome(verdict, nodeid, *pair, excluded(nodeid))
        _ours_in_use(verdict, nodeid, *pair)
    if whole:
        _every_kind_in_use(verdict, ours)
    if not sum(r.saves for r in ours.results.values()):
        verdict.problems.append("nothing was saved with our savers")
    return verdict


def lost(
    official: Run, ours: Run, excluded: Callable[[str], Exclusion | None] = exclusion
) -> list[str]:
    """The tests that pass with the official savers, fail with ours, and are not known to."""
    return [
        nodeid
        for nodeid, result in ours.results.items()
        if result.outcome == "failed" and not excluded(nodeid)
        if nodeid in official.results and official.results[nodeid].outcome == "passed"
    ]


def _same_tests(verdict: Verdict, official: Run, ours: Run) -> None:
    for name, missing in (
        ("lgckpt", official.results.keys() - ours.results.keys()),
        ("official", ours.results.keys() - official.results.keys()),
    ):
        if missing:
            some = ", ".join(sorted(missing)[:5])
            verdict.problems.append(f"{len(missing)} tests did not run with {name}: {some}")


def _sound_baseline(verdict: Verdict, official: Run) -> None:
    run = len(official.results) - official.count("skipped")
    if official.count("passed") < SOUND * run or not run:
        verdict.problems.append(
            f"only {official.count('passed')} of {run} tests pass with the official savers"
        )


def _same_outcome(
    verdict: Verdict, nodeid: str, official: Result, ours: Result, excluded: Exclusion | None
) -> None:
    both = f"{nodeid}: {official.outcome} / {ours.outcome}"
    if excluded and ours.outcome == "passed":
        verdict.problems.append(f"{nodeid} passes: take it out of the table of exclusions")
    elif excluded and excluded.sign in ours.reason:
        verdict.differing.append(f"{both}, since it {excluded.reason}")
    elif ours.outcome == official.outcome != "failed":
        return
    elif official.outcome == "passed" or ours.outcome == "failed" != official.outcome:
        verdict.problems.append(f"{both}\n{ours.reason}")
    elif (official.outcome, ours.outcome) == ("skipped", "passed"):
        verdict.gained += 1
    else:
        verdict.differing.append(both)


def _ours_in_use(verdict: Verdict, nodeid: str, official: Result, ours: Result) -> None:
    """As many of ours as there were official ones, and none of those left."""
    if ours.official:
        verdict.problems.append(f"{nodeid} made official savers in our run: {ours.official}")
    if official.outcome == ours.outcome == "passed" and official.official != ours.ours:
        verdict.problems.append(f"{nodeid} made {official.official} before and {ours.ours} of ours")


def _every_kind_in_use(verdict: Verdict, ours: Run) -> None:
    made = savers(ours)
    for name in CLASSES:
        if not made[name]:
            verdict.problems.append(f"no {name} of ours was made")
    for parameter in PARAMETERS:
        if not by_parameter(ours, parameter):
            verdict.problems.append(f"no test ran with parameter {parameter}")


def savers(run: Run) -> Counter[str]:
    """How many savers of each class the tests of a run made, official or ours."""
    made: Counter[str] = Counter()
    for result in run.results.values():
        made.update(result.official)
        made.update(result.ours)
    return made


def by_parameter(run: Run, parameter: str) -> list[Result]:
    """The tests that got a saver of that name from the suite's fixtures."""
    return [r for nodeid, r in run.results.items() if parameter in _parameters(nodeid)]


def _parameters(nodeid: str) -> list[str]:
    return nodeid.partition("[")[2].rstrip("]").split("-")
