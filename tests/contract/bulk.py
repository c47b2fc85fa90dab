"""The bulk verbs of a saver's storage, in the saver's colour, and a copy made with them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lgckpt.bulk import Batch, Mark, Place
from lgckpt.rows import HIDDEN, CheckpointRow, ThreadEdit, WriteRow
from tests.colours import Coloured


class Verbs:
    """`await verbs.marks(...)` calls the storage's verb of that name."""

    def __init__(self, coloured: Coloured) -> None:
        self._driver = coloured.saver._handle.driver(sync=coloured.colour == "sync")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        async def call(*args: Any) -> Any:
            return await self._driver(name, *args)

        return call

    async def every_thread(self, limit: int) -> list[str]:
        """All threads, that many a page."""
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = await self.threads(after, limit)
            assert len(page.threads) <= limit
            found += page.threads
            after = page.after
        return found

    async def every_mark(self, thread_id: str, limit: int) -> list[Mark]:
        """All places of a thread, that many a page."""
        found: list[Mark] = []
        while True:
            page = await self.marks(thread_id, found[-1].place if found else None, limit)
            assert len(page) <= limit
            found += page
            if not page:
                return found

    async def every_chunk(self, thread_id: str, limit: int) -> dict[bytes, bytes]:
        """All chunks of a thread, about that many a page."""
        found: dict[bytes, bytes] = {}
        after: str | None = ""
        while after is not None:
            page = await self.chunk_page(thread_id, after, limit)
            found.update(page.chunks)
            after = page.after
        return found

    async def everything(self, thread_id: str) -> Batch:
        """All of a thread, sorted."""
        marks = await self.every_mark(thread_id, 100)
        batch = await self.fetch(thread_id, [mark.place for mark in marks], nothing)
        return ordered(batch)

    async def edit(self, thread_id: str, made: ThreadEdit) -> None:
        """Carry out an edit."""

        async def decide(_: Any) -> ThreadEdit:
            return made

        await self.edit_thread(thread_id, decide)

    async def hide(self, thread_id: str, place: Place) -> None:
        """Hide a row, as retention does."""
        (row,) = (await self.fetch(thread_id, [place], nothing)).rows
        await self.edit(thread_id, ThreadEdit(replace=[row._replace(flags=HIDDEN)]))

    async def copy_to(
        self, other: Verbs, thread_id: str, size: int, name: str | None = None
    ) -> None:
        """Copy a thread, so many places a batch, sending no chunk twice."""
        sent: set[bytes] = set()
        after: Place | None = None
        while marks := await self.marks(thread_id, after, size):
            places = [mark.place for mark in marks]
            batch = await self.fetch(thread_id, places, sent.__contains__)
            assert {chunk.hash for chunk in batch.chunks}.isdisjoint(sent)
            assert set(batch.claims) <= sent
            assert await other.load(name or thread_id, batch)
            sent.update(chunk.hash for chunk in batch.chunks)
            after = places[-1]


def nothing(_: bytes) -> bool:
    """Nothing is known."""
    return False


def ordered(batch: Batch) -> Batch:
    """The same, in an order that every backend can be compared in."""
    return Batch(
        _sorted(batch.rows), _sorted(batch.writes), sorted(batch.chunks), sorted(batch.claims)
    )


def _sorted(rows: Iterable[CheckpointRow] | Iterable[WriteRow]) -> list[Any]:
    return sorted(rows, key=repr)


def named(batch: Batch, thread_id: str) -> Batch:
    """The same rows, as another thread's."""
    return batch._replace(
        rows=[row._replace(thread_id=thread_id) for row in batch.rows],
        writes=[write._replace(thread_id=thread_id) for write in batch.writes],
    )
