"""Whole threads as they pass between databases: what migration, inspection and repair read.

The verbs that give and take these are in `lgckpt.storage`. Everything is paged, so that no
thread, however long, is held at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from lgckpt.errors import CorruptCheckpointError
from lgckpt.rows import CheckpointRow, Chunk, WriteRow

Place = tuple[str, str]
"""(checkpoint_ns, checkpoint_id) within one thread."""

Known = Callable[[bytes], bool]
"""Says of a chunk's hash that neither it nor what is below it is wanted."""


def everything(_: bytes) -> bool:
    """A `Known` of who wants rows without chunks."""
    return True


def nothing(_: bytes) -> bool:
    """A `Known` of who wants all chunks."""
    return False


class ThreadPage(NamedTuple):
    """Some threads.

    Attributes:
        threads: Their ids.
        after: What to ask for the next page with; None after the last one.
    """

    threads: Sequence[str]
    after: str | None


class Mark(NamedTuple):
    """A place where a thread has a checkpoint, or pending writes, or both.

    Attributes:
        etag: The row's etag; empty where the layout has none, or the row is damaged; None where
            only writes are there. With no writes either, an index names what is not there.
        flags: The row's flags; 0 without a row.
        writes: How many pending writes are there.
    """

    checkpoint_ns: str
    checkpoint_id: str
    etag: bytes | None
    flags: int
    writes: int

    @property
    def place(self) -> Place:
        """The namespace and the checkpoint."""
        return self.checkpoint_ns, self.checkpoint_id


class ChunkPage(NamedTuple):
    """Some chunks of a thread; one may come twice.

    Attributes:
        chunks: With their frames.
        after: What to ask for the next page with; None after the last one.
    """

    chunks: Sequence[Chunk]
    after: str | None


class Batch(NamedTuple):
    """Rows of one thread, with what they need.

    Attributes:
        rows: Checkpoints, hidden ones too, in no given order.
        writes: Pending writes, whether or not their checkpoint is there, in no given order.
        chunks: Chunks that the rows and writes need.
        claims: Hashes of chunks that they need as well and that are taken to be there.
    """

    rows: Sequence[CheckpointRow] = ()
    writes: Sequence[WriteRow] = ()
    chunks: Sequence[Chunk] = ()
    claims: Sequence[bytes] = ()

    @property
    def refs(self) -> bytes:
        """All references of the rows and the writes."""
        return b"".join([row.refs for row in self.rows] + [one.refs for one in self.writes])


class Room(NamedTuple):
    """How much of several threads is read at once.

    Attributes:
        places: Most places of a thread; one that has more is not read.
        size: Most bytes of a thread; after as many no further one is begun.
    """

    places: int
    size: int


WRITES_A_PLACE = 16
"""Pending writes that a place has on average, at most, for its thread to be read in one go."""


def size_of(batch: Batch) -> int:
    """The bytes of a batch's rows, writes and chunks, as they are stored."""
    size = sum([len(row[7]) + len(row[8]) + len(row[9]) for row in batch.rows])
    size += sum([len(write[8]) + len(write[9]) for write in batch.writes])
    return size + sum([len(name) + len(frame) for name, frame in batch.chunks])


class Pages(Protocol):
    """What reads a thread place by place; see `lgckpt.storage.AsyncStorage`."""

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places."""


AT_ONCE = 4
"""Threads read at once, place by place."""

STEP = 16
"""Places of a thread read before their size is looked at."""


async def wholes(pages: Pages, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
    """The whole of as many threads as there is room for; see `AsyncStorage.fetch_threads`."""
    found: list[Batch | None] = []
    size = 0
    for start in range(0, len(thread_ids), AT_ONCE):
        if size >= room.size:
            break
        some = thread_ids[start : start + AT_ONCE]
        read = await asyncio.gather(*(_whole(pages, thread_id, room) for thread_id in some))
        size += sum(size_of(batch) for batch in read if batch is not None)
        found += read
    return found


async def _whole(pages: Pages, thread_id: str, room: Room) -> Batch | None:
    """All of a thread; None if it is too large, damaged, or changes meanwhile."""
    held: dict[bytes, Chunk] = {}
    rows: list[CheckpointRow] = []
    writes: list[WriteRow] = []
    try:
        marks = await pages.marks(thread_id, None, room.places + 1)
        if len(marks) > room.places:
            return None
        for start in range(0, len(marks), STEP):
            places = [mark.place for mark in marks[start : start + STEP]]
            batch = await pages.fetch(thread_id, places, held.__contains__)
            rows += batch.rows
            writes += batch.writes
            held.update((chunk.hash, chunk) for chunk in batch.chunks)
            if size_of(Batch(rows, writes, list(held.values()))) > room.size:
                return None
    except CorruptCheckpointError:
        return None
    there = {row[1:3] for part in (rows, writes) for row in part}
    whole = there == {mark.place for mark in marks}
    return Batch(rows, writes, list(held.values())) if whole else None


def claiming(known: Known) -> tuple[Known, dict[bytes, None]]:
    """`known`, and the hashes that it says are known, filled in as it is asked."""
    claims: dict[bytes, None] = {}

    def asked(name: bytes) -> bool:
        if known(name):
            claims[name] = None
            return True
        return False

    return asked, claims
