"""Our own put at message 10,000 beside the work that no put can avoid.

A put has to encode the state that changed, to hash what it encoded, and to commit. Each of
the three is measured in the same rounds as the puts: everything else is overhead, and must
not grow with the thread.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain_core.messages import AnyMessage

import lgckpt
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings, stat, timed
from benchmarks.savers import OURS, synchronous
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import Thread
from lgckpt.core import core

GROUP = "long-thread"
MESSAGES = 10_000
_EARLY = 100
_SAMPLES = 20
# A quick run puts only every 100th checkpoint on the way from the early to the late samples.
_QUICK_STRIDE = 100
_Times = dict[str, list[float]]


def run(settings: Settings) -> list[Result]:
    """Grow a thread to 10,000 messages with lgckpt.SqliteSaver alone."""
    if settings.self_check:
        return []
    times: _Times = defaultdict(list)
    messages = conversation(MESSAGES)
    with TemporaryDirectory(dir=settings.directory) as directory:
        path = Path(directory)
        with OURS["sqlite"].open(path / "thread.db") as saver, closing(_empty(path)) as empty:
            thread = Thread(saver)
            for count, message in enumerate(messages, start=1):
                _superstep(thread, count, message, settings, times, empty)
            thread.check()
    return _results(times)


def _superstep(
    thread: Thread,
    count: int,
    message: AnyMessage,
    settings: Settings,
    times: _Times,
    empty: sqlite3.Connection,
) -> None:
    early = _EARLY - _SAMPLES < count <= _EARLY
    late = count > MESSAGES - _SAMPLES
    arguments = thread.append(message)
    if settings.quick and count > _EARLY and not late and count % _QUICK_STRIDE:
        return
    seconds = timed(lambda: thread.saver.put(*arguments))
    if early:
        times["put at 100"].append(seconds)
    if late:
        times["put at 10,000"].append(seconds)
        _floor(thread, times, empty)


def _floor(thread: Thread, times: _Times, empty: sqlite3.Connection) -> None:
    serializer = lgckpt.Serializer(compression=None)
    state = thread.values["messages"]
    encode = timed(lambda: serializer.dumps_typed(state))
    packed = serializer.dumps_typed(state)[1]
    digest = timed(lambda: hashlib.blake2b(packed, digest_size=20).digest())
    times["tree"].append(timed(lambda: core.Tree(packed, True)))
    commit = timed(lambda: _commit(empty))
    times["encode"].append(encode)
    times["hash"].append(digest)
    times["commit"].append(commit)
    times["floor"].append(encode + digest + commit)


def _empty(directory: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(directory / "empty.db", isolation_level=None)
    connection.executescript(
        f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous()};"
        "CREATE TABLE row (value INTEGER)"
    )
    return connection


def _commit(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO row VALUES (1)")
    connection.execute("COMMIT")


def _results(times: _Times) -> list[Result]:
    stats = {name: stat(seconds, "ms") for name, seconds in times.items()}
    late = stats["put at 10,000"]

    def row(name: str, ours: Stat, other: Stat | None, other_name: str, goal: Goal) -> Result:
        return Result(GROUP, name, "ms", ours, other, other_name, goal)

    limit = Goal(Kind.AT_MOST_TIMES, bar=1.5)
    slope = Goal(Kind.AT_MOST_TIMES, aim=8)
    return [
        row("put at message 10,000", late, stats["floor"], "encode + hash + empty commit", limit),
        row("put at message 10,000", late, stats["put at 100"], "our put at message 100", slope),
        row("encode the state", stats["encode"], None, "", Goal()),
        row("hash it: BLAKE2b-160, one call", stats["hash"], None, "", Goal()),
        row("split and hash it: core.Tree", stats["tree"], None, "", Goal()),
        row(f"empty commit, synchronous={synchronous()}", stats["commit"], None, "", Goal()),
    ]
