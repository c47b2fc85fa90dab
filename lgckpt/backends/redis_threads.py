"""One thread in Redis: rows, writes and chunks read as of one moment, and stored at once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeVar

from lgckpt.backends.redis_calls import Call, Calls
from lgckpt.backends.redis_folding import fold
from lgckpt.backends.redis_keys import (
    ThreadKeys,
    place,
    place_and_shelf,
    task_prefix,
    thread_keys,
)
from lgckpt.backends.redis_registry import Registry
from lgckpt.backends.redis_rows import pack_head, pack_write
from lgckpt.backends.redis_scripts import STORE
from lgckpt.chunks import Frames, Walk, awalk
from lgckpt.errors import StorageError
from lgckpt.rows import CheckpointRow, Chunk, ParentClaim, WriteRow

T = TypeVar("T")
W = TypeVar("W")

ATTEMPTS = 32
"""How often a read is begun again while sweeps go on under it."""

LOCKED_FOR = 60.0
"""Seconds after which a put gives up on a thread that others keep locked."""

REFUSED, STORED, LOCKED, UNREGISTERED = range(4)

VERSIONS = 2**50
"""Threads start at a random version below, so that one made anew is not taken for the old."""


class Swept(Exception):
    """Chunks were dropped since the rows were read that may refer to them."""


class Moment(NamedTuple):
    """When rows were read: the thread's epoch, and how many chunks it had."""

    epoch: bytes | None
    chunks: int


class Batch(NamedTuple):
    """What one store script stores, all or nothing.

    Attributes:
        mode: "put", or for writes "upsert" or "ignore"; "copy" never hides a visible row, "load"
            leaves every row and write as it is here.
        parent: See `lgckpt.rows.PutCheckpoint`; only with a single row.
    """

    mode: str
    rows: Sequence[CheckpointRow] = ()
    writes: Sequence[WriteRow] = ()
    chunks: Sequence[Chunk] = ()
    parent: ParentClaim | None = None
    claims: Sequence[bytes] = ()


class Space:
    """What all threads of one storage have in common.

    Args:
        calls: The server.
        prefix: Of every key.
        ttl_ms: How long a thread lives after its last write, in milliseconds; 0 for ever.
        refresh: Whether reading renews that.
    """

    def __init__(self, calls: Calls, prefix: str, ttl_ms: int, refresh: bool) -> None:
        self.calls = calls
        self.prefix = prefix
        self.ttl_ms = ttl_ms
        self.read_ttl_ms = ttl_ms if refresh else 0
        self.registry = Registry(calls, prefix)

    def keys(self, thread_id: str) -> ThreadKeys:
        """The keys of a thread."""
        return thread_keys(self.prefix, thread_id)

    async def store(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch; False, and nothing stored, if a claim does not hold.

        Raises:
            StorageError: Others kept the thread locked.
        """
        keys, tail, runs = self.keys(thread_id), _arguments(batch), _runs(batch)
        likely_new = batch.mode == "copy" or any(row.parent_id is None for row in batch.rows)
        fresh_until = await self.registry.register(thread_id, runs) if likely_new else 0.0
        began, pause = time.monotonic(), 0.002
        while True:
            fresh = time.monotonic() < fresh_until
            head = self._head(thread_id, batch, fresh=fresh)
            code = await self.calls.durable(STORE, keys, (*head, *tail))
            if code in (REFUSED, STORED):
                return bool(code == STORED)
            if code == UNREGISTERED:
                fresh_until = await self.registry.register(thread_id, runs)
                continue
            if time.monotonic() - began > LOCKED_FOR:
                raise StorageError(f"Redis at {self.calls.name}: thread {thread_id!r} stays locked")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)

    async def store_many(self, batches: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads, which are likely to be new.

        Raises:
            StorageError: Others kept a thread locked.
        """
        if not batches:
            return []
        await self.registry.register_many([(name, _runs(batch)) for name, batch in batches])
        calls = []
        for thread_id, batch in batches:
            args = (*self._head(thread_id, batch, fresh=True), *_arguments(batch))
            calls.append(Call(STORE, self.keys(thread_id), args))
        codes = await self.calls.durable_many(calls)
        return [
            code == STORED if code in (REFUSED, STORED) else await self.store(*one)
            for code, one in zip(codes, batches, strict=True)
        ]

    def _head(self, thread_id: str, batch: Batch, *, fresh: bool) -> tuple[bytes | int, ...]:
        parent, etag = b"", b""
        if batch.parent is not None:
            parent = place(batch.rows[0].checkpoint_ns, batch.parent.checkpoint_id)
            etag = batch.parent.etag
        return (
            batch.mode.encode(),
            int(fresh),
            secrets.randbelow(VERSIONS),
            thread_id.encode() if fresh else b"",
            self.ttl_ms,
            new_epoch(),
            parent,
            etag,
        )

    async def as_of_one_moment(self, read: Callable[[], Awaitable[T]]) -> T:
        """Run a read of rows and their chunks, again if chunks were dropped in between."""
        for _ in range(ATTEMPTS - 1):
            try:
                return await read()
            except Swept:
                continue
        try:
            return await read()
        except Swept as exc:
            raise StorageError(
                f"Redis at {self.calls.name}: a thread kept changing: {ATTEMPTS} reads of it"
            ) from exc

    async def take(self, keys: ThreadKeys, steps: Walk[W], moment: Moment) -> W:
        """Take a walk through a thread's chunks as they were at a moment.

        Raises:
            Swept: They are no longer.
        """
        epoch = moment.epoch

        async def some(wanted: list[bytes]) -> Frames:
            nonlocal epoch
            found = await self.calls.command("HMGET", keys.chunks, b"e", *wanted)
            now = found[0] or b""
            if epoch is not None and now != epoch:
                raise Swept
            epoch = now
            pairs = zip(wanted, found[1:], strict=True)
            return {name: frame for name, frame in pairs if frame is not None}

        async def every(most: int) -> Frames | None:
            if epoch is None or moment.chunks > most + 1:
                return None
            found: dict[bytes, bytes] = await self.calls.command("HGETALL", keys.chunks)
            if found.pop(b"e", b"") != epoch:
                raise Swept
            return found

        return await awalk(steps, some, every)


def new_epoch() -> bytes:
    """An epoch that was never there before."""
    return secrets.token_bytes(8)


def _runs(batch: Batch) -> set[str]:
    return {row.run_id for row in batch.rows if row.run_id is not None}


def _arguments(batch: Batch) -> list[bytes]:
    """All that the store script takes after its first arguments: five lists, folded."""
    runs = {row.run_id.encode() for row in batch.rows if row.run_id is not None}
    items = [b"%d" % len(batch.claims), *batch.claims, b"%d" % len(runs), *runs]
    items.append(b"%d" % len(batch.chunks))
    for chunk in batch.chunks:
        items += chunk
    items.append(b"%d" % len(batch.rows))
    for row in batch.rows:
        items += (*place_and_shelf(row[1], row[2]), pack_head(row), row.state)
    items.append(b"%d" % len(batch.writes))
    for where_and_task, writes in groupby(batch.writes, itemgetter(1, 2, 3)):
        first = task_prefix(*where_and_task)
        for write in writes:
            items += (b"%b%d" % (first, write.idx), pack_write(write))
    return fold(items)
