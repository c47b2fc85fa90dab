"""The processes of clients that a run has on one target, as if they were one."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

from lgckpt.errors import StorageError
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.recorder import Snapshot
from lgckpt.loadtest.worker import Order, share, work

END_LIMIT = 10.0
"""Seconds that a process may take to end."""

ENDED = "a process of clients ended unexpectedly"


class Hand(Protocol):
    """A crew, here or in a process of its own; see `Crew`."""

    async def run(self, load: Load, seconds: float) -> None:
        """Have the clients work."""

    async def stop(self) -> None:
        """Have them finish what they are at, and no more."""

    async def settle(self) -> None:
        """Read and compare what is open."""

    async def clean(self) -> None:
        """Delete the threads."""

    async def snapshot(self) -> Snapshot:
        """What happened since this was called last."""

    async def close(self) -> None:
        """Release everything."""


class Process:
    """A crew in a process of its own."""

    def __init__(self, order: Order) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=work, args=(order, other), daemon=True)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0
        self._loop = asyncio.get_running_loop()
        self._waiting[0] = self._loop.create_future()
        self._process.start()
        other.close()
        threading.Thread(target=self._listen, args=(self._pipe,), daemon=True).start()

    async def ready(self) -> None:
        """Wait until its saver is open.

        Raises:
            LgckptError: The target cannot be used.
        """
        await self._waiting[0]

    def _listen(self, pipe: Connection) -> None:
        while True:
            try:
                got = pipe.recv()
            except (EOFError, OSError):
                got = None
            if self._loop.is_closed():
                return
            self._loop.call_soon_threadsafe(self._got, got)
            if got is None:
                return

    def _got(self, got: tuple[int, bool, Any] | None) -> None:
        if got is None:
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(StorageError(ENDED))
            return
        number, good, answer = got
        # Whether it is ready is asked for later, and may have been told already.
        asked = self._waiting.get(number)
        if number:
            self._waiting.pop(number, None)
        if asked is None or asked.done():
            return
        if good:
            asked.set_result(answer)
        else:
            asked.set_exception(answer)

    async def _ask(self, what: str, *args: Any) -> Any:
        self._asked += 1
        future = self._waiting[self._asked] = self._loop.create_future()
        try:
            self._pipe.send((self._asked, what, args))
        except OSError as exc:
            # As it is, the command line would take it for a closed standard output and say nothing.
            raise StorageError(ENDED) from exc
        return await future

    async def run(self, load: Load, seconds: float) -> None:
        """See `Hand`."""
        await self._ask("run", load, seconds)

    async def stop(self) -> None:
        """See `Hand`."""
        await self._ask("stop")

    async def settle(self) -> None:
        """See `Hand`."""
        await self._ask("settle")

    async def clean(self) -> None:
        """See `Hand`."""
        await self._ask("clean")

    async def snapshot(self) -> Snapshot:
        """See `Hand`."""
        found: Snapshot = await self._ask("snapshot")
        return found

    async def close(self) -> None:
        """See `Hand`."""
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
        # To close the pipe would not be seen while a thread of ours reads from it.
        with suppress(OSError):
            self._pipe.send(None)
        await asyncio.to_thread(self._process.join, END_LIMIT)
        if self._process.is_alive():
            self._process.kill()
            await asyncio.to_thread(self._process.join)
        self._pipe.close()


class Hands:
    """All processes of one target.

    Args:
        hands: Each of them.
    """

    def __init__(self, hands: Sequence[Hand]) -> None:
        self._hands = hands

    async def run(self, load: Load, seconds: float) -> None:
        """Have all work, each at its share."""
        shares = [share(load, i, len(self._hands)) for i in range(len(self._hands))]
        await asyncio.gather(
            *(hand.run(one, seconds) for hand, one in zip(self._hands, shares, strict=True) if one)
        )

    async def stop(self) -> None:
        """Have them finish."""
        await asyncio.gather(*(hand.stop() for hand in self._hands))

    async def settle(self) -> Snapshot:
        """Read and compare what is open; gives what came of it."""
        await asyncio.gather(*(hand.settle() for hand in self._hands))
        return await self.snapshot()

    async def clean(self) -> None:
        """Delete all threads."""
        await asyncio.gather(*(hand.clean() for hand in self._hands))

    async def snapshot(self) -> Snapshot:
        """What happened since this was called last."""
        found = Snapshot()
        for one in await asyncio.gather(*(hand.snapshot() for hand in self._hands)):
            found.add(one)
        return found

    async def close(self) -> None:
        """Release everything."""
        for hand in self._hands:
            await hand.close()


async def engage(orders: Sequence[Order]) -> Hands:
    """Start processes and wait until each has its saver open.

    Raises:
        LgckptError: The target cannot be used.
    """
    processes = [Process(order) for order in orders]
    hands = Hands(processes)
    try:
        # The first sets the schema up; the others find it there.
        for process in processes:
            await process.ready()
    except BaseException:
        await hands.close()
        raise
    return hands
