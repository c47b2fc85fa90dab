"""A database in lgckpt's own layout, as one side of a migration."""

from __future__ import annotations

from asyncio import Lock
from collections.abc import Mapping, Sequence
from contextlib import nullcontext

from lgckpt.bulk import Batch, Known, Mark, Place, Room, ThreadPage
from lgckpt.migration.sides import Many
from lgckpt.saver import Saver
from lgckpt.storage import Driver


class NativeSide:
    """A saver's storage.

    Args:
        saver: Stays the caller's to close, unless `owned`.
        name: For people, without a password.
        owned: Whether `close` closes the saver.
    """

    native = True

    def __init__(self, saver: Saver, name: str, *, owned: bool) -> None:
        self.name = name
        self._saver = saver
        self._owned = owned
        # `sqlite3` lets go of the interpreter's lock at each row: of several threads that read at
        # once, each waits for the others most of the time.
        self._reading: Lock | nullcontext[None] = (
            Lock() if saver._handle.storage.colour == "sync" else nullcontext()
        )

    @property
    def _driver(self) -> Driver:
        return self._saver._handle.driver(sync=False)

    async def setup(self) -> None:
        """Create the schema if it is not there."""
        await self._driver("setup")

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads."""
        page: ThreadPage = await self._driver("threads", after, limit)
        return page

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        page: list[Mark] = await self._driver("marks", thread_id, after, limit)
        return page

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known."""
        async with self._reading:
            batch: Batch = await self._driver("fetch", thread_id, places, known)
            return batch

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction."""
        self._saver._handle.hints.forget(thread_id)
        stored: bool = await self._driver("load", thread_id, batch)
        return stored

    @property
    def many(self) -> Many | None:
        """It can move several threads at once."""
        return self

    async def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it."""
        found: list[bool] = await self._driver("vacant", thread_ids)
        return found

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many of these threads as there is room for."""
        async with self._reading:
            found: list[Batch | None] = await self._driver("fetch_threads", thread_ids, room)
            return found

    async def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads."""
        for thread_id, _ in loads:
            self._saver._handle.hints.forget(thread_id)
        stored: list[bool] = await self._driver("load_threads", loads)
        return stored

    async def facts(self) -> Mapping[str, str]:
        """What the database says of itself; nothing is made there for that."""
        found: Mapping[str, str] = await self._driver("facts")
        return found

    async def close(self) -> None:
        """Close the saver, if it is ours."""
        if self._owned:
            await self._saver.aclose()
