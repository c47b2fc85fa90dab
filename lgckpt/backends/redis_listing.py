"""Pages of checkpoints, newest first: of one thread, and of all of them merged."""

from __future__ import annotations

import heapq

from lgckpt.backends.redis_calls import Call
from lgckpt.backends.redis_keys import AFTER, END, escape, namespace, split_place, split_shelf
from lgckpt.backends.redis_rows import unpack_row
from lgckpt.backends.redis_scripts import SCAN
from lgckpt.backends.redis_threads import Space
from lgckpt.rows import CheckpointKey, Head, ScanQuery

AT_ONCE = 4096
"""Keys that may be in memory at once, of threads being merged; at least one page a thread."""

Bounds = tuple[bytes, bytes]
"""The highest member, and the lowest, as ZREVRANGEBYLEX takes them."""


async def scan(space: Space, query: ScanQuery) -> list[Head]:
    """A page of visible checkpoints, newest first."""
    if query.thread_id is not None:
        return await _page(space, query.thread_id, query)
    page: list[Head] = []
    most = query.limit
    while True:
        query = query._replace(limit=most - len(page))
        keys = await _newest(space, query)
        page += await _heads(space, keys)
        if len(keys) < query.limit or len(page) == most:
            return page
        # Some were gone again by then: the page is filled from below them.
        query = query._replace(after=keys[-1])


async def _page(space: Space, thread_id: str, query: ScanQuery) -> list[Head]:
    upper, lower = _bounds(query, thread_id)
    keys = space.keys(thread_id)
    members, heads = await space.calls.script(SCAN, keys, (upper, lower, query.limit))
    found = []
    for member, head in zip(members, heads, strict=True):
        key = _key(thread_id, member)
        if head is not None:
            found.append(Head(key, unpack_row(key, head, b"").metadata))
    return found


async def _newest(space: Space, query: ScanQuery) -> list[CheckpointKey]:
    """The keys of the next checkpoints of all threads, newest first.

    A heap of `query.limit` keys, and a few threads' next keys beside it: once it is full,
    only what is newer than its oldest is asked for.
    """
    heap: list[tuple[str, str, str]] = []
    held: set[tuple[str, str, str]] = set()
    empty: list[str] = []
    many = max(1, AT_ONCE // query.limit)
    async for page in space.registry.threads():
        for start in range(0, len(page), many):
            threads = page[start : start + many]
            calls = []
            for thread_id in threads:
                upper, lower = _bounds(query, thread_id, _floor(query, heap))
                args = (upper, lower, query.limit, b"names")
                calls.append(Call(SCAN, space.keys(thread_id), args))
            for thread_id, found in zip(threads, await space.calls.many(calls), strict=True):
                if not found[0] and len(empty) < AT_ONCE and len(heap) < query.limit:
                    empty.append(thread_id)
                for member in found[0]:
                    key = _key(thread_id, member)
                    _push(heap, held, (key[2], key[0], key[1]), query.limit)
    if empty and query == ScanQuery(limit=query.limit):
        await space.registry.retire_threads(empty)
    return [CheckpointKey(t, ns, i) for i, t, ns in sorted(heap, reverse=True)]


def _push(
    heap: list[tuple[str, str, str]],
    held: set[tuple[str, str, str]],
    item: tuple[str, str, str],
    limit: int,
) -> None:
    if item in held:
        return
    held.add(item)
    heapq.heappush(heap, item)
    if len(heap) > limit:
        held.discard(heapq.heappop(heap))


def _floor(query: ScanQuery, heap: list[tuple[str, str, str]]) -> str | None:
    """The lowest checkpoint id that can still come into a heap that is full."""
    return heap[0][0] if len(heap) >= query.limit else None


async def _heads(space: Space, keys: list[CheckpointKey]) -> list[Head]:
    """Those of the checkpoints that are still there and shown, in the same order."""
    calls = []
    for key in keys:
        query = ScanQuery(key.thread_id, key.checkpoint_ns, key.checkpoint_id, limit=1)
        upper, lower = _bounds(query, key.thread_id)
        calls.append(Call(SCAN, space.keys(key.thread_id), (upper, lower, 1)))
    found = []
    for start in range(0, len(calls), AT_ONCE):
        replies = await space.calls.many(calls[start : start + AT_ONCE])
        for key, (_, heads) in zip(keys[start:], replies, strict=False):
            if heads and heads[0] is not None:
                found.append(Head(key, unpack_row(key, heads[0], b"").metadata))
    return found


def _bounds(query: ScanQuery, thread_id: str, floor: str | None = None) -> Bounds:
    """The members of one thread that a query is about."""
    ns = query.checkpoint_ns
    first = b"i" if ns is None else b"n" + namespace(ns)
    uppers = [first + AFTER]
    lower = first
    if query.checkpoint_id is not None:
        lower = first + escape(query.checkpoint_id) + END
        uppers.append(lower + AFTER)
    if query.before is not None:
        uppers.append(first + escape(query.before) + END)
    if query.after is not None:
        uppers.append(_below(first, query.after, thread_id, ns))
    if floor is not None:
        lower = max(lower, first + escape(floor) + END)
    return b"(" + min(uppers), b"[" + lower


def _below(first: bytes, after: CheckpointKey, thread_id: str, ns: str | None) -> bytes:
    """Above all that comes after a key in the order (checkpoint_id, thread_id, ns)."""
    same = first + escape(after.checkpoint_id) + END
    if ns is not None:
        comes_after = (thread_id, ns) < (after.thread_id, after.checkpoint_ns)
        return same + AFTER if comes_after else same
    if thread_id == after.thread_id:
        return same + escape(after.checkpoint_ns)
    return same + AFTER if thread_id < after.thread_id else same


def _key(thread_id: str, member: bytes) -> CheckpointKey:
    if member[:1] == b"n":
        return CheckpointKey(thread_id, *split_shelf(member[1:]))
    return CheckpointKey(thread_id, *split_place(member[1:]))
