"""The suite's comparison must not let anything through."""

import pytest

from tests.compat.langgraph_suite.compare import PARAMETERS, compare
from tests.compat.langgraph_suite.side import Result, Run

MADE = {"InMemorySaver": 1, "SqliteSaver": 1, "AsyncSqliteSaver": 1}
NODEIDS = [f"tests/test_a.py::test_a[{name}]" for name in PARAMETERS]


def official(outcome: str = "passed") -> Result:
    return Result(outcome, "", dict(MADE), {}, 0)


def ours(outcome: str = "passed", **changes: object) -> Result:
    values = {"outcome": outcome, "reason": "", "official": {}, "ours": dict(MADE), "saves": 3}
    return Result(**(values | changes))


def runs() -> tuple[Run, Run]:
    return Run({n: official() for n in NODEIDS}), Run({n: ours() for n in NODEIDS})


def none_expected(nodeid: str) -> None:
    return None


def test_equal_runs_hold() -> None:
    assert compare(*runs(), expected=none_expected).problems == []


@pytest.mark.parametrize("outcome", ["failed", "skipped", "xfailed"])
def test_a_pass_lost_is_a_problem(outcome: str) -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours(outcome)
    (problem,) = compare(theirs, mine, expected=none_expected).problems
    assert NODEIDS[0] in problem
    assert outcome in problem


def test_a_test_that_fails_for_both_is_none_and_one_that_only_we_pass_is_shown() -> None:
    theirs, mine = runs()
    for i in range(50):
        theirs.results[f"more{i}"], mine.results[f"more{i}"] = official(), ours()
    theirs.results[NODEIDS[0]], mine.results[NODEIDS[0]] = official("failed"), ours("failed")
    theirs.results[NODEIDS[1]] = official("failed")
    verdict = compare(theirs, mine, expected=none_expected)
    assert verdict.problems == []
    assert [line.split(":")[0] for line in verdict.differing] == [NODEIDS[1].split(":")[0]]


def test_an_expected_failure_is_shown_and_a_stale_entry_is_a_problem() -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours("failed")
    verdict = compare(theirs, mine, expected=lambda n: "looks inside" if n in NODEIDS[:2] else None)
    assert [NODEIDS[0] in line for line in verdict.differing] == [True]
    assert [NODEIDS[1] in line for line in verdict.problems] == [True]


def test_a_test_that_did_not_run_is_a_problem() -> None:
    theirs, mine = runs()
    del mine.results[NODEIDS[0]]
    assert any("did not run" in p for p in compare(theirs, mine).problems)


def test_a_broken_baseline_is_a_problem() -> None:
    theirs, mine = runs()
    theirs.results[NODEIDS[0]] = official("failed")
    assert any("only 3 of 4" in p for p in compare(theirs, mine).problems)


def test_official_savers_in_our_run_are_a_problem() -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours(official={"InMemorySaver": 1})
    assert any("official savers in our run" in p for p in compare(theirs, mine).problems)


def test_fewer_savers_of_ours_are_a_problem() -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours(ours=MADE | {"SqliteSaver": 0})
    assert any(NODEIDS[0] in p for p in compare(theirs, mine).problems)


def test_a_kind_of_saver_that_no_test_made_is_a_problem() -> None:
    theirs, mine = runs()
    for run in (theirs, mine):
        for result in run.results.values():
            result.official.pop("AsyncSqliteSaver", None)
            result.ours.pop("AsyncSqliteSaver", None)
    assert any("no AsyncSqliteSaver" in p for p in compare(theirs, mine).problems)


def test_a_run_without_saves_is_a_problem() -> None:
    theirs, _ = runs()
    mine = Run({n: ours(saves=0) for n in NODEIDS})
    assert any("nothing was saved" in p for p in compare(theirs, mine).problems)


def test_a_run_that_broke_off_is_a_problem() -> None:
    theirs, mine = runs()
    mine.problems.append("ended within tests/test_a.py")
    assert any("ended within" in p for p in compare(theirs, mine).problems)
