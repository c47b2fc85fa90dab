"""Whole threads in and out of Redis: a page is one script, or a few where rows are hidden."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any

from lgckpt.backends.redis_calls import Call
from lgckpt.backends.redis_edits import edit
from lgckpt.backends.redis_keys import (
    SHARDS,
    shelf,
    shelf_of,
    split_shelf,
    unescape,
)
from lgckpt.backends.redis_rows import unpack_row, unpack_tag, unpack_writes
from lgckpt.backends.redis_scripts import FETCH, MARKS, NAMED, SCAN
from lgckpt.backends.redis_threads import Batch as Stored
from lgckpt.backends.redis_threads import Moment, Space, Swept
from lgckpt.bulk import Batch, ChunkPage, Known, Mark, Place, ThreadPage, claiming
from lgckpt.chunks import collecting
from lgckpt.rows import CheckpointKey, CheckpointRow, Chunk, ThreadEdit, WriteRow
from lgckpt.storage import ThreadView

PLACES = 64
"""Places that one script reads."""

NAMES = 5000
"""Names of hidden rows read at once."""

_FIRST = b"-"


async def threads(space: Space, after: str, limit: int) -> ThreadPage:
    """A page of all threads that have rows, shard by shard of the registry.

    A cursor is the shard, ":", and the last entry that was looked at, in hexadecimal.
    """
    shard, last = 0, _FIRST
    if after:
        number, _, entry = after.partition(":")
        shard, last = int(number), b"(" + bytes.fromhex(entry)
    found: list[str] = []
    while shard < SHARDS:
        most = limit - len(found)
        pages = await space.registry.pages(shard, last, most)
        entries = [(shard + i, one) for i, page in enumerate(pages) for one in page][:most]
        found += await _that_are_there(space, [unescape(one) for _, one in entries])
        if len(entries) < most:
            shard, last = shard + len(pages), _FIRST
            continue
        shard, last = entries[-1][0], b"(" + entries[-1][1]
        if len(found) == limit:
            return ThreadPage(found, f"{shard}:{last[1:].hex()}")
    return ThreadPage(found, None)


async def _that_are_there(space: Space, names: Sequence[str]) -> list[str]:
    """Those of the threads that have a checkpoint or a write."""
    if not names:
        return []
    calls = [Call(SCAN, space.keys(name), (b"+", b"-", 1, b"names")) for name in names]
    replies = await space.calls.many(calls)
    return [name for name, (members, _) in zip(names, replies, strict=True) if members]


async def marks(space: Space, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
    """A page of a thread's places, by namespace, then id."""
    keys, start = space.keys(thread_id), b"" if after is None else shelf(*after)
    while True:
        hidden = await _hidden(space, thread_id, start, limit)
        reply = await space.calls.script(MARKS, keys, (start, limit, *hidden))
        shelves, heads, their_heads, written, counts = reply
        if None in (*heads, *their_heads):
            continue  # one was deleted meanwhile, and is no longer listed
        # Each of the lists begins with its first so many: so does what they make together.
        found: dict[bytes, bytes | None] = dict.fromkeys(written)
        found.update(zip(hidden, their_heads, strict=True))
        found.update(zip(shelves, heads, strict=True))
        writes = dict(zip(written, counts, strict=True))
        return [_mark(one, found[one], writes.get(one, 0)) for one in sorted(found)[:limit]]


def _mark(name: bytes, head: bytes | None, writes: int) -> Mark:
    etag, flags = (None, 0) if not head else unpack_tag(head)
    return Mark(*split_shelf(name), etag, flags, writes)


async def _hidden(space: Space, thread_id: str, after: bytes, limit: int) -> list[bytes]:
    """The first shelves of hidden rows; all names are read, as their index is by id."""
    best: list[bytes] = []
    upper = b"(y"
    while True:
        args = (upper, b"[x", NAMES, b"names")
        members, _ = await space.calls.script(SCAN, space.keys(thread_id), args)
        shelves = (shelf_of(member[1:]) for member in members)
        best = heapq.nsmallest(limit, (*best, *(one for one in shelves if one > after)))
        if len(members) < NAMES:
            return best
        upper = b"(" + members[-1]


async def fetch(space: Space, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
    """All that is at these places, and the chunks it needs but for those that are known."""
    keys = space.keys(thread_id)
    slices = [places[i : i + PLACES] for i in range(0, len(places), PLACES)]
    calls = [Call(FETCH, keys, [shelf(*place) for place in some]) for some in slices]

    async def read() -> Batch:
        asked, claims = claiming(known)
        rows: list[CheckpointRow] = []
        writes: list[WriteRow] = []
        epochs = set()
        for some, reply in zip(slices, await space.calls.many(calls), strict=True):
            epoch, fields, members, values = reply
            epochs.add(epoch)
            rows += _rows(thread_id, some, fields)
            writes += unpack_writes(thread_id, members, values)
        refs = Batch(rows, writes).refs
        if not refs:
            return Batch(rows, writes)
        if len(epochs) > 1:
            raise Swept
        steps = collecting(refs, sweeps=False, known=asked)
        chunks = await space.take(keys, steps, Moment(epochs.pop(), 0))
        return Batch(rows, writes, [Chunk(*one) for one in chunks.items()], list(claims))

    return await space.as_of_one_moment(read) if calls else Batch()


def _rows(thread_id: str, places: Sequence[Place], fields: Sequence[Any]) -> list[CheckpointRow]:
    found = zip(places, fields[::2], fields[1::2], strict=True)
    return [
        unpack_row(CheckpointKey(thread_id, *place), head, state or b"")
        for place, head, state in found
        if head is not None
    ]


async def vacant(space: Space, thread_ids: Sequence[str]) -> list[bool]:
    """Of each of these threads, whether there is nothing of it."""
    calls = [Call(NAMED, space.keys(thread_id), ()) for thread_id in thread_ids]
    return [not found for found in await space.calls.many(calls)] if calls else []


async def load_threads(space: Space, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
    """Store a batch of each of several threads, a script each; those are sent at once."""
    asked = [(thread_id, _to_store(batch)) for thread_id, batch in loads if any(batch)]
    stored = iter(await space.store_many(asked))
    return [next(stored) if any(batch) else True for _, batch in loads]


async def load(space: Space, thread_id: str, batch: Batch) -> bool:
    """Store a batch in one script; rows and writes of the same key are replaced."""
    if not any(batch):
        return True
    return await space.store(thread_id, _to_store(batch))


def _to_store(batch: Batch) -> Stored:
    # Of two rows alike the last wins, and leaves no trace of the other in the index.
    rows = list({row[1:3]: row for row in batch.rows}.values())
    return Stored("load", rows, batch.writes, batch.chunks, None, batch.claims)


async def chunk_page(space: Space, thread_id: str, after: str, limit: int) -> ChunkPage:
    """About so many of a thread's chunks; the cursor is that of HSCAN."""
    chunks = space.keys(thread_id).chunks
    cursor, found = await space.calls.command("HSCAN", chunks, after or "0", "COUNT", limit)
    page = [Chunk(*one) for one in found.items() if one[0] != b"e"]
    return ChunkPage(page, str(int(cursor)) if int(cursor) else None)


async def reclaim(space: Space, thread_id: str) -> int:
    """Drop the thread's chunks that no row needs; gives how many."""
    return await edit(space, thread_id, _nothing)


async def _nothing(_: ThreadView) -> ThreadEdit:
    return ThreadEdit()
