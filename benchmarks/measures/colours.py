"""What a call of a sync method takes longer than one of the async method: one client, small state.

Beside the async methods of the same saver, whose connections live on a loop of the saver's
own, and beside those of a saver on a pool of the caller's loop, where no call changes threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from benchmarks.measures.growth import Samples
from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings, stat
from benchmarks.savers import SaverKind
from benchmarks.server_savers import AsyncOpener
from benchmarks.workloads.thread import Thread
from benchmarks.workloads.values import scalars

_CALLS = 20
_GOAL = Goal(Kind.AT_MOST, 150, 50)


def results(
    group: str, settings: Settings, url: str, kind: SaverKind[str], native: AsyncOpener
) -> list[Result]:
    """Time both colours in turn.

    Args:
        group: Of the rows.
        settings: How large the run is.
        url: An empty database.
        kind: Opens the saver whose methods of both colours are called.
        native: Opens one on the running loop's own connections.
    """
    puts: Samples = {}
    gets: Samples = {}
    loop = asyncio.new_event_loop()
    try:
        _measure(loop, settings, url, kind, native, puts, gets)
    finally:
        loop.close()
    return [
        _result(group, f"{method}: {name}", samples["sync"], samples[side], other)
        for method, samples in (("put", puts), ("get_tuple", gets))
        for side, name, other in (
            ("async", "what sync adds to async", "its async call"),
            ("native", "what sync adds to async on the caller's loop", "that async call"),
        )
    ]


def _measure(
    loop: asyncio.AbstractEventLoop,
    settings: Settings,
    url: str,
    kind: SaverKind[str],
    native: AsyncOpener,
    puts: Samples,
    gets: Samples,
) -> None:
    await_ = loop.run_until_complete
    opening = native(url)
    with kind.open(url) as saver:
        other = await_(opening.__aenter__())
        try:
            sides: dict[str, Callable[[], tuple[float, float]]] = {
                "sync": _sync_side(Thread(saver, "sync")),
                "async": _async_side(Thread(saver, "async"), await_),
                "native": _async_side(Thread(other, "native"), await_),
            }
            _take_turns(sides, settings.samples, puts, gets)
        finally:
            await_(opening.__aexit__(None, None, None))


def _take_turns(
    sides: dict[str, Callable[[], tuple[float, float]]], samples: int, puts: Samples, gets: Samples
) -> None:
    for side in sides.values():
        side()
    order = list(sides)
    for _ in range(samples):
        for name in order:
            put, get = sides[name]()
            puts.setdefault(name, []).append(put)
            gets.setdefault(name, []).append(get)
        order.reverse()


def _sync_side(thread: Thread) -> Callable[[], tuple[float, float]]:
    def sample() -> tuple[float, float]:
        saver, latest = thread.saver, thread.latest
        supersteps = [thread.advance(scalars(thread.step + 1)) for _ in range(_CALLS)]
        start = perf_counter()
        for arguments in supersteps:
            saver.put(*arguments)
        middle = perf_counter()
        for _ in range(_CALLS):
            found = saver.get_tuple(latest)
        end = perf_counter()
        thread.verify(found)
        return (middle - start) / _CALLS, (end - middle) / _CALLS

    return sample


def _async_side(
    thread: Thread, await_: Callable[[Coroutine[Any, Any, tuple[float, float]]], Any]
) -> Callable[[], tuple[float, float]]:
    async def sample() -> tuple[float, float]:
        saver, latest = thread.saver, thread.latest
        supersteps = [thread.advance(scalars(thread.step + 1)) for _ in range(_CALLS)]
        start = perf_counter()
        for arguments in supersteps:
            await saver.aput(*arguments)
        middle = perf_counter()
        for _ in range(_CALLS):
            found = await saver.aget_tuple(latest)
        end = perf_counter()
        thread.verify(found)
        return (middle - start) / _CALLS, (end - middle) / _CALLS

    return lambda: await_(sample())


def _result(
    group: str, name: str, sync: list[float], other: list[float], other_name: str
) -> Result:
    added = [ours - theirs for ours, theirs in zip(sync, other, strict=True)]
    return Result(
        group=group,
        name=name,
        unit="us",
        ours=stat(added, "us"),
        other=stat(other, "us"),
        other_name=other_name,
        goal=_GOAL,
        note="time added to a call: the median of differences within a round",
    )
