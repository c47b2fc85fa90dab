"""The tables of LangGraph's `PostgresSaver`, as one side of a migration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.backends.postgres_pool import Connections, PoolOptions
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage
from lgckpt.errors import FrameError
from lgckpt.migration.langgraph import postgres_schema as schema
from lgckpt.migration.langgraph.paging import BEGUN, merged
from lgckpt.migration.langgraph.postgres_loading import store
from lgckpt.migration.langgraph.postgres_rows import (
    EMPTY,
    Cells,
    Version,
    cells_of,
    found_of,
    wanted,
)
from lgckpt.migration.langgraph.reading import decompressed
from lgckpt.migration.langgraph.recent import Recent
from lgckpt.migration.langgraph.rows import FoundWrite, ThreadPacker
from lgckpt.migration.langgraph.slicing import Typed
from lgckpt.migration.langgraph.unpacking import lacks
from lgckpt.packing import Packer
from lgckpt.reading import DAMAGE, named
from lgckpt.rows import CheckpointKey
from lgckpt.saver import Compression
from lgckpt.serde import Serializer

POOL = PoolOptions(timeout=None)
"""No limit on a statement: a migration's may be large."""

AHEAD = 4096
"""Places read at once: to sort a thread's takes a look at all of them."""

PAGE_BYTES = 4 * 1024 * 1024
"""About how much of the values is read at once."""

LARGEST_PAGE = 64


class PostgresLayout:
    """LangGraph's Postgres tables, of any of its releases.

    Args:
        url: A `postgresql://` URL; its search path says in which schema they are.
        name: The URL as it was given, without its password, for people.
        serde: What reads metadata and checkpoints that are encrypted, to be written here.
        compression: Of the chunks that values are cut into.
    """

    native = False

    def __init__(
        self,
        url: str,
        name: str,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        self.name = name
        self._serde = serde
        self._connections = Connections(url, POOL)
        packer = Packer(Serializer(), compression)
        self._recent = Recent(lambda: ThreadPacker(packer))
        self._ahead: dict[str, list[Mark]] = {}
        self._shape: schema.Shape | None = None

    async def setup(self) -> None:
        """Create the tables, or bring those of an older release up to date."""
        await self._connections.run(schema.create)
        self._shape = None
        await self._look()

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads, in the database's own order."""
        shape = await self._look()
        args = (after[len(BEGUN) :],) if after else ()
        sql = shape.readable(schema.threads(not after))
        rows = await self._connections.run(lambda c: c.fetch(sql, limit, *args))
        found = [row["id"] for row in rows]
        return ThreadPage(found, BEGUN + found[-1] if len(found) == limit else None)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        ahead = self._ahead.pop(thread_id, [])
        if after is None:
            # Nothing ahead: who only asks whether a thread is there never comes for it.
            ahead = await self._marks(thread_id, after, limit)
        elif not ahead or ahead[0].place != after:
            ahead = await self._marks(thread_id, after, max(limit, AHEAD))
        else:
            ahead = ahead[1:]
        page = ahead[:limit]
        if len(ahead) > limit:
            # With the last one given, by which the next call shows that it goes on from here.
            self._ahead[thread_id] = ahead[limit - 1 :]
        return page

    async def _marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        args = (thread_id, limit, *(after or ()))
        shape = await self._look()

        async def read(connection: Any) -> tuple[list[Any], list[Any]]:
            first = after is None
            return (
                await connection.fetch(shape.readable(schema.places(first)), *args),
                await connection.fetch(shape.readable(schema.counts(first)), *args),
            )

        places, counts = await self._connections.run(read)
        return merged([tuple(row) for row in places], [tuple(row) for row in counts], limit)

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known."""
        with self._recent.lend(thread_id) as packer:
            packer.begin(known)
            for ns, group in groupby(sorted(places), lambda place: place[0]):
                ids = [checkpoint_id for _, checkpoint_id in group]
                size = 1
                while ids:
                    page, ids = ids[:size], ids[size:]
                    read = await self._read(thread_id, ns, page, packer)
                    size = max(1, min(LARGEST_PAGE, size * 4, PAGE_BYTES * len(page) // (read + 1)))
            return packer.end()

    async def _read(self, thread_id: str, ns: str, ids: list[str], packer: ThreadPacker) -> int:
        """Add some checkpoints of a namespace; gives how many bytes of values were read."""
        at = (thread_id, ns, ids)
        shape = await self._look()
        checkpoints, values, writing = map(
            shape.readable, (schema.CHECKPOINTS, schema.BLOBS, schema.writes(shape.task_path))
        )

        async def read(connection: Any) -> tuple[list[Cells], list[Any], list[Any]]:
            rows = await connection.fetch(checkpoints, *at)
            found = sorted(cells_of(CheckpointKey(thread_id, ns, row[0]), *row[1:]) for row in rows)
            blobs = wanted(ns, found, packer)
            args = ([channel for channel, _ in blobs], [version for _, version in blobs])
            stored = await connection.fetch(values, thread_id, ns, *args) if blobs else []
            return found, stored, await connection.fetch(writing, *at)

        cells, stored, writes = await self._connections.run(read)
        blobs: dict[Version, Typed] = {
            (channel, version): (tag, data or b"")
            for channel, version, tag, data in stored
            if tag != EMPTY
        }
        for one in cells:
            key = CheckpointKey(thread_id, ns, one.checkpoint_id)
            packer.checkpoint(found_of(key, one, blobs, packer))
        for write in writes:
            packer.write(_found_write(CheckpointKey(thread_id, ns, write[0]), *write[1:]))
        return sum(len(data) for _, data in blobs.values())

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction; False if it does not have all its chunks.

        Hidden rows become ordinary ones, marked in their metadata: LangGraph rebuilds a
        DeltaChannel from them.
        """
        if lacks(batch):
            return False
        await self._look()

        async def load(connection: Any) -> None:
            async with connection.transaction():
                await store(connection, thread_id, batch, self._serde)

        await self._connections.run(load)
        return True

    async def close(self) -> None:
        """Close all connections; safe to call again."""
        await self._connections.close()

    async def _look(self) -> schema.Shape:
        if self._shape is None:
            # Once: a server that is not there at first may have a wrong address.
            self._shape = await self._connections.look(
                lambda connection: schema.look(connection, self.name)
            )
        return self._shape


def _found_write(
    key: CheckpointKey,
    task_id: str,
    idx: int,
    task_path: str,
    channel: str,
    tag: str | None,
    data: bytes,
) -> FoundWrite:
    try:
        if tag is None:
            raise FrameError("a pending write has no type")
        return FoundWrite(*key, task_id, idx, task_path, channel, *decompressed(tag, data))
    except DAMAGE as exc:
        raise named(exc, key, channel) from exc
