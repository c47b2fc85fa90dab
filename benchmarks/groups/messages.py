"""What a superstep, a read and a row cost against the length of a chat: 10 to 10,000 messages.

A thread is not grown to its length, which would take the official savers a hundred gigabytes:
one put stores so many messages, and the supersteps that append to it are what is measured.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial

from langchain_core.messages import AnyMessage

from benchmarks.measures.curves import in_ms, point
from benchmarks.measures.growth import Samples
from benchmarks.measures.places import SIDES, Place, place
from benchmarks.rows import Result
from benchmarks.runner import Settings, timed
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import Thread

GROUP = "messages"
LENGTHS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
QUICK_LENGTHS = (10, 100, 1_000)
BACKENDS = ("sqlite", "postgres", "redis")
_SUPERSTEPS = 20
_LATE_SUPERSTEPS = 8
"""Of threads longer than `_LONG`, where one of the official savers' takes up to a second."""
_LONG = 1_000
_READS = 4
_OPENINGS = 3
_QUANTITIES = ("put", "get_tuple", "get_tuple, saver just opened")
_STORED = "stored by one more superstep"


def run(settings: Settings) -> list[Result]:
    """Measure both savers of each backend at each length, one after the other."""
    if settings.self_check:
        return []
    lengths = QUICK_LENGTHS if settings.quick else LENGTHS
    messages = conversation(max(lengths) + _SUPERSTEPS)
    return [row for backend in BACKENDS for row in _backend(backend, lengths, messages, settings)]


def _backend(
    backend: str, lengths: Sequence[int], messages: Sequence[AnyMessage], settings: Settings
) -> Iterator[Result]:
    order = list(SIDES)
    for length in lengths:
        seconds: dict[str, Samples] = defaultdict(lambda: defaultdict(list))
        stored: Samples = {}
        for side in order:
            with place(backend, side, settings) as where:
                found = _superstep_samples(where, length, messages)
                stored[side] = [found.pop(_STORED)[0] / 1e3]
                for quantity, values in found.items():
                    seconds[quantity][side] = values
        order.reverse()
        make = partial(point, GROUP, backend, length, "messages")
        for quantity in _QUANTITIES:
            yield make(quantity, "ms", in_ms(seconds[quantity]))
        yield make(_STORED, "kB", stored)


def _superstep_samples(where: Place, length: int, messages: Sequence[AnyMessage]) -> Samples:
    count = _SUPERSTEPS if length <= _LONG else _LATE_SUPERSTEPS
    with where.open() as saver:
        thread = Thread(saver)
        saver.put(*thread.advance({"messages": list(messages[:length])}))
    before = where.held()
    found: Samples = defaultdict(list)
    with where.open() as saver:
        thread.saver = saver
        for message in messages[length : length + count]:
            arguments = thread.append(message)
            found["put"].append(timed(partial(saver.put, *arguments)))
        thread.check()
        read = partial(saver.get_tuple, thread.latest)
        found["get_tuple"] = [timed(read) for _ in range(_READS)]
    found[_STORED] = [(where.held() - before) / count]
    for _ in range(_OPENINGS):
        with where.open() as saver:
            # Another thread's read connects and sets the schema up.
            saver.get_tuple(Thread(saver, "absent").latest)
            read = partial(saver.get_tuple, thread.latest)
            found["get_tuple, saver just opened"].append(timed(read))
    return found
