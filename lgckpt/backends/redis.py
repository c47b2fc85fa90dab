"""Rows in Redis or Valkey: core commands only, a thread in one slot, a put in one script."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lgckpt.backends import redis_bulk
from lgckpt.backends.redis_calls import Call, Calls, Replicas
from lgckpt.backends.redis_clients import Options, source
from lgckpt.backends.redis_copying import copy
from lgckpt.backends.redis_edits import edit
from lgckpt.backends.redis_facts import Facts
from lgckpt.backends.redis_keys import escape, namespace, place, shelf, split_place
from lgckpt.backends.redis_listing import scan
from lgckpt.backends.redis_rows import unpack_row, unpack_writes
from lgckpt.backends.redis_scripts import CHAIN, GET, WRITES
from lgckpt.backends.redis_threads import Batch, Moment, Space
from lgckpt.bulk import Batch as BulkBatch
from lgckpt.bulk import ChunkPage, Known, Mark, Place, Room, ThreadPage, wholes
from lgckpt.chunks import collecting
from lgckpt.errors import ConfigurationError
from lgckpt.rows import (
    CheckpointKey,
    CheckpointRow,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    ScanQuery,
    Written,
)
from lgckpt.storage import Decide, Wanted, all_refs
from lgckpt.telling import tell
from lgckpt.watching import Watch, Whereabouts

logger = logging.getLogger(__name__)

CLOSE_LIMIT = 5.0
"""Seconds that closing waits for commands under way; none is begun any more."""

CHAIN_PAGE = 64
CHAIN_ROOM = 4 * 1024 * 1024
"""Bytes after which a script that walks up a chain stops, to be called again."""

WRITES_PAGE = 64
"""Checkpoints whose writes one script gives."""


class RedisStorage(Facts):
    """The storage contract over redis-py.

    Args:
        target: A URL or a redis-py client; see `lgckpt.backends.redis_clients.source`.
        prefix: Of every key; without braces.
        ttl: How long a thread lives after its last write, in seconds; None for ever.
        refresh_on_read: Whether reading a checkpoint renews that.
        wait: See `Replicas`: (how many, milliseconds), or None.
        retry_for: For how many seconds a command is tried again while the server is away.
        options: How connections are made.

    Raises:
        ConfigurationError: An option makes no sense.
    """

    colour: Literal["async"] = "async"

    def __init__(
        self,
        target: object,
        *,
        prefix: str = "lgckpt",
        ttl: float | None = None,
        refresh_on_read: bool = False,
        wait: tuple[int, int] | None = None,
        retry_for: float = 15.0,
        options: Options | None = None,
    ) -> None:
        options = options or Options()
        found = source(target, options)
        self.loop: asyncio.AbstractEventLoop | None = found.loop
        calls = Calls(found, retry_for, _replicas(wait, options))
        self._calls = calls
        ttl_ms = 0 if ttl is None else round(ttl * 1000)
        self._space = Space(calls, _checked(prefix), ttl_ms, refresh_on_read)

    async def setup(self) -> None:
        """Reach the server; there is nothing to create.

        Logs a warning where the server is set to drop data once its memory is full.
        """
        info = await self._calls.info()
        policy = str(info.get("maxmemory_policy", "noeviction"))
        drops = policy.startswith("allkeys") or (
            policy.startswith("volatile") and self._space.ttl_ms > 0
        )
        if info.get("maxmemory") and drops:
            tell(
                logger,
                logging.WARNING,
                "eviction",
                "Redis at %s drops keys once its memory is full (maxmemory-policy %s): "
                "checkpoints are lost then; set it to noeviction",
                self._calls.name,
                policy,
                database=self._calls.name,
                policy=policy,
            )

    async def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""
        batch = Batch("put", [put.row], (), put.chunks, put.parent, put.claims)
        return await self._space.store(put.row.thread_id, batch)

    async def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        mode = "upsert" if put.upsert else "ignore"
        batch = Batch(mode, (), put.rows, put.chunks, None, put.claims)
        return await self._space.store(put.rows[0].thread_id, batch)

    async def get(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str | None,
        wanted: Wanted = all_refs,
    ) -> Loaded | None:
        """One visible checkpoint, or the latest of the namespace."""
        keys = self._space.keys(thread_id)
        call = self._get_call(thread_id, checkpoint_ns, checkpoint_id)

        async def read() -> Loaded | None:
            reply = await self._calls.script(*call)
            if reply is None:
                return None
            found, moment = _loaded(thread_id, reply)
            refs = wanted(found.row) + b"".join(w.refs for w in found.writes)
            if not refs:
                return found
            chunks = await self._space.take(keys, collecting(refs), moment)
            return found._replace(chunks=chunks)

        return await self._space.as_of_one_moment(read)

    def _get_call(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str | None) -> Call:
        latest = checkpoint_id is None
        name = namespace(checkpoint_ns) if latest else place(checkpoint_ns, checkpoint_id or "")
        return Call(GET, self._space.keys(thread_id), (int(latest), name, self._space.read_ttl_ms))

    async def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        by_thread: dict[str, list[CheckpointKey]] = {}
        for key in keys:
            by_thread.setdefault(key.thread_id, []).append(key)
        found: dict[CheckpointKey, Loaded] = {}
        for thread_id, mine in by_thread.items():
            for one in await self._of_thread(thread_id, mine):
                found[one.row.key] = one
        return [found[key] for key in keys if key in found]

    async def _of_thread(self, thread_id: str, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Checkpoints of one thread; chunks they have in common are read once."""
        calls = [self._get_call(*key) for key in keys]

        async def read() -> list[Loaded]:
            replies = [r for r in await self._calls.many(calls) if r is not None]
            pairs = [_loaded(thread_id, reply) for reply in replies]
            refs = b"".join(one.row.refs + b"".join(w.refs for w in one.writes) for one, _ in pairs)
            if not refs:
                return [one for one, _ in pairs]
            # Read one after the other: what the first one saw must still be so at the end.
            moment = Moment(pairs[0][1].epoch, pairs[-1][1].chunks)
            chunks = await self._space.take(self._space.keys(thread_id), collecting(refs), moment)
            return [one._replace(chunks=chunks) for one, _ in pairs]

        return await self._space.as_of_one_moment(read)

    async def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        name = place(*key[1:])
        head, state = await self._calls.command(
            "HMGET", self._space.keys(key.thread_id).data, b"h" + name, b"s" + name
        )
        return None if head is None else unpack_row(key, head, state or b"")

    async def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""
        return await scan(self._space, query)

    async def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """The checkpoint and its ancestors, nearest first, hidden ones too."""
        rows: list[CheckpointRow] = []
        keys, next_id = self._space.keys(key.thread_id), key.checkpoint_id
        while len(rows) < limit:
            most = min(limit - len(rows), CHAIN_PAGE)
            args = (escape(next_id), escape(key.checkpoint_ns), most, CHAIN_ROOM)
            reply = await self._calls.script(CHAIN, keys, args)
            for i in range(0, len(reply), 3):
                found = CheckpointKey(key.thread_id, *split_place(reply[i]))
                rows.append(unpack_row(found, reply[i + 1], reply[i + 2]))
            if not reply or rows[-1].parent_id is None:
                break
            next_id = rows[-1].parent_id
        return rows

    async def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """Pending writes of the checkpoints to the channels, in no given order."""
        keys = self._space.keys(thread_id)
        names = [shelf(checkpoint_ns, one) for one in ids]
        pages = [names[i : i + WRITES_PAGE] for i in range(0, len(names), WRITES_PAGE)]
        wanted = [channel.encode() for channel in channels]
        calls = [Call(WRITES, keys, (len(page), *page, *wanted)) for page in pages]

        async def read() -> Written:
            rows, moment = [], Moment(b"", 0)
            for i, call in enumerate(calls):
                epoch, count, members, values = await self._calls.script(*call)
                moment = Moment(moment.epoch if i else epoch, count)
                rows += unpack_writes(thread_id, members, values)
            refs = b"".join(write.refs for write in rows)
            if not refs:
                return Written(rows, {})
            return Written(rows, await self._space.take(keys, collecting(refs), moment))

        return await self._space.as_of_one_moment(read)

    async def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""
        keys = self._space.keys(thread_id)

        async def read() -> Mapping[bytes, bytes]:
            return await self._space.take(keys, collecting(refs), Moment(None, 0))

        return await self._space.as_of_one_moment(read)

    async def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """Run `decide` on the thread as it is at one moment, carry out its edit, drop chunks."""
        await edit(self._space, thread_id, decide)

    async def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""
        found: dict[str, None] = {}
        for run_id in run_ids:
            found.update(dict.fromkeys(await self._space.registry.threads_of(run_id)))
        return list(found)

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced, none hidden by it."""
        await copy(self._space, source, target)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""
        await self._calls.command("UNLINK", *self._space.keys(thread_id))
        await self._space.registry.retire_threads([thread_id])

    async def sweep(self) -> int:
        """Nothing: Redis drops what has expired by itself."""
        return 0

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads that have rows, shard by shard of the registry."""
        return await redis_bulk.threads(self._space, after, limit)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, by namespace, then id."""
        return await redis_bulk.marks(self._space, thread_id, after, limit)

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> BulkBatch:
        """All that is at these places, and the chunks it needs but for those that are known."""
        return await redis_bulk.fetch(self._space, thread_id, places, known)

    async def load(self, thread_id: str, batch: BulkBatch) -> bool:
        """Store a batch in one script; rows and writes of the same key are replaced."""
        return await redis_bulk.load(self._space, thread_id, batch)

    async def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it."""
        return await redis_bulk.vacant(self._space, thread_ids)

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[BulkBatch | None]:
        """The whole of as many of these threads as there is room for."""
        return await wholes(self, thread_ids, room)

    async def load_threads(self, loads: Sequence[tuple[str, BulkBatch]]) -> list[bool]:
        """Store a batch of each of several threads, a script each, all sent at once."""
        return await redis_bulk.load_threads(self._space, loads)

    async def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """About so many of a thread's chunks."""
        return await redis_bulk.chunk_page(self._space, thread_id, after, limit)

    async def reclaim(self, thread_id: str) -> int:
        """Drop the thread's chunks that no row needs; gives how many."""
        return await redis_bulk.reclaim(self._space, thread_id)

    def whereabouts(self) -> Whereabouts:
        """The server, unless Sentinels or a cluster say which it is."""
        return self._calls.whereabouts()

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for a connection, and what is tried again."""
        self._calls.watch(watch)

    async def close(self) -> None:
        """Let what is under way come to an end, and close the client unless it is the caller's."""
        self._calls.refuse()
        if self.loop is None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=CLOSE_LIMIT)
        await self._calls.close()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connections, touching none of them."""
        self._calls.forget()


def _loaded(thread_id: str, reply: Sequence[Any]) -> tuple[Loaded, Moment]:
    """A get script's reply, without the chunks."""
    name, head, state, epoch, count, members, values = reply
    row = unpack_row(CheckpointKey(thread_id, *split_place(name)), head, state)
    return Loaded(row, unpack_writes(thread_id, members, values), {}), Moment(epoch, count)


def _replicas(wait: tuple[int, int] | None, options: Options) -> Replicas | None:
    if wait is None:
        return None
    count, timeout_ms = wait
    if count < 1 or timeout_ms < 1:
        raise ConfigurationError("wait is (replicas, milliseconds), both above 0")
    if options.socket_timeout is not None and timeout_ms >= options.socket_timeout * 1000:
        raise ConfigurationError("wait is longer than socket_timeout, which would cut it short")
    return Replicas(count, timeout_ms)


def _checked(prefix: str) -> str:
    if not prefix or set("{}") & set(prefix):
        raise ConfigurationError("prefix is not empty and has no braces, which name cluster slots")
    return prefix
