"""Our own `list(limit=20)` of a long thread beside that of a short one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings, interleave, stat
from benchmarks.savers import Saver
from benchmarks.workloads.thread import Thread
from benchmarks.workloads.values import scalars

LONG, SHORT = 10_000, 100
LIMIT = 20
_LISTS_PER_SAMPLE = 3


def fill(filling: AbstractContextManager[Saver]) -> None:
    """Put the checkpoints of both threads, of small states.

    Args:
        filling: Opens a saver; its commits may be quicker than they are durable.
    """
    with filling as saver:
        for count in (SHORT, LONG):
            thread = Thread(saver, _name(count))
            for step in range(count):
                saver.put(*thread.advance(scalars(step)))
            thread.check()


def result(group: str, settings: Settings, opening: AbstractContextManager[Saver]) -> Result:
    """Check and time the two lists in turn.

    Args:
        group: Of the row.
        settings: How large the run is.
        opening: Opens a saver on what `fill` filled.
    """
    with opening as saver:
        calls = {}
        for count in (LONG, SHORT):
            config = Thread(saver, _name(count)).latest
            calls[_name(count)] = partial(_listed, saver, config)
            _check(calls[_name(count)](), count)
        seconds = interleave(calls, settings.samples, dict.fromkeys(calls, _LISTS_PER_SAMPLE))
    return Result(
        group=group,
        name=f"list(limit={LIMIT}) of a thread with {LONG:,} checkpoints",
        unit="ms",
        ours=stat(seconds[_name(LONG)], "ms"),
        other=stat(seconds[_name(SHORT)], "ms"),
        other_name=f"ours of one with {SHORT}",
        goal=Goal(Kind.AT_MOST_TIMES, 1.5, 1.1),
        note="states of 5 scalar channels",
    )


def _name(count: int) -> str:
    return f"thread of {count}"


def _listed(saver: Saver, config: RunnableConfig) -> list[CheckpointTuple]:
    return list(saver.list(config, limit=LIMIT))


def _check(found: list[CheckpointTuple], count: int) -> None:
    values = [each.checkpoint["channel_values"] for each in found]
    if values != [scalars(step) for step in range(count - 1, count - 1 - LIMIT, -1)]:
        raise AssertionError(f"the newest {LIMIT} of {count} checkpoints are not what was put")
