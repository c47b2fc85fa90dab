"""The clients that one process plays against one saver."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from lgckpt.loadtest.agents import Dealer
from lgckpt.loadtest.client import Client
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.loops import End, all_of, closed, open_loop
from lgckpt.loadtest.recorder import Recorder, Snapshot

TOGETHER = 50
"""Threads that are deleted at once."""


class Crew:
    """Clients, kept from one stretch of time to the next with the threads they are at.

    Args:
        saver: What they call.
        dealer: Where their agents come from.
        patience: See `Client`.
        timeout: See `Client`.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        dealer: Dealer,
        *,
        patience: float,
        timeout: float,
    ) -> None:
        self._saver = saver
        self._dealer = dealer
        self._options = {"patience": patience, "timeout": timeout}
        self._recorder = Recorder()
        self._clients: list[Client] = []
        self._ending: End | None = None

    def _first(self, count: int) -> list[Client]:
        while len(self._clients) < count:
            client = Client(self._saver, self._dealer, self._recorder, **self._options)
            self._clients.append(client)
        return self._clients[:count]

    async def run(self, load: Load, seconds: float) -> None:
        """Have them work for so long."""
        clients = self._first(load.clients)
        self._ending = End(seconds)
        if load.rate is None:
            await closed(clients, self._ending)
        else:
            await open_loop(clients, self._ending, load.rate, self._recorder)

    def stop(self) -> None:
        """Have them finish what they are at, and no more."""
        if self._ending is not None:
            self._ending.stop()

    async def settle(self) -> None:
        """Read all that was written to threads that are not at their end, and compare."""
        await all_of([client.settle() for client in self._clients])

    async def clean(self) -> None:
        """Delete the threads that were begun."""
        threads = self._dealer.threads
        while threads:
            batch = [threads.pop() for _ in range(min(TOGETHER, len(threads)))]
            await asyncio.gather(*(self._saver.adelete_thread(one) for one in batch))

    def snapshot(self) -> Snapshot:
        """What happened since this was called last."""
        return self._recorder.snapshot()
