"""Whole threads in and out of memory, each function under the storage's lock."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from lgckpt.backends.memory_thread import Thread, holds
from lgckpt.bulk import (
    Batch,
    ChunkPage,
    Known,
    Mark,
    Place,
    Room,
    ThreadPage,
    claiming,
    nothing,
    size_of,
)
from lgckpt.chunks import collecting, walk
from lgckpt.rows import Chunk


def threads(everything: Mapping[str, Thread], after: str, limit: int) -> ThreadPage:
    """A page of all threads that have rows; a cursor is "=" and the last one's name."""
    found = heapq.nsmallest(
        limit,
        (
            name
            for name, thread in everything.items()
            if (not after or name > after[1:]) and (thread.rows or any(thread.writes.values()))
        ),
    )
    return ThreadPage(found, f"={found[-1]}" if found and len(found) == limit else None)


def marks(thread: Thread, after: Place | None, limit: int) -> list[Mark]:
    """A page of a thread's places."""
    orphans = (place for place, batch in thread.writes.items() if batch)
    alone = sorted(p for p in orphans if p not in thread.rows and (after is None or p > after))
    found = []
    for place in islice(heapq.merge(_places(thread, after), alone), limit):
        row, writes = thread.row(place), len(thread.writes.get(place, ()))
        found.append(Mark(*place, row and row.etag, row.flags if row else 0, writes))
    return found


def _places(thread: Thread, after: Place | None) -> Iterator[Place]:
    """The places of checkpoints, in order."""
    spaces = sorted(thread.ids)
    for ns in spaces if after is None else spaces[bisect_left(spaces, after[0]) :]:
        ids = thread.ids[ns]
        first = bisect_right(ids, after[1]) if after is not None and after[0] == ns else 0
        for i in range(first, len(ids)):
            yield ns, ids[i]


def fetch(thread: Thread, places: Sequence[Place], known: Known) -> Batch:
    """All that is at these places, and the chunks it needs but for those that are known."""
    rows = [row for row in map(thread.row, places) if row is not None]
    writes = [
        batch[name]
        for batch in (thread.writes.get(place, {}) for place in places)
        for name in sorted(batch)
    ]
    known, claims = claiming(known)
    chunks = walk(collecting(Batch(rows, writes).refs, sweeps=False, known=known), thread.fetch)
    return Batch(rows, writes, [Chunk(*one) for one in chunks.items()], list(claims))


def fetch_threads(
    everything: Mapping[str, Thread], thread_ids: Sequence[str], room: Room
) -> list[Batch | None]:
    """The whole of as many of these threads as there is room for."""
    found: list[Batch | None] = []
    size = 0
    for thread_id in thread_ids:
        if size >= room.size:
            break
        thread = everything.get(thread_id, Thread())
        places = [mark.place for mark in marks(thread, None, room.places + 1)]
        batch = fetch(thread, places, nothing) if len(places) <= room.places else None
        size += 0 if batch is None else size_of(batch)
        found.append(batch)
    return found


def load(everything: dict[str, Thread], thread_id: str, batch: Batch) -> bool:
    """Store a batch; False, and nothing stored, if a claim does not hold."""
    if not holds(everything.get(thread_id), batch.claims):
        return False
    if not any(batch[:3]):
        return True
    thread = everything.setdefault(thread_id, Thread())
    thread.take(batch.chunks)
    for row in batch.rows:
        thread.store(row._replace(thread_id=thread_id))
    for write in batch.writes:
        mine = thread.writes.setdefault((write.checkpoint_ns, write.checkpoint_id), {})
        mine[write.task_id, write.idx] = write._replace(thread_id=thread_id)
    return True


def chunk_page(thread: Thread, after: str, limit: int) -> ChunkPage:
    """A page of a thread's chunks, by hash."""
    last = bytes.fromhex(after)
    hashes = heapq.nsmallest(limit, (h for h in thread.chunks if not after or h > last))
    page = [Chunk(h, thread.chunks[h]) for h in hashes]
    return ChunkPage(page, hashes[-1].hex() if hashes and len(hashes) == limit else None)
