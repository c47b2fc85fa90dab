"""Closed and open loops of clients.

In a closed loop a client asks again as soon as it was answered, so a database that stalls is asked
less. In an open loop supersteps are due at a fixed rate, and latencies count from when a call was
due, not from when it could be made: a stall is in the figures of all that had to wait for it. (Gil
Tene called its absence coordinated omission; the remedy is that of his wrk2.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from time import perf_counter
from typing import Any

from lgckpt.loadtest.client import Client
from lgckpt.loadtest.recorder import Recorder

DRAIN = 10.0
"""Seconds after the end within which what was due before it is still begun."""

TIMER = 0.0015
"""Seconds by which an event loop's timer may be late: it counts in milliseconds."""


class End:
    """When a stretch of work is over.

    Args:
        seconds: After which, from now.

    Attributes:
        begin: Now, by `time.perf_counter`.
        at: The end.
    """

    def __init__(self, seconds: float) -> None:
        self.begin = perf_counter()
        self.at = self.begin + seconds
        self.stopped = False

    def stop(self) -> None:
        """It is over now."""
        self.at = min(self.at, perf_counter())
        self.stopped = True


async def closed(clients: Sequence[Client], end: End) -> None:
    """Have each client make supersteps until the end; the last ones are finished."""

    async def one(client: Client) -> None:
        while perf_counter() < end.at:
            await client.superstep(client.ready())
            # A saver that never waits would leave no turn to the others, nor to who asks how far
            # they are.
            await asyncio.sleep(0)

    await all_of([one(client) for client in clients])


async def open_loop(
    clients: Sequence[Client],
    end: End,
    rate: float,
    recorder: Recorder,
    *,
    drain: float = DRAIN,
) -> None:
    """Have supersteps made at a rate, by whichever client is free.

    Args:
        clients: As many supersteps can be under way; what is due and finds none free waits, and
            that wait is in its latency.
        end: Until when supersteps are due.
        rate: Supersteps a second.
        recorder: Told of what was due and not begun after `drain`.
        drain: See `DRAIN`.
    """
    # The difference of two readings of the clock is not quite what was added to one.
    total = int(round(rate * (end.at - end.begin), 3))
    given = 0

    async def one(client: Client) -> None:
        nonlocal given
        while given < total and not end.stopped and perf_counter() < end.at + drain:
            due = end.begin + given / rate
            given += 1
            # Made before it is due: what making it costs is not the database's.
            first = client.ready()
            await _until(due)
            await client.superstep(first, due)

    await all_of([one(client) for client in clients])
    # Who stopped it does not want the rest.
    recorder.late(0 if end.stopped else total - given)


async def _until(due: float) -> None:
    wait = due - perf_counter()
    if wait > TIMER:
        await asyncio.sleep(wait - TIMER)
    await asyncio.sleep(0)
    # The rest of it by turns of the loop, or each latency would have the timer's in it.
    while perf_counter() < due:  # noqa: ASYNC110 - time is no event
        await asyncio.sleep(0)


async def all_of(work: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Do it all; what fails ends the rest."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
