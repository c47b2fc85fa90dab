"""Whole threads in and out of Postgres: a page is a few statements of one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from lgckpt.backends.postgres_edits import reclaim
from lgckpt.backends.postgres_expiry import Expiry
from lgckpt.backends.postgres_loads import Load
from lgckpt.backends.postgres_names import Address, from_sql, to_sql
from lgckpt.backends.postgres_pool import Connections, snapshot
from lgckpt.backends.postgres_rows import EXPIRED, ROW, STORED, WRITE, Statements, row_of, write_of
from lgckpt.backends.postgres_waits import WaitingRoom
from lgckpt.bulk import (
    Batch,
    ChunkPage,
    Known,
    Mark,
    Place,
    Room,
    ThreadPage,
    claiming,
    wholes,
)
from lgckpt.chunks import Frames, awalk, collecting
from lgckpt.rows import Chunk

NIL = UUID(int=0)

_THREADS = (
    "SELECT t.tid, t.thread_id FROM {schema}.lgckpt_threads AS t"
    " WHERE t.tid > $1 AND (t.expires_at IS NULL OR t.expires_at > now())"
    " AND (EXISTS (SELECT 1 FROM {schema}.lgckpt_checkpoints AS c WHERE c.tid = t.tid)"
    " OR EXISTS (SELECT 1 FROM {schema}.lgckpt_writes AS w WHERE w.tid = t.tid))"
    " ORDER BY t.tid LIMIT $2"
)

_KNOWN = "SELECT tid FROM {schema}.lgckpt_threads WHERE tid = ANY ($1::uuid[])"

_LIVES = (
    "NOT EXISTS (SELECT 1 FROM {schema}.lgckpt_threads AS t"
    " WHERE t.tid = $1 AND t.expires_at <= now())"
)

_PLACES_OF = (
    "(SELECT {distinct} checkpoint_ns, checkpoint_id FROM {{schema}}.lgckpt_{table}"
    " WHERE tid = $1 AND (checkpoint_ns, checkpoint_id) {{above}} ($2, $3)"
    " ORDER BY checkpoint_ns, checkpoint_id LIMIT $4)"
)
_MARKS = (
    f"WITH p AS ({_PLACES_OF.format(distinct='', table='checkpoints')}"
    f" UNION {_PLACES_OF.format(distinct='DISTINCT', table='writes')}"
    " ORDER BY checkpoint_ns, checkpoint_id LIMIT $4)"
    " SELECT p.checkpoint_ns, p.checkpoint_id, c.etag, coalesce(c.flags, 0),"
    " (SELECT count(*) FROM {schema}.lgckpt_writes AS w WHERE w.tid = $1"
    " AND w.checkpoint_ns = p.checkpoint_ns AND w.checkpoint_id = p.checkpoint_id)"
    " FROM p LEFT JOIN {schema}.lgckpt_checkpoints AS c ON c.tid = $1"
    " AND c.checkpoint_ns = p.checkpoint_ns AND c.checkpoint_id = p.checkpoint_id"
    f" WHERE {_LIVES} ORDER BY p.checkpoint_ns, p.checkpoint_id"
)

_AT = (
    "SELECT d.* FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (ns, id, n)"
    " CROSS JOIN LATERAL (SELECT checkpoint_ns, checkpoint_id, {columns}"
    " FROM {{schema}}.lgckpt_{table} WHERE tid = $1"
    " AND checkpoint_ns = k.ns AND checkpoint_id = k.id OFFSET 0) AS d"
    f" WHERE {_LIVES.replace('{schema}', '{{schema}}')} ORDER BY k.n{{order}}"
)
"""OFFSET 0 has each place looked up by its key, whatever the planner takes a thread to hold."""

_ROWS_AT = _AT.format(columns=ROW, table="checkpoints", order="")
_WRITES_AT = _AT.format(columns=WRITE, table="writes", order=", d.task_id, d.idx")

_CHUNK_PAGE = (
    "SELECT hash, frame FROM {schema}.lgckpt_chunks"
    f" WHERE tid = $1 AND hash > $2 AND {_LIVES} ORDER BY hash LIMIT $3"
)


class Bulk:
    """The bulk verbs of `PostgresStorage`."""

    _statements: Statements
    _primary: Connections
    _room: WaitingRoom
    _expiry: Expiry

    def _at(self, thread_id: str) -> Address:
        raise NotImplementedError

    def _query(self, text: str, **words: str) -> str:
        return text.format(schema=self._statements.schema, **words)

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        found: list[Any] = await self._primary.run(
            lambda connection: connection.fetch(query, *arguments)
        )
        return found

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads that have rows, by hash of their names, which is the cursor."""
        found = await self._fetch(self._query(_THREADS), UUID(after) if after else NIL, limit)
        names = [from_sql(name) for _, name in found]
        return ThreadPage(names, str(found[-1][0]) if found and len(found) == limit else None)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, by namespace, then id."""
        place = ("", "") if after is None else (to_sql(after[0]), to_sql(after[1]))
        query = self._query(_MARKS, above=">=" if after is None else ">")
        found = await self._fetch(query, self._at(thread_id).tid, *place, limit)
        return [Mark(from_sql(ns), from_sql(one), *rest) for ns, one, *rest in found]

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, and the chunks it needs but for those that are known."""
        return await self._primary.run(partial(self._read, thread_id, places, known))

    async def _read(
        self, thread_id: str, places: Sequence[Place], known: Known, connection: Any
    ) -> Batch:
        tid = self._at(thread_id).tid
        at = (tid, [to_sql(ns) for ns, _ in places], [to_sql(one) for _, one in places])
        known, claims = claiming(known)

        async def some(wanted: list[bytes]) -> Frames:
            return dict(await connection.fetch(self._statements.chunks, tid, wanted))

        async with snapshot(connection):
            records = await connection.fetch(self._query(_ROWS_AT), *at)
            rows = [row_of(thread_id, from_sql(ns), rest) for ns, *rest in records]
            records = await connection.fetch(self._query(_WRITES_AT), *at)
            writes = [
                write_of(thread_id, from_sql(ns), from_sql(one), rest) for ns, one, *rest in records
            ]
            steps = collecting(Batch(rows, writes).refs, sweeps=False, known=known)
            chunks = await awalk(steps, some)
        return Batch(rows, writes, [Chunk(*one) for one in chunks.items()], list(claims))

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction; rows and writes of the same key are replaced.

        False, and nothing stored, if a claim does not hold.

        Raises:
            ConfigurationError: A key is too long.
        """
        at = self._at(thread_id)
        load = Load(at, thread_id, self._expiry.ttl, batch)

        async def attempt(wait: bool) -> int | None:
            return await self._primary.run(partial(load.run, self._statements.schema, wait))

        while (code := await self._room.run(attempt)) == EXPIRED:
            await self._expiry.drop(at)
        self._expiry.sweep_sometimes()
        return code == STORED

    async def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it, not even what has expired."""
        tids = [self._at(thread_id).tid for thread_id in thread_ids]
        found = {row[0] for row in await self._fetch(self._query(_KNOWN), tids)}
        return [tid not in found for tid in tids]

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many of these threads as there is room for."""
        return await wholes(self, thread_ids, room)

    async def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads, a transaction each."""
        return [await self.load(*one) for one in loads]

    async def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """A page of a thread's chunks, by hash."""
        tid = self._at(thread_id).tid
        found = await self._fetch(self._query(_CHUNK_PAGE), tid, bytes.fromhex(after), limit)
        page = [Chunk(*one) for one in found]
        return ChunkPage(page, page[-1].hash.hex() if page and len(page) == limit else None)

    async def reclaim(self, thread_id: str) -> int:
        """Drop the thread's chunks that no row needs; gives how many."""
        at = self._at(thread_id)

        async def attempt(wait: bool) -> int | None:
            return await self._primary.run(
                lambda connection: reclaim(connection, self._statements, at, wait)
            )

        return await self._room.run(attempt)
