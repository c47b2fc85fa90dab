"""The pytest plugin: swaps the savers as soon as it is imported, and records every test."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lgckpt_suite import adapt, prune, tally

OURS = os.environ["LGCKPT_SUITE_SAVERS"] == "lgckpt"
ACCELERATED = bool(os.environ["LGCKPT_SUITE_ACCELERATED"])
RECORDS = Path(os.environ["LGCKPT_SUITE_RECORDS"])

tally.watch_official()
if OURS:
    from lgckpt_suite import savers

    savers.put_in_place()
if ACCELERATED:
    from lgckpt_suite import native

    native.put_in_place()

_reports: list[pytest.TestReport] = []


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """A module of the suite is imported within."""
    if OURS and collector.path.name == prune.MODULE:
        with prune.opened():
            return (yield)
    return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All modules of the suite are imported by now, and no test has run."""
    if OURS:
        _record({"adapted": [*adapt.adapt_loaded(), *prune.skip_what_is_of_postgres(items)]})
        if tally.TALLY.official:
            raise pytest.UsageError(f"official savers made while importing: {tally.TALLY.official}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """All tests have run."""
    if ACCELERATED:
        _record({"adapted": [native.said()]})
        if not native.is_in_place():
            session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count what one test does."""
    _reports.clear()
    tally.TALLY.clear()
    _record({"nodeid": item.nodeid, "started": True})
    done = yield
    _record({"nodeid": item.nodeid, "started": False, **_outcome(), **_counts()})
    return done


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the reports of the test's phases."""
    _reports.append(report)


def _outcome() -> dict[str, str]:
    """The worst of setup, call and teardown; an expected failure is named as what it is."""
    failed = [r for r in _reports if r.failed]
    if failed:
        return {"outcome": "failed", "reason": failed[0].longreprtext[-4000:]}
    expected = [r for r in _reports if hasattr(r, "wasxfail")]
    if expected:
        return {"outcome": "xfailed" if expected[0].skipped else "xpassed", "reason": ""}
    if any(r.skipped for r in _reports):
        return {"outcome": "skipped", "reason": ""}
    return {"outcome": "passed" if _reports else "failed", "reason": ""}


def _counts() -> dict[str, Any]:
    counted = tally.TALLY
    return {
        "official": dict(counted.official),
        "ours": dict(counted.ours),
        "saves": counted.saves,
    }


def _record(record: dict[str, Any]) -> None:
    with RECORDS.open("a") as records:
        records.write(json.dumps(record) + "\n")
