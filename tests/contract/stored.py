"""What a saver's storage holds, read behind the saver's back: to measure it, and to walk it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lgckpt.backends.memory import MemoryStorage
from lgckpt.backends.postgres import PostgresStorage
from lgckpt.backends.postgres_names import from_sql, to_sql
from lgckpt.backends.postgres_rows import ROW, WRITE, row_of, write_of
from lgckpt.backends.redis import RedisStorage
from lgckpt.backends.sqlite import SqliteStorage
from lgckpt.core import core
from lgckpt.rows import REF_SIZE, CheckpointRow, WriteRow
from lgckpt.saver import Saver
from tests.services import redis_rows
from tests.services.postgres_schemas import connected


@dataclass(frozen=True)
class Stored:
    """Every row; chunks by thread and hash."""

    checkpoints: list[CheckpointRow]
    writes: list[WriteRow]
    chunks: dict[str, dict[bytes, bytes]]

    @property
    def payload(self) -> int:
        """Bytes of all values, metadata, references and chunks; keys are not counted."""
        rows = sum(len(r.metadata) + len(r.state) + len(r.refs) for r in self.checkpoints)
        writes = sum(len(w.value) + len(w.refs) for w in self.writes)
        frames = (f for chunks in self.chunks.values() for f in chunks.values())
        return rows + writes + sum(map(len, frames))

    @property
    def count(self) -> int:
        """How many chunks there are."""
        return sum(map(len, self.chunks.values()))


def stored(saver: Saver) -> Stored:
    storage = saver._handle.storage
    return READERS[type(storage).__name__](storage)


def _of_memory(storage: MemoryStorage) -> Stored:
    threads = storage._all
    return Stored(
        [row for thread in threads.values() for row in thread.rows.values()],
        [
            write
            for thread in threads.values()
            for batch in thread.writes.values()
            for write in batch.values()
        ],
        {name: dict(thread.chunks) for name, thread in threads.items()},
    )


def _of_sqlite(storage: SqliteStorage) -> Stored:
    with storage._write() as connection:
        names = dict(connection.execute("SELECT tid, thread_id FROM lgckpt_threads").fetchall())
        # Rows of a thread that expired are as good as deleted; nobody else lacks a name.
        rest = " WHERE tid NOT IN (SELECT tid FROM lgckpt_gone)"
        checkpoints = connection.execute(
            "SELECT tid, checkpoint_ns, checkpoint_id, parent_id, run_id, flags, etag, metadata,"
            f" state, refs FROM lgckpt_checkpoints{rest}"
        ).fetchall()
        writes = connection.execute(
            "SELECT tid, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, tag,"
            f" value, refs FROM lgckpt_writes{rest}"
        ).fetchall()
        frames = connection.execute(f"SELECT tid, hash, frame FROM lgckpt_chunks{rest}").fetchall()
    chunks: dict[str, dict[bytes, bytes]] = {}
    for tid, key, frame in frames:
        chunks.setdefault(names[tid], {})[key] = frame
    return Stored(
        [CheckpointRow(names[row[0]], *row[1:]) for row in checkpoints],
        [WriteRow(names[row[0]], *row[1:]) for row in writes],
        chunks,
    )


def _of_postgres(storage: PostgresStorage) -> Stored:
    with connected(storage) as connection:
        names = {
            tid: from_sql(name)
            for tid, name in connection.execute("SELECT tid, thread_id FROM lgckpt_threads")
        }
        checkpoints = connection.execute(
            f"SELECT tid, checkpoint_ns, checkpoint_id, {ROW} FROM lgckpt_checkpoints"
        ).fetchall()
        writes = connection.execute(
            f"SELECT tid, checkpoint_ns, checkpoint_id, {WRITE} FROM lgckpt_writes"
        ).fetchall()
        frames = connection.execute("SELECT tid, hash, frame FROM lgckpt_chunks").fetchall()
    chunks: dict[str, dict[bytes, bytes]] = {}
    for tid, key, frame in frames:
        chunks.setdefault(names[tid], {})[key] = frame
    return Stored(
        [row_of(names[row[0]], from_sql(row[1]), row[2:]) for row in checkpoints],
        [write_of(names[row[0]], *map(from_sql, row[1:3]), row[3:]) for row in writes],
        chunks,
    )


def _of_redis(storage: RedisStorage) -> Stored:
    with redis_rows.client_of(storage) as (client, prefix):
        names = redis_rows.threads(client, prefix)
        return Stored(
            [row for name in names for row in redis_rows.rows(client, prefix, name)],
            [write for name in names for write in redis_rows.writes(client, prefix, name)],
            {name: redis_rows.chunks(client, prefix, name) for name in names},
        )


def used(found: Stored) -> dict[str, set[bytes]]:
    """For each thread, the hashes of all chunks that its rows need, directly or not."""
    needed: dict[str, set[bytes]] = {}
    for row in (*found.checkpoints, *found.writes):
        hashes = needed.setdefault(row.thread_id, set())
        queue = [*_refs(row.refs)]
        while queue:
            level, key = queue.pop()
            if key in hashes:
                continue
            hashes.add(key)
            frame = found.chunks.get(row.thread_id, {}).get(key)
            if level and frame is not None:
                queue.extend(_refs(core.children(level, frame)))
    return needed


def _refs(refs: bytes) -> list[tuple[int, bytes]]:
    return [(refs[i], bytes(refs[i + 1 : i + REF_SIZE])) for i in range(0, len(refs), REF_SIZE)]


def assert_nothing_missing(saver: Saver) -> None:
    found = stored(saver)
    for thread, needed in used(found).items():
        assert needed <= found.chunks.get(thread, {}).keys(), f"dangling reference in {thread!r}"


def assert_nothing_unused(saver: Saver) -> None:
    found = stored(saver)
    needed = used(found)
    for thread, chunks in found.chunks.items():
        assert chunks.keys() <= needed.get(thread, set()), f"unused chunks in {thread!r}"


def drop_chunks(saver: Saver, thread_id: str) -> None:
    """Lose the chunks of a thread, as only damage can."""
    storage = saver._handle.storage
    DROPPERS[type(storage).__name__](storage, thread_id)


def _drop_of_memory(storage: MemoryStorage, thread_id: str) -> None:
    storage._all[thread_id].chunks.clear()


def _drop_of_sqlite(storage: SqliteStorage, thread_id: str) -> None:
    with storage._write() as connection:
        connection.execute(
            "DELETE FROM lgckpt_chunks"
            " WHERE tid = (SELECT tid FROM lgckpt_threads WHERE thread_id = ?)",
            (thread_id,),
        )


def _drop_of_postgres(storage: PostgresStorage, thread_id: str) -> None:
    with connected(storage) as connection:
        connection.execute(
            "DELETE FROM lgckpt_chunks"
            " WHERE tid = (SELECT tid FROM lgckpt_threads WHERE thread_id = %s)",
            (to_sql(thread_id),),
        )


READERS: dict[str, Callable[[Any], Stored]] = {
    "MemoryStorage": _of_memory,
    "PostgresStorage": _of_postgres,
    "RedisStorage": _of_redis,
    "SqliteStorage": _of_sqlite,
}
DROPPERS: dict[str, Callable[[Any, str], None]] = {
    "MemoryStorage": _drop_of_memory,
    "PostgresStorage": _drop_of_postgres,
    "RedisStorage": redis_rows.drop_chunks,
    "SqliteStorage": _drop_of_sqlite,
}
