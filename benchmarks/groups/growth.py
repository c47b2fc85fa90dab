"""One chat thread grows by a message a superstep: what a put, a read and the file cost."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain_core.messages import AnyMessage

from benchmarks.database import file_bytes
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings, interleave, stat, timed
from benchmarks.savers import SaverKind, sides
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import Thread

GROUP = "growth"
MESSAGES = 1_000
# Positions whose puts are samples, and how many puts up to and at them are taken.
_WINDOWS = {100: 20, MESSAGES: 40}
# Puts of one side before it is the other's turn: a process runs one saver, and should not be
# charged for caches that the other one filled.
_BLOCK = 10
_READS_PER_SAMPLE = 3
_Times = dict[str, dict[int, list[float]]]


def run(settings: Settings) -> list[Result]:
    """Grow a thread to 1,000 messages on both sides, in step."""
    times: _Times = {}
    reads: dict[str, list[float]] = {}
    cold: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    messages = conversation(MESSAGES)
    kinds = sides("sqlite", self_check=settings.self_check)
    for _ in range(1 if settings.quick else 3):
        with TemporaryDirectory(dir=settings.directory) as directory:
            paths = {side: Path(directory) / f"{side}.db" for side in kinds}
            with ExitStack() as stack:
                threads = {
                    side: Thread(stack.enter_context(kind.open(paths[side])))
                    for side, kind in kinds.items()
                }
                _grow(threads, messages, times)
                _read(threads, settings, reads)
            _read_cold(kinds, paths, settings, cold)
            for side, path in paths.items():
                sizes.setdefault(side, []).append(file_bytes(path) / 1e6)
    return _results(times, reads, cold, sizes)


def _grow(threads: dict[str, Thread], messages: list[AnyMessage], times: _Times) -> None:
    order = list(threads)
    for start in range(0, len(messages), _BLOCK):
        for side in order:
            found = times.setdefault(side, {end: [] for end in _WINDOWS})
            for count, message in enumerate(messages[start : start + _BLOCK], start=start + 1):
                _superstep(threads[side], count, message, found)
        order.reverse()


def _superstep(
    thread: Thread, count: int, message: AnyMessage, found: dict[int, list[float]]
) -> None:
    arguments = thread.append(message)
    seconds = timed(lambda: thread.saver.put(*arguments))
    for end, width in _WINDOWS.items():
        if end - width < count <= end:
            found[end].append(seconds)


def _read(threads: dict[str, Thread], settings: Settings, reads: dict[str, list[float]]) -> None:
    for thread in threads.values():
        thread.check()
    calls = {
        side: partial(thread.saver.get_tuple, thread.latest) for side, thread in threads.items()
    }
    repeats = dict.fromkeys(calls, _READS_PER_SAMPLE)
    for side, seconds in interleave(calls, settings.samples, repeats).items():
        reads.setdefault(side, []).extend(seconds)


def _read_cold(
    kinds: dict[str, SaverKind],
    paths: dict[str, Path],
    settings: Settings,
    cold: dict[str, list[float]],
) -> None:
    """Time the first read of a saver that was just opened: nothing of the thread is cached."""
    order = list(kinds)
    for _ in range(max(3, settings.samples // 3)):
        for side in order:
            with kinds[side].open(paths[side]) as saver:
                # Another thread's read opens the file and sets the schema up.
                saver.get_tuple({"configurable": {"thread_id": "absent", "checkpoint_ns": ""}})
                latest = Thread(saver).latest
                seconds = timed(lambda: saver.get_tuple(latest))  # noqa: B023 - called at once
            cold.setdefault(side, []).append(seconds)
        order.reverse()


def _results(
    times: _Times,
    reads: dict[str, list[float]],
    cold: dict[str, list[float]],
    sizes: dict[str, list[float]],
) -> list[Result]:
    put_100 = {side: stat(windows[100], "ms") for side, windows in times.items()}
    put_1000 = {side: stat(windows[MESSAGES], "ms") for side, windows in times.items()}
    read = {side: stat(seconds, "ms") for side, seconds in reads.items()}
    read_cold = {side: stat(seconds, "ms") for side, seconds in cold.items()}
    size = {side: Stat.of(values) for side, values in sizes.items()}
    faster = Kind.FASTER
    rows = (
        ("SQLite file after 1,000 messages", "MB", size, Goal(Kind.SMALLER, 100, 200)),
        ("put at message 100", "ms", put_100, Goal(faster)),
        ("put at message 1,000", "ms", put_1000, Goal(faster, 5, 8)),
        ("get_tuple at message 1,000", "ms", read, Goal(faster, 4, 8)),
        ("get_tuple at message 1,000, saver just opened", "ms", read_cold, Goal(faster)),
    )
    return [
        Result(GROUP, name, unit, stats["ours"], stats["official"], "SqliteSaver", goal)
        for name, unit, stats, goal in rows
    ]
