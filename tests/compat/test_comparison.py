"""The suite's comparison must not let anything through."""

from dataclasses import replace

import pytest

from tests.compat.langgraph_suite.compare import PARAMETERS, compare, lost
from tests.compat.langgraph_suite.exclusions import Exclusion
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


def none_excluded(nodeid: str) -> None:
    return None


def test_equal_runs_hold() -> None:
    assert compare(*runs(), excluded=none_excluded).problems == []


@pytest.mark.parametrize("outcome", ["failed", "skipped", "xfailed"])
def test_a_pass_lost_is_a_problem(outcome: str) -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours(outcome)
    (problem,) = compare(theirs, mine, excluded=none_excluded).problems
    assert NODEIDS[0] in problem
    assert outcome in problem


def test_a_failure_of_theirs_is_shown_and_no_problem() -> None:
    theirs, mine = runs()
    for i in range(50):
        theirs.results[f"more{i}"], mine.results[f"more{i}"] = official(), ours()
    theirs.results[NODEIDS[0]], mine.results[NODEIDS[0]] = official("failed"), ours("failed")
    theirs.results[NODEIDS[1]] = official("failed")
    verdict = compare(theirs, mine, excluded=none_excluded)
    assert verdict.problems == []
    assert sorted(verdict.differing) == sorted(
        [f"{NODEIDS[0]}: failed / failed", f"{NODEIDS[1]}: failed / passed"]
    )


def test_a_test_that_only_ours_run_must_pass() -> None:
    theirs, mine = runs()
    theirs.results |= {"new": official("skipped"), "broken": official("skipped")}
    mine.results |= {"new": ours(), "broken": ours("failed", reason="why")}
    verdict = compare(theirs, mine, excluded=none_excluded)
    assert verdict.gained == 1
    assert verdict.problems == ["broken: skipped / failed\nwhy"]


def known(nodeid: str) -> Exclusion | None:
    return Exclusion("looks inside", "no attribute") if nodeid in NODEIDS[:3] else None


def test_an_excluded_test_may_fail_for_its_own_reason_only() -> None:
    theirs, mine = runs()
    mine.results[NODEIDS[0]] = ours("failed", reason="it has no attribute 'blobs'")
    mine.results[NODEIDS[1]] = ours("failed", reason="assert 1 == 2")
    verdict = compare(theirs, mine, excluded=known)
    assert verdict.differing == [f"{NODEIDS[0]}: passed / failed, since it looks inside"]
    assert len(verdict.problems) == 2
    assert verdict.problems[0].startswith(f"{NODEIDS[1]}: passed / failed")
    assert verdict.problems[1].startswith(f"{NODEIDS[2]} passes")


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


def test_lost_tests_are_those_that_fail_with_ours_alone_and_are_not_known_to() -> None:
    theirs, mine = runs()
    (first, *_) = theirs.results
    assert lost(theirs, mine, none_excluded) == []
    mine.results[first] = replace(mine.results[first], outcome="failed")
    assert lost(theirs, mine, none_excluded) == [first]
    assert lost(theirs, mine, lambda _: Exclusion("is known", "sign")) == []
    again = Run({first: replace(mine.results[first], outcome="passed")}, ["a problem"])
    mine.take_again(again)
    assert lost(theirs, mine, none_excluded) == []
    assert mine.again == [first]
    assert mine.problems == ["a problem"]
    theirs.results[first] = replace(theirs.results[first], outcome="failed")
    mine.results[first] = replace(mine.results[first], outcome="failed")
    assert lost(theirs, mine, none_excluded) == []
