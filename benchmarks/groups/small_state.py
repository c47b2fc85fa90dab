"""A small state of five scalar channels: put and get, sync and async."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings, stat
from benchmarks.savers import SaverKind, sides
from benchmarks.workloads.thread import Thread
from benchmarks.workloads.values import scalars

GROUP = "small-state"
_PUTS_PER_SAMPLE = 20
_READS_PER_SAMPLE = 20
# LangGraph threads whose async puts and reads are under way together.
_AT_ONCE = 50
# Where a file lies on the disk and which core a worker thread wakes on are luck that lasts as
# long as a saver is open: samples come from many openings.
_SAMPLES_PER_OPENING = 3
# Puts after which either side's write-ahead log has been written to its end and begun anew:
# its file does not grow any more.
_AROUND = 600

_Times = dict[str, dict[str, list[float]]]


def run(settings: Settings) -> list[Result]:
    """Time both colours, on fresh files every few samples."""
    times: _Times = {"put": defaultdict(list), "get": defaultdict(list)}
    async_times: _Times = {"put": defaultdict(list), "get": defaultdict(list)}
    for opening in range(settings.samples):
        with TemporaryDirectory(dir=settings.directory) as directory:
            _sync(Path(directory), _kinds(settings, opening), times)
        with TemporaryDirectory(dir=settings.directory) as directory:
            asyncio.run(_async(Path(directory), _kinds(settings, opening), async_times))
    around: _Times = {"put": defaultdict(list), "get": defaultdict(list)}
    with TemporaryDirectory(dir=settings.directory) as directory:
        _sync(Path(directory), _kinds(settings, 0), around, _AROUND, settings.samples)
    one, many = "small state of 5 scalar channels", f"the same, {_AT_ONCE} threads at once"
    goal, open_goal = Goal(Kind.FASTER, 1.0, 1.3), Goal(Kind.FASTER)
    return [
        _result(f"put, {one}", times["put"], goal, "SqliteSaver"),
        _result(f"get_tuple, {one}", times["get"], goal, "SqliteSaver"),
        _result(
            f"put, the same, in a file put to {_AROUND} times",
            around["put"],
            open_goal,
            "SqliteSaver",
        ),
        _result(f"aput, {many}", async_times["put"], open_goal, "AsyncSqliteSaver"),
        _result(f"aget_tuple, {many}", async_times["get"], open_goal, "AsyncSqliteSaver"),
    ]


def _kinds(settings: Settings, opening: int) -> dict[str, SaverKind[Path]]:
    """Both sides; which one is opened first takes turns."""
    kinds = list(sides("sqlite", self_check=settings.self_check).items())
    return dict(kinds if opening % 2 else reversed(kinds))


def _result(name: str, seconds: Mapping[str, list[float]], goal: Goal, official: str) -> Result:
    return Result(
        group=GROUP,
        name=name,
        unit="us",
        ours=stat(seconds["ours"], "us"),
        other=stat(seconds["official"], "us"),
        other_name=official,
        goal=goal,
    )


def _sync(
    directory: Path,
    kinds: Mapping[str, SaverKind[Path]],
    times: _Times,
    before: int = _PUTS_PER_SAMPLE,
    samples: int = _SAMPLES_PER_OPENING,
) -> None:
    with ExitStack() as stack:
        threads = {
            side: Thread(stack.enter_context(kind.open(directory / f"{side}.db")))
            for side, kind in kinds.items()
        }
        for thread in threads.values():
            for _ in range(before // _PUTS_PER_SAMPLE):
                _sync_sample(thread)
        for _ in range(samples):
            for side, thread in threads.items():
                put, get = _sync_sample(thread)
                times["put"][side].append(put)
                times["get"][side].append(get)
        for thread in threads.values():
            thread.check()


def _sync_sample(thread: Thread) -> tuple[float, float]:
    supersteps = [thread.advance(scalars(thread.step + 1)) for _ in range(_PUTS_PER_SAMPLE)]
    latest, saver = thread.latest, thread.saver
    start = perf_counter()
    for arguments in supersteps:
        saver.put(*arguments)
    middle = perf_counter()
    for _ in range(_READS_PER_SAMPLE):
        saver.get_tuple(latest)
    end = perf_counter()
    return (middle - start) / _PUTS_PER_SAMPLE, (end - middle) / _READS_PER_SAMPLE


async def _async(directory: Path, kinds: Mapping[str, SaverKind[Path]], times: _Times) -> None:
    async with AsyncExitStack() as stack:
        threads: dict[str, list[Thread]] = {}
        for side, kind in kinds.items():
            saver = await stack.enter_async_context(kind.aopen(directory / f"{side}.db"))
            threads[side] = [Thread(saver, f"thread-{index}") for index in range(_AT_ONCE)]
            await _async_sample(threads[side])
        for _ in range(_SAMPLES_PER_OPENING):
            for side in kinds:
                put, get = await _async_sample(threads[side])
                times["put"][side].append(put)
                times["get"][side].append(get)


async def _async_sample(threads: list[Thread]) -> tuple[float, float]:
    supersteps = [thread.advance(scalars(thread.step + 1)) for thread in threads]
    start = perf_counter()
    await asyncio.gather(
        *(
            thread.saver.aput(*arguments)
            for thread, arguments in zip(threads, supersteps, strict=True)
        )
    )
    middle = perf_counter()
    await asyncio.gather(*(thread.saver.aget_tuple(thread.latest) for thread in threads))
    end = perf_counter()
    return (middle - start) / len(threads), (end - middle) / len(threads)
