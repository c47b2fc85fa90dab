"""Which threads there are, and which threads a run has checkpoints in.

Both span threads by nature, so they live in a fixed number of shards beside the threads.
An entry is made before what it stands for is stored: the store script refuses a thread or
a run that is new to it unless the caller has registered it a moment ago. So a crash
leaves at most an entry without a thread, and those go when others are made or read, never
within `KEEP` seconds of being made: what they stand for may be on its way.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from lgckpt.backends.redis_calls import Call, Calls
from lgckpt.backends.redis_keys import (
    SHARDS,
    escape,
    registry_keys,
    run_entry,
    run_score,
    shard_of,
    split_run_entry,
    thread_keys,
    unescape,
)
from lgckpt.backends.redis_scripts import HAS_RUN, NAMED, REGISTER, RETIRE, SAMPLE

KEEP = 600
"""Seconds for which an entry stays whatever it stands for."""

FRESH = 60.0
"""Seconds after registering within which to store; ten times less than `KEEP`."""

SHARDS_AT_ONCE = 16
PAGE = 200
"""Entries of a shard read at once."""

TIDY_EVERY = 8
TIDIED = 32
"""Every so many registrations, about, so many entries are looked at: dead ones then never
become more than a part of all."""


class Registry:
    """The registry of one key prefix."""

    def __init__(self, calls: Calls, prefix: str) -> None:
        self._calls = calls
        self._prefix = prefix

    async def register(self, thread_id: str, run_ids: Iterable[str]) -> float:
        """Enter a thread and its runs; gives the time at which that is no longer fresh."""
        return await self.register_many([(thread_id, run_ids)])

    async def register_many(self, threads: Sequence[tuple[str, Iterable[str]]]) -> float:
        """Enter several threads and their runs, with a script for each shard; see `register`."""
        began = time.monotonic()
        by_shard: dict[tuple[str, int], list[bytes | int]] = {}
        for thread_id, run_ids in threads:
            by_shard.setdefault(("threads", shard_of(thread_id)), []).extend((0, escape(thread_id)))
            for run_id in run_ids:
                entries = by_shard.setdefault(("runs", shard_of(run_id)), [])
                entries += (run_score(run_id), run_entry(run_id, thread_id))
        calls = [
            Call(REGISTER, registry_keys(self._prefix, *shard), (KEEP, *entries))
            for shard, entries in by_shard.items()
        ]
        await self._calls.durable_many(calls)
        if random.random() * TIDY_EVERY < 1:  # noqa: S311 - not a secret
            for shard in by_shard:
                await self._tidy(*shard)
        return began + FRESH

    async def threads(self) -> AsyncIterator[list[str]]:
        """All threads, page by page; some may be gone."""
        for first in range(0, SHARDS, SHARDS_AT_ONCE):
            after = dict.fromkeys(range(first, first + SHARDS_AT_ONCE), b"-")
            while after:
                pages = await asyncio.gather(*(self._page(*one) for one in after.items()))
                for shard, page in zip(list(after), pages, strict=True):
                    if len(page) < PAGE:
                        del after[shard]
                    else:
                        after[shard] = b"(" + page[-1]
                yield [unescape(entry) for page in pages for entry in page]

    async def pages(self, shard: int, after: bytes, limit: int) -> list[list[bytes]]:
        """The next entries of a shard; if they are its last, those of a few more shards too."""
        first = await self._page(shard, after, limit)
        if len(first) == limit:
            return [first]
        others = range(shard + 1, min(shard + SHARDS_AT_ONCE, SHARDS))
        return [first, *await asyncio.gather(*(self._page(one, b"-", limit) for one in others))]

    async def _page(self, shard: int, after: bytes, limit: int = PAGE) -> list[bytes]:
        keys = registry_keys(self._prefix, "threads", shard)
        found: list[bytes] = await self._calls.command(
            "ZRANGEBYLEX", keys.entries, after, b"+", b"LIMIT", 0, limit
        )
        return found

    async def threads_of(self, run_id: str) -> list[str]:
        """The threads with checkpoints of a run."""
        shard, score = shard_of(run_id), run_score(run_id)
        keys = registry_keys(self._prefix, "runs", shard)
        entries = await self._calls.command("ZRANGEBYSCORE", keys.entries, score, score)
        pairs = [(entry, *split_run_entry(entry)) for entry in entries]
        mine = [(entry, thread) for entry, run, thread in pairs if run == run_id]
        found, gone = [], []
        there = await self._have_runs([(thread_id, run_id) for _, thread_id in mine])
        for (entry, thread_id), is_there in zip(mine, there, strict=True):
            if is_there:
                found.append(thread_id)
            else:
                gone.append(entry)
        await self._retire("runs", shard, gone)
        return found

    async def retire_threads(self, thread_ids: Sequence[str]) -> None:
        """Remove those of the threads that are gone."""
        by_shard: dict[int, list[bytes]] = {}
        calls = [Call(NAMED, thread_keys(self._prefix, one), ()) for one in thread_ids]
        there = await self._calls.many(calls) if calls else []
        for thread_id, found in zip(thread_ids, there, strict=True):
            if not found:
                by_shard.setdefault(shard_of(thread_id), []).append(escape(thread_id))
        for shard, gone in by_shard.items():
            await self._retire("threads", shard, gone)

    async def _tidy(self, kind: str, shard: int) -> None:
        """Look at some entries, and remove those that stand for nothing."""
        keys = registry_keys(self._prefix, kind, shard)
        start = repr(random.random()).encode()  # noqa: S311 - not a secret
        (entries,) = await self._calls.many([Call(SAMPLE, keys, (start, TIDIED))])
        if kind == "threads":
            await self.retire_threads([unescape(entry) for entry in entries])
            return
        pairs = [split_run_entry(entry) for entry in entries]
        there = await self._have_runs([(thread_id, run_id) for run_id, thread_id in pairs])
        gone = [entry for entry, found in zip(entries, there, strict=True) if not found]
        await self._retire(kind, shard, gone)

    async def _have_runs(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        """Of each thread and run, whether the thread has checkpoints of it."""
        calls = [
            Call(HAS_RUN, thread_keys(self._prefix, thread_id), (run_id.encode(),))
            for thread_id, run_id in pairs
        ]
        return [bool(found) for found in await self._calls.many(calls)] if calls else []

    async def _retire(self, kind: str, shard: int, entries: Sequence[bytes]) -> None:
        if entries:
            keys = registry_keys(self._prefix, kind, shard)
            await self._calls.script(RETIRE, keys, (KEEP, *entries))
