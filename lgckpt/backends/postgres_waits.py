"""Waiting for the locks of threads: a few callers within the server, any more outside of it.

Who waits within the server has a connection meanwhile. Were all connections of a pool to wait
for threads that a long prune has locked, nobody else could do anything.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from lgckpt.backends.postgres_errors import translated
from lgckpt.backends.postgres_pool import Connections

T = TypeVar("T")

Attempt = Callable[[bool], Awaitable[T | None]]
"""Does something under a thread's lock, waiting for it or not; None if it is taken."""

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.25
"""Seconds between two attempts of one caller."""

SPACING = 0.005
"""Seconds between two attempts of any caller, on average at least."""


class WaitingRoom:
    """Where callers wait for locks.

    Args:
        connections: What they share; a third of them at most may wait within the server.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self.forget()

    def forget(self) -> None:
        """In a forked child: nobody waits."""
        size = self._connections.size
        self._seats = size // 3
        self._tries = asyncio.Semaphore(max(1, size // 4))
        self._outside = 0

    async def run(self, attempt: Attempt[T]) -> T:
        """Have an attempt succeed.

        Raises:
            StorageError: The lock was not to be had in the time that an operation may take.
        """
        if self._seats > 0:
            return await self._within(attempt)
        self._outside += 1
        try:
            return await self._ask_again_and_again(attempt)
        finally:
            self._outside -= 1

    async def _within(self, attempt: Attempt[T]) -> T:
        self._seats -= 1
        try:
            found = await attempt(True)
        finally:
            self._seats += 1
        assert found is not None  # noqa: S101 - it waited
        return found

    async def _ask_again_and_again(self, attempt: Attempt[T]) -> T:
        loop, timeout = asyncio.get_running_loop(), self._connections.timeout
        deadline = None if timeout is None else loop.time() + timeout
        pause = FIRST_PAUSE
        while True:
            async with self._tries:
                found = await attempt(False)
            if found is not None:
                return found
            if deadline is not None and loop.time() > deadline:
                late = translated(asyncio.TimeoutError(), self._connections.place, timeout)
                assert late is not None  # noqa: S101 - a timeout is translated
                raise late
            self._connections.locked()
            longest = max(pause, SPACING * self._outside)
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311
            pause = min(2 * pause, LONGEST_PAUSE)
            if self._seats > 0:
                return await self._within(attempt)
