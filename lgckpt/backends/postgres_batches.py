"""Group commit: what is to be stored while commits are under way is sent as one transaction.

A lone request goes out at once. While others are being committed, requests are gathered,
and go out together as soon as one of a few transactions has ended. In these the locks of
threads are only tried: who finds one taken waits for it outside, in a transaction of its
own. Requests of one thread never overtake each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from lgckpt.backends.postgres_errors import TIMEOUTS, is_lost
from lgckpt.backends.postgres_rows import BUSY, Request
from lgckpt.errors import ClosedError
from lgckpt.telling import tell

IN_FLIGHT = 3
"""Transactions under way at once, at most."""

FEW = 16
"""Requests that are not spread: more than these go over several connections at once, so that
the server and this process work at the same time instead of waiting for each other."""

MOST_REQUESTS = 64
MOST_BYTES = 1 << 20
"""What one transaction takes, at most; one request may be larger."""

logger = logging.getLogger(__name__)

SendMany = Callable[[Sequence[Request]], Awaitable[Sequence[int]]]
SendOne = Callable[[Request], Awaitable[int]]


class _Waiting:
    """A request and the caller that waits for it."""

    __slots__ = ("future", "request")

    def __init__(self, request: Request, future: asyncio.Future[int]) -> None:
        self.request = request
        self.future = future

    def resolve(self, code: int) -> None:
        if not self.future.done():
            self.future.set_result(code)

    def fail(self, exc: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(exc)


class Batches:
    """Gathers requests on one event loop.

    Args:
        send_many: Stores all of several requests in one transaction, not waiting for locks.
        send_one: Stores one request in a transaction of its own, waiting for its lock.
        gather: Whether requests may share a transaction.
        connections: How many connections there are.
    """

    def __init__(
        self, send_many: SendMany, send_one: SendOne, *, gather: bool, connections: int
    ) -> None:
        self._send_many = send_many
        self._send_one = send_one
        self._most = MOST_REQUESTS if gather else 1
        self._slots = max(1, min(IN_FLIGHT, connections - 1)) if gather else connections
        self._queue: deque[_Waiting] = deque()
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flying = 0
        self._woken = False

    async def submit(self, request: Request) -> int:
        """Store a request; gives what `lgckpt_store` gave, once it is committed.

        Cancelled, it was stored or not; the others of its batch are not affected.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(request, future))
        self._wake()
        return await future

    async def drain(self, timeout: float) -> None:
        """Wait until nothing is under way; what takes longer, in seconds, ends as closed."""
        loop = asyncio.get_running_loop()
        ending = loop.time() + timeout
        while (self._tasks or self._queue) and loop.time() < ending:
            self._dispatch()
            if self._tasks:
                await asyncio.wait(set(self._tasks), timeout=ending - loop.time())
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        _abandon(self._queue)

    def _wake(self) -> None:
        """Send soon: what else this turn of the event loop brings may go with it."""
        if not self._woken and self._flying < self._slots:
            self._woken = True
            asyncio.get_running_loop().call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._woken = False
        while self._flying < self._slots and (batch := self._take()):
            self._flying += 1
            self._start(self._carry(batch))

    def _start(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[_Waiting]:
        """The next batch, threads in order; what must come after others is left for later."""
        batch: list[_Waiting] = []
        kept: deque[_Waiting] = deque()
        passed = set(self._busy)
        size = 0
        spread = max(FEW, len(self._queue) // (self._slots - self._flying))
        most = min(self._most, spread)
        while self._queue and len(batch) < most:
            one = self._queue.popleft()
            lock, weight = one.request.lock, one.request.size
            if one.future.done():
                continue
            if lock in passed or (batch and size + weight > MOST_BYTES):
                passed.add(lock)
                kept.append(one)
            else:
                batch.append(one)
                size += weight
        kept.extend(self._queue)
        self._queue = kept
        batch.sort(key=lambda one: one.request.lock)
        self._busy.update(one.request.lock for one in batch)
        return batch

    async def _carry(self, batch: list[_Waiting]) -> None:
        left: list[_Waiting] = []
        try:
            codes = await self._send_many([one.request for one in batch])
        except Exception as exc:
            if len(batch) == 1 or _concerns_all(exc):
                _fail(batch, exc)
            else:
                left = batch
                cause = type(exc.__cause__ or exc).__name__
                tell(
                    logger, logging.DEBUG, "fallback", "%d puts are stored singly: %s", len(batch),
                    cause, what="singly", error=cause,
                )  # fmt: skip
        except BaseException:
            _abandon(batch)
            raise
        else:
            for one, code in zip(batch, codes, strict=True):
                if code == BUSY:
                    left.append(one)
                else:
                    one.resolve(code)
        finally:
            self._flying -= 1
            self._settle(batch, left)

    def _settle(self, batch: list[_Waiting], left: list[_Waiting]) -> None:
        """Let the threads of a batch go, but for those with something left to do."""
        by_lock: dict[int, list[_Waiting]] = {}
        for one in left:
            by_lock.setdefault(one.request.lock, []).append(one)
        self._busy.difference_update(
            one.request.lock for one in batch if one.request.lock not in by_lock
        )
        for lock, ones in by_lock.items():
            self._start(self._carry_singly(lock, ones))
        if self._queue:
            self._wake()

    async def _carry_singly(self, lock: int, ones: list[_Waiting]) -> None:
        """Store the requests of one thread, each in a transaction of its own, in their order."""
        try:
            for one in ones:
                if one.future.done():
                    continue
                try:
                    one.resolve(await self._send_one(one.request))
                except Exception as exc:  # whatever it is, it is this caller's
                    one.fail(exc)
        except BaseException:
            _abandon(ones)
            raise
        finally:
            self._busy.discard(lock)
            if self._queue:
                self._wake()


def _concerns_all(exc: Exception) -> bool:
    """Whether each request alone would meet the same: no server, no answer, or no saver."""
    cause = exc.__cause__
    return isinstance(exc, ClosedError) or isinstance(cause, TIMEOUTS) or is_lost(cause or exc)


def _fail(batch: list[_Waiting], exc: Exception) -> None:
    for one in batch:
        one.fail(exc)


def _abandon(batch: Iterable[_Waiting]) -> None:
    for one in batch:
        one.fail(ClosedError("this saver was closed"))
