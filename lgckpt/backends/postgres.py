"""Rows in Postgres: a pool without a lock around it, one statement a put, group commit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal, TypeVar
from uuid import UUID

import asyncpg

from lgckpt.backends import postgres_schema
from lgckpt.backends.postgres_batches import Batches
from lgckpt.backends.postgres_bulk import Bulk
from lgckpt.backends.postgres_chunks import collect
from lgckpt.backends.postgres_edits import copy_thread, edit_thread
from lgckpt.backends.postgres_expiry import Expiry
from lgckpt.backends.postgres_facts import Facts
from lgckpt.backends.postgres_names import Address, address, from_sql, quoted, to_sql
from lgckpt.backends.postgres_pool import CLOSE_TIMEOUT, Connections, PoolOptions, snapshot
from lgckpt.backends.postgres_rows import (
    BUSY,
    EXPIRED,
    STORED,
    Request,
    Statements,
    checkpoint_request,
    row_of,
    write_of,
    writes_of,
    writes_request,
)
from lgckpt.backends.postgres_scan import scan
from lgckpt.backends.postgres_waits import WaitingRoom
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
from lgckpt.watching import Watch, Whereabouts

T = TypeVar("T")


class PostgresStorage(Bulk, Facts):
    """The storage contract over asyncpg.

    Args:
        source: A `postgresql://` URL, or a pool of the caller's.
        schema: Where the tables are.
        pool: How to connect.
        replica: A URL to list and to read named checkpoints from, which may lag behind.
        group_commit: Whether concurrent puts may share a transaction.
        ttl: Seconds that a thread lives after its last put; None for ever.
        refresh_on_read: Whether reading a thread prolongs its life too.
    """

    colour: Literal["async"] = "async"

    def __init__(
        self,
        source: str | asyncpg.Pool,
        *,
        schema: str = "public",
        pool: PoolOptions | None = None,
        replica: str | None = None,
        group_commit: bool = True,
        ttl: float | None = None,
        refresh_on_read: bool = False,
    ) -> None:
        if not isinstance(source, (str, asyncpg.Pool)):
            raise ConfigurationError(
                "a Postgres saver takes a postgresql:// URL or an asyncpg.Pool, not a "
                f"{type(source).__name__}"
            )
        self._schema = schema
        self._statements = Statements(quoted(schema))
        pool = pool or PoolOptions()
        prepare = partial(postgres_schema.prepare, schema=schema)
        self._primary = Connections(source, pool, prepare)
        self._replica = self._primary if replica is None else Connections(replica, pool)
        self._gather = group_commit
        self._room = WaitingRoom(self._primary)
        self._expiry = Expiry(
            self._primary, self._room, self._statements, schema, ttl, refresh_on_read
        )
        self.loop: asyncio.AbstractEventLoop | None = (
            None if isinstance(source, str) else source._loop
        )
        self._begin()

    def _begin(self) -> None:
        self._batches = Batches(
            self._send_many,
            lambda request: self._room.run(partial(self._send_one, request)),
            gather=self._gather,
            connections=self._primary.size,
        )

    def _at(self, thread_id: str) -> Address:
        return address(self._schema, thread_id)

    async def setup(self) -> None:
        """Create the schema if it is not there; safe from many processes at once."""
        await self._primary.run(_nothing)

    def whereabouts(self) -> Whereabouts:
        """The server, unless there are several or the pool is the caller's."""
        return self._primary.whereabouts(self._schema)

    def watch(self, watch: Watch | None) -> None:
        """Tell who waited for a connection, and what is tried again."""
        self._primary.watch(watch)
        self._replica.watch(watch)

    async def close(self) -> None:
        """Close the pools but one of the caller's; safe to call again."""
        self._primary.refuse()
        await self._batches.drain(CLOSE_TIMEOUT)
        await self._expiry.close()
        await self._primary.close()
        if self._replica is not self._primary:
            await self._replica.close()

    def forget(self) -> None:
        """In a forked child: connect anew when needed."""
        self._primary.forget()
        if self._replica is not self._primary:
            self._replica.forget()
        self._room.forget()
        self._expiry.forget()
        self._begin()

    async def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""
        at = self._at(put.row.thread_id)
        return await self._store(at, checkpoint_request(at, put, self._expiry.ttl))

    async def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        at = self._at(put.rows[0].thread_id)
        requests = [
            writes_request(at, put._replace(rows=list(rows)), self._expiry.ttl)
            for _, rows in groupby(put.rows, attrgetter("task_id"))
        ]
        if len(requests) == 1:
            return await self._store(at, requests[0])
        stores = (self._store(at, request) for request in requests)
        stored = await asyncio.gather(*stores, return_exceptions=True)
        for error in stored:
            if isinstance(error, BaseException):
                raise error
        return all(stored)

    async def _store(self, at: Address, request: Request) -> bool:
        while (code := await self._batches.submit(request)) == EXPIRED:
            await self._expiry.drop(at)
        self._expiry.sweep_sometimes()
        return code == STORED

    async def _send_many(self, requests: Sequence[Request]) -> list[int]:
        arguments = [request.arguments(wait=False) for request in requests]

        async def send(connection: Any) -> list[int]:
            if len(arguments) == 1:
                return [await connection.fetchval(self._statements.store, *arguments[0])]
            rows = await connection.fetchmany(self._statements.store, arguments)
            return [row[0] for row in rows]

        return await self._primary.run(send)

    async def _send_one(self, request: Request, wait: bool) -> int | None:
        arguments = request.arguments(wait=wait)
        code: int = await self._primary.run(
            lambda connection: connection.fetchval(self._statements.store, *arguments)
        )
        return None if code == BUSY else code

    async def get(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str | None,
        wanted: Wanted = all_refs,
    ) -> Loaded | None:
        """One visible checkpoint, or the latest of the namespace."""
        tid, ns = self._at(thread_id).tid, to_sql(checkpoint_ns)
        if checkpoint_id is None:
            ask = partial(_fetch_one, self._statements.latest, (tid, ns))
        else:
            ask = partial(_fetch_one, self._statements.one, (tid, ns, to_sql(checkpoint_id)))

        async def load(connection: Any) -> tuple[list[Loaded], bool]:
            record = await ask(connection)
            if record is None:
                return [], True
            row = row_of(thread_id, checkpoint_ns, record)
            return await self._load(connection, [(tid, row, record[8:])], wanted)

        replica = self._replica if checkpoint_id is not None else self._primary
        found = await self._consistently(replica, load)
        if not found and replica is not self._primary:
            found = await self._consistently(self._primary, load)
        await self._expiry.refresh([tid])
        return found[0] if found else None

    async def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        tids = [self._at(key.thread_id).tid for key in keys]
        arguments = (
            tids,
            [to_sql(key.checkpoint_ns) for key in keys],
            [to_sql(key.checkpoint_id) for key in keys],
        )

        async def load(connection: Any) -> tuple[list[Loaded], bool]:
            found = []
            for record in await connection.fetch(self._statements.many, *arguments):
                key = keys[record[0] - 1]
                row = row_of(key.thread_id, key.checkpoint_ns, record[1:9])
                found.append((tids[record[0] - 1], row, record[9:]))
            return await self._load(connection, found, all_refs)

        found = await self._consistently(self._replica, load)
        await self._expiry.refresh(dict.fromkeys(tids))
        return found

    async def _consistently(
        self, connections: Connections, load: Callable[[Any], Awaitable[tuple[list[T], bool]]]
    ) -> list[T]:
        """Read without a transaction; if something was missing, once more as of one moment.

        It is missing if a sweep came between two statements, or if it is lost.
        """
        found, whole = await connections.run(load)
        if whole:
            return found

        async def again(connection: Any) -> tuple[list[T], bool]:
            async with snapshot(connection):
                return await load(connection)

        found, _ = await connections.run(again)
        return found

    async def _load(
        self,
        connection: Any,
        found: Sequence[tuple[UUID, CheckpointRow, Sequence[Any]]],
        wanted: Wanted,
    ) -> tuple[list[Loaded], bool]:
        """Rows with their writes and chunks; chunks that rows of a thread share are read once."""
        loaded = [(tid, row, writes_of(row, columns)) for tid, row, columns in found]
        refs: dict[UUID, bytes] = {}
        for tid, row, writes in loaded:
            mine = wanted(row) + b"".join(write.refs for write in writes)
            if mine:
                refs[tid] = refs.get(tid, b"") + mine
        chunks: Mapping[UUID, Mapping[bytes, bytes]] = {}
        whole = True
        if refs:
            chunks, whole = await collect(connection, self._statements, refs)
        return [Loaded(row, writes, chunks.get(tid, {})) for tid, row, writes in loaded], whole

    async def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        ask = (self._at(key.thread_id).tid, to_sql(key.checkpoint_ns), to_sql(key.checkpoint_id))
        record = await self._primary.run(partial(_fetch_one, self._statements.row, ask))
        return None if record is None else row_of(key.thread_id, key.checkpoint_ns, record)

    async def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""
        return await self._replica.run(
            lambda connection: scan(connection, self._statements.schema, query, self._at)
        )

    async def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """The checkpoint and its ancestors, nearest first, hidden ones too."""
        arguments = (
            self._at(key.thread_id).tid, to_sql(key.checkpoint_ns), to_sql(key.checkpoint_id), limit
        )  # fmt: skip
        records = await self._primary.run(
            lambda connection: connection.fetch(self._statements.chain, *arguments)
        )
        return [row_of(key.thread_id, key.checkpoint_ns, record) for record in records]

    async def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """Pending writes of the checkpoints to the channels, in no given order."""
        tid = self._at(thread_id).tid
        arguments = (
            tid, to_sql(checkpoint_ns), [to_sql(i) for i in ids], [to_sql(c) for c in channels]
        )  # fmt: skip

        async def load(connection: Any) -> tuple[list[Written], bool]:
            records = await connection.fetch(self._statements.writes, *arguments)
            rows = [
                write_of(thread_id, checkpoint_ns, from_sql(record[0]), record[1:])
                for record in records
            ]
            refs = b"".join(row.refs for row in rows)
            if not refs:
                return [Written(rows, {})], True
            chunks, whole = await collect(connection, self._statements, {tid: refs})
            return [Written(rows, chunks[tid])], whole

        (written,) = await self._consistently(self._primary, load)
        return written

    async def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""
        tid = self._at(thread_id).tid
        if not refs:
            return {}

        async def load(connection: Any) -> tuple[list[Mapping[bytes, bytes]], bool]:
            found, whole = await collect(connection, self._statements, {tid: refs})
            return [found[tid]], whole

        (found,) = await self._consistently(self._primary, load)
        return found

    async def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """Run `decide` in a write transaction, carry out its edit, drop unused chunks."""
        at = self._at(thread_id)

        async def attempt(wait: bool) -> bool | None:
            return await self._primary.run(
                lambda connection: edit_thread(
                    connection, self._statements, at, thread_id, decide, wait
                )
            )

        await self._room.run(attempt)

    async def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""
        ids = [to_sql(run_id) for run_id in run_ids]
        records = await self._primary.run(
            lambda connection: connection.fetch(
                self._statements.threads_of_runs, [run_id[:64] for run_id in ids], ids
            )
        )
        return [from_sql(record[0]) for record in records]

    async def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced."""
        await self._expiry.drop(self._at(target))
        old, new = self._at(source), self._at(target)
        ttl = self._expiry.ttl

        async def attempt(wait: bool) -> bool | None:
            return await self._primary.run(
                lambda connection: copy_thread(
                    connection, self._statements, old, new, target, ttl, wait
                )
            )

        await self._room.run(attempt)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""
        await self._expiry.delete(self._at(thread_id))

    async def sweep(self) -> int:
        """Delete the threads that have expired; gives how many."""
        return await self._expiry.sweep()


async def _fetch_one(statement: str, arguments: Sequence[Any], connection: Any) -> Any:
    return await connection.fetchrow(statement, *arguments)


async def _nothing(_: Any) -> None:
    """Connecting alone has the schema made."""
