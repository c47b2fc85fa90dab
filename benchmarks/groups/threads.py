"""What a turn of one thread costs against how many threads there are: 1 to 100,000.

The threads are small: what is looked for is what finding one among many costs. A turn reads the
latest checkpoint of a thread that was not touched for long, and puts the next one.
"""

from __future__ import annotations

import random
from collections import defaultdict
from contextlib import ExitStack

from benchmarks.measures.curves import point
from benchmarks.measures.filling import FILL
from benchmarks.measures.growth import Samples
from benchmarks.measures.places import SIDES, Place, place
from benchmarks.rows import Result
from benchmarks.runner import Settings, timed
from benchmarks.savers import Saver
from benchmarks.workloads.thread import Thread
from benchmarks.workloads.values import scalars

GROUP = "threads"
COUNTS = (1, 10, 100, 1_000, 10_000, 100_000)
QUICK_COUNTS = (1, 100, 1_000)
BACKENDS = ("sqlite", "postgres")
_TURNS = 60
_BLOCK = 10
_SEED = 8


def run(settings: Settings) -> list[Result]:
    """Measure both savers of each backend as their databases fill."""
    if settings.self_check:
        return []
    return [row for backend in BACKENDS for row in _backend(backend, settings)]


def _backend(backend: str, settings: Settings) -> list[Result]:
    results: list[Result] = []
    filled = 0
    with ExitStack() as stack:
        places = {side: stack.enter_context(place(backend, side, settings)) for side in SIDES}
        for count in QUICK_COUNTS if settings.quick else COUNTS:
            for side, where in places.items():
                FILL[backend, side](where.where, filled, count)
            filled = count
            results += _measure(backend, count, places)
    return results


def _measure(backend: str, count: int, places: dict[str, Place]) -> list[Result]:
    times: dict[str, Samples] = {"get_tuple": defaultdict(list), "put": defaultdict(list)}
    stored = {side: [where.held() / count / 1e3] for side, where in places.items()}
    chosen = [random.Random(_SEED + turn).randrange(count) for turn in range(_TURNS)]
    with ExitStack() as stack:
        savers = {side: stack.enter_context(where.open()) for side, where in places.items()}
        for saver in savers.values():
            saver.get_tuple(Thread(saver, "absent").latest)
        order = list(SIDES)
        for start in range(0, _TURNS, _BLOCK):
            for side in order:
                for index in chosen[start : start + _BLOCK]:
                    get, put = _turn(savers[side], f"thread-{index}")
                    times["get_tuple"][side].append(get * 1e3)
                    times["put"][side].append(put * 1e3)
            order.reverse()
    rows = [
        point(GROUP, backend, count, "threads", name, "ms", samples)
        for name, samples in times.items()
    ]
    return [
        *rows,
        point(
            GROUP, backend, count, "threads", "stored for a thread, schema included", "kB", stored
        ),
    ]


def _turn(saver: Saver, thread_id: str) -> tuple[float, float]:
    thread = Thread(saver, thread_id)
    found = []
    get = timed(lambda: found.append(saver.get_tuple(thread.latest)))
    (latest,) = found
    if latest is None or latest.checkpoint["channel_values"].keys() != scalars(0).keys():
        raise AssertionError(f"{saver!r} lost {thread_id}")
    thread.resume(latest)
    arguments = thread.advance(scalars(thread.step + 1))
    put = timed(lambda: saver.put(*arguments))
    return get, put
