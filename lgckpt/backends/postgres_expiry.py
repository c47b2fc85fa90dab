"""Threads that expire: when they do, and how they are cleared away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from functools import partial
from uuid import UUID

from lgckpt.backends.postgres_names import Address, address, from_sql
from lgckpt.backends.postgres_pool import Connections
from lgckpt.backends.postgres_rows import Statements
from lgckpt.backends.postgres_waits import WaitingRoom
from lgckpt.errors import LgckptError
from lgckpt.telling import tell

COARSE = 20
"""A life is prolonged only once a part in so many of it has passed, not at every use."""

BATCH = 20
"""Expired threads looked up at once; each is deleted in a transaction of its own."""

SWEEP_EVERY = 60.0
"""Seconds between two sweeps that puts start, at least; a tenth of a shorter life."""

MOST_REMEMBERED = 10_000
"""Threads whose last refresh is remembered."""

logger = logging.getLogger(__name__)


class Expiry:
    """When threads of one storage expire.

    Args:
        connections: Where threads are.
        room: Where to wait for their locks.
        statements: For the schema's name.
        schema: The same, unquoted.
        ttl: Seconds that a thread lives after its last put; None for ever.
        on_read: Whether reading prolongs its life too.
    """

    def __init__(
        self,
        connections: Connections,
        room: WaitingRoom,
        statements: Statements,
        schema: str,
        ttl: float | None,
        on_read: bool,
    ) -> None:
        self.ttl = ttl
        self._connections = connections
        self._room = room
        self._statements = statements
        self._schema = schema
        self._on_read = on_read and ttl is not None
        self._every = min(SWEEP_EVERY, (ttl or SWEEP_EVERY) / 10)
        self.forget()

    def forget(self) -> None:
        """In a forked child: start anew."""
        self._refreshed: dict[UUID, float] = {}
        self._swept = time.monotonic()
        self._sweeping: asyncio.Task[None] | None = None

    async def refresh(self, tids: Iterable[UUID]) -> None:
        """Prolong the lives of threads that were read."""
        if not self._on_read or self.ttl is None:
            return
        now = time.monotonic()
        due = [tid for tid in tids if now - self._refreshed.get(tid, -self.ttl) > self.ttl / COARSE]
        if not due:
            return
        await self._connections.run(
            lambda connection: connection.execute(
                f"UPDATE {self._statements.schema}.lgckpt_threads"
                " SET expires_at = now() + make_interval(secs => $2)"
                " WHERE tid = ANY ($1) AND expires_at > now()"
                " AND expires_at < now() + make_interval(secs => $2 - $2 / 20)",
                due,
                self.ttl,
            )
        )
        if len(self._refreshed) + len(due) > MOST_REMEMBERED:
            self._refreshed.clear()
        self._refreshed.update(dict.fromkeys(due, now))

    async def drop(self, at: Address) -> None:
        """Delete a thread if it has expired."""
        await self._room.run(partial(self._drop, at, True))

    async def delete(self, at: Address) -> None:
        """Delete a thread, expired or not."""
        await self._room.run(partial(self._drop, at, False))

    async def _drop(self, at: Address, expired: bool, wait: bool) -> bool | None:
        dropped: bool | None = await self._connections.run(
            lambda connection: connection.fetchval(
                self._statements.drop, at.lock, wait, at.tid, expired
            )
        )
        return dropped

    def sweep_sometimes(self) -> None:
        """Start a sweep in the background, if there was none for a while."""
        if self.ttl is None or time.monotonic() - self._swept < self._every:
            return
        self._swept = time.monotonic()
        if self._sweeping is None or self._sweeping.done():
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep_quietly())

    async def _sweep_quietly(self) -> None:
        try:
            await self._sweep_some()
        except LgckptError as exc:
            # The next one may do better, and no caller waits for this one.
            place, error = self._connections.place, type(exc.__cause__ or exc).__name__
            tell(
                logger, logging.INFO, "sweep_failed", "%s: no sweep for now: %s", place, error,
                database=place, error=error,
            )  # fmt: skip

    async def sweep(self) -> int:
        """Delete the threads that have expired; gives how many.

        A thread that is in use is left for the next sweep.
        """
        total = 0
        while deleted := await self._sweep_some():
            total += deleted
        return total

    async def _sweep_some(self) -> int:
        records = await self._connections.run(
            lambda connection: connection.fetch(
                f"SELECT thread_id FROM {self._statements.schema}.lgckpt_threads"
                f" WHERE expires_at <= now() ORDER BY random() LIMIT {BATCH}"
            )
        )
        deleted = 0
        for record in records:
            at = address(self._schema, from_sql(record[0]))
            deleted += bool(await self._drop(at, expired=True, wait=False))
        if deleted:
            place = self._connections.place
            tell(
                logger, logging.INFO, "sweep", "%s: %d threads that expired were deleted", place,
                deleted, database=place, threads=deleted,
            )  # fmt: skip
        return deleted

    async def close(self) -> None:
        """Stop a sweep under way."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
