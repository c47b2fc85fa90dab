"""Supersteps a second against the number of async clients that share one saver: 1 to 512."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from contextlib import AsyncExitStack, ExitStack

from benchmarks.measures.chats import Clients
from benchmarks.measures.curves import point
from benchmarks.measures.growth import Samples
from benchmarks.measures.places import SIDES, place
from benchmarks.rows import Result
from benchmarks.runner import Settings

GROUP = "clients"
COUNTS = (1, 4, 16, 64, 256, 512)
QUICK_COUNTS = (1, 16, 64)
BACKENDS = ("sqlite", "postgres", "redis")
_LENGTH = 4
"""Supersteps of a client."""
_LEAST = 32
"""Supersteps of a sample: fewer clients run more chats."""
_MANY = 64
"""Clients that warm a saver up; with more of them, one round has supersteps enough."""
_QUANTITY = "supersteps a second"


def run(settings: Settings) -> list[Result]:
    """Measure both savers of each backend, in turn."""
    if settings.self_check:
        return []
    return [row for backend in BACKENDS for row in asyncio.run(_backend(backend, settings))]


async def _backend(backend: str, settings: Settings) -> list[Result]:
    counts = QUICK_COUNTS if settings.quick else COUNTS
    rates: dict[int, Samples] = {count: defaultdict(list) for count in counts}
    order, number = list(SIDES), 0
    with ExitStack() as places:
        async with AsyncExitStack() as stack:
            savers = {
                side: await stack.enter_async_context(
                    places.enter_context(place(backend, side, settings)).aopen()
                )
                for side in SIDES
            }
            for side, saver in savers.items():
                # Connects as often as it will, prepares statements and fills caches.
                await Clients(f"{side} warm", [saver], _MANY).rate(0, 1)
            for turn in range(1 if settings.quick else 2):
                for count in [count for count in counts if count <= _MANY or not turn]:
                    for side in order:
                        clients = Clients(side, [savers[side]], count)
                        for _ in range(max(1, _LEAST // (count * _LENGTH))):
                            number += 1
                            gc.collect()
                            rates[count][side].append(await clients.rate(number, _LENGTH))
                    order.reverse()
    return [
        point(GROUP, backend, count, "clients", _QUANTITY, "/s", samples)
        for count, samples in rates.items()
    ]
