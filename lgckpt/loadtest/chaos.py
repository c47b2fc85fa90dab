"""Killing a server and starting it again, while clients go on."""

from __future__ import annotations

import asyncio
import threading
from time import perf_counter

from lgckpt.loadtest.embedded.server import Server
from lgckpt.loadtest.results import Event

LEAST, DOWN = 2.0, 0.5
"""Seconds between two kills, at least; seconds that a server stays down."""


class Chaos:
    """The kills of one server.

    Args:
        server: The server.
        seconds: Of each level: it is killed about three times in them.
    """

    def __init__(self, server: Server, seconds: float) -> None:
        self._server = server
        self._every = max(seconds / 4, LEAST)
        self._next = self._every
        self._lock = threading.Lock()
        self._down = False

    async def run(self, events: list[Event], measuring: float) -> None:
        """Kill it now and then until this is cancelled.

        Args:
            events: Where to note it.
            measuring: When measuring began, by `time.perf_counter`.
        """
        while True:
            began = perf_counter()
            try:
                await asyncio.sleep(self._next)
            finally:
                # A turn may be shorter than what is left until the next kill.
                self._next = max(self._next - (perf_counter() - began), 0.0)
            self._next = self._every
            events.append(Event(perf_counter() - measuring, "server killed"))
            await asyncio.shield(asyncio.to_thread(self._kill))
            await asyncio.sleep(DOWN)
            await asyncio.shield(asyncio.to_thread(self._start))
            events.append(Event(perf_counter() - measuring, "server up again"))

    async def mend(self) -> None:
        """Have it up, whatever was interrupted."""
        await asyncio.to_thread(self._start)

    def _kill(self) -> None:
        with self._lock:
            self._down = True
            self._server.kill()

    def _start(self) -> None:
        with self._lock:
            if self._down:
                self._server.start()
                self._down = False
