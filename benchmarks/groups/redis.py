"""Redis: a thread of 500 messages, lists, and both colours, on one server with modules."""

from __future__ import annotations

from collections import defaultdict

from benchmarks import servers
from benchmarks.measures import colours, listing
from benchmarks.measures.growth import Growth, Samples, size
from benchmarks.redis_memory import flush, used_memory
from benchmarks.rows import Goal, Kind, Result
from benchmarks.runner import Settings
from benchmarks.savers import SaverKind
from benchmarks.server_savers import NATIVE, OURS, sides
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import Thread

GROUP = "redis"
LENGTH = 500
_OFFICIAL = "RedisSaver"
_WINDOWS = {100: 20, LENGTH: 40}


def run(settings: Settings) -> list[Result]:
    """Measure both savers on one server."""
    url = servers.redis_server().url
    results = _long_thread(settings, url)
    if settings.self_check:
        return results
    flush(url)
    listing.fill(OURS[GROUP].open(url))
    results.append(listing.result(GROUP, settings, OURS[GROUP].open(url)))
    flush(url)
    return results + colours.results(GROUP, settings, url, OURS[GROUP], NATIVE[GROUP])


def _long_thread(settings: Settings, url: str) -> list[Result]:
    kinds = sides(GROUP, self_check=settings.self_check)
    growth = Growth(kinds, settings, _WINDOWS)
    messages = conversation(LENGTH)
    memory: Samples = defaultdict(list)
    for _ in range(1 if settings.quick else 3):
        flush(url)
        growth.grow(dict.fromkeys(kinds, url), messages)
    for side, kind in kinds.items():
        memory[side].append(_held(kind, url) / 1e6)
    goal = Goal(Kind.FASTER, 10, 30)
    rows = growth.results(GROUP, _OFFICIAL, put=goal, get=goal)
    name = "used_memory after 500 messages"
    note = "above that of the empty server, the saver closed"
    return [*rows, size(GROUP, name, _OFFICIAL, memory, Goal(Kind.SMALLER, 30, 60), note)]


def _held(kind: SaverKind[str], url: str) -> int:
    """The bytes that an empty server's memory grows by for one thread of one saver."""
    flush(url)
    before = used_memory(url)
    with kind.open(url) as saver:
        thread = Thread(saver)
        for message in conversation(LENGTH):
            saver.put(*thread.append(message))
        thread.check()
    return used_memory(url) - before
