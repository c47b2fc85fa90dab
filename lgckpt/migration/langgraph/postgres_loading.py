"""A batch into LangGraph's Postgres tables: a few statements, whatever its size."""

from __future__ import annotations

from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.bulk import Batch
from lgckpt.errors import CorruptCheckpointError, FrameError
from lgckpt.migration.langgraph import postgres_schema as schema
from lgckpt.migration.langgraph.postgres_rows import check_names, split
from lgckpt.migration.langgraph.unpacking import Unpacker
from lgckpt.reading import named
from lgckpt.rows import CheckpointKey, CheckpointRow, WriteRow

FLUSH_BYTES = 4 * 1024 * 1024
"""About how much of the values one statement takes."""

_Name = tuple[str, str, str]
"""Of a blob: namespace, channel, version."""


async def store(
    connection: Any, thread_id: str, batch: Batch, serde: SerializerProtocol | None
) -> None:
    """Store a batch, in the transaction that is open; what has the same key is replaced.

    Raises:
        CorruptCheckpointError: A row is damaged, or these tables cannot hold it.
    """
    unpacker = Unpacker(batch, serde)
    await _store_checkpoints(connection, thread_id, batch.rows, unpacker)
    await _store_writes(connection, thread_id, batch.writes, unpacker)


async def _store_checkpoints(
    connection: Any, thread_id: str, rows: Any, unpacker: Unpacker
) -> None:
    blobs = _Columns(thread_id, schema.STORE_BLOBS)
    checkpoints = _Columns(thread_id, schema.STORE_CHECKPOINTS)
    # What a version's value was sent as. One that was written again may have other bytes: a set
    # has its items in any order, and a newer release of a class its own fields. The first stays.
    sent: dict[_Name, tuple[str, bytes]] = {}
    counted: set[_Name] = set()

    async def flush() -> None:
        for name in await blobs.flush(connection):
            if tuple(name) in counted:
                raise _two_values(thread_id, *name)
        await checkpoints.flush(connection)
        sent.clear()

    for row in rows:
        _check(row.key, row.parent_id or "")
        made = split(unpacker, unpacker.row(row))
        for channel, version, tag, data in made.blobs:
            name = (row.checkpoint_ns, channel, version)
            if channel in made.counted:
                counted.add(name)
            if name not in sent:
                blobs.add(len(data), *name, tag, data)
                sent[name] = tag, data
            elif name in counted and sent[name] != (tag, data):
                raise _two_values(thread_id, *name)
        checkpoints.add(
            len(made.checkpoint),
            row.checkpoint_ns,
            row.checkpoint_id,
            row.parent_id,
            made.checkpoint,
            made.metadata,
        )
        if blobs.size + checkpoints.size > FLUSH_BYTES:
            await flush()
    await flush()


async def _store_writes(connection: Any, thread_id: str, writes: Any, unpacker: Unpacker) -> None:
    columns = _Columns(thread_id, schema.STORE_WRITES)
    for row in writes:
        data = unpacker.write(row)
        _check(_key(row), row.task_id, row.task_path, row.channel)
        columns.add(len(data), *row[1:8], data)
        if columns.size > FLUSH_BYTES:
            await columns.flush(connection)
    await columns.flush(connection)


class _Columns:
    """Rows to store with one statement that takes a column an argument."""

    def __init__(self, thread_id: str, statement: str) -> None:
        self._thread_id = thread_id
        self._statement = statement
        self._rows: list[tuple[Any, ...]] = []
        self.size = 0

    def add(self, size: int, *row: Any) -> None:
        """Add a row of about so many bytes."""
        self._rows.append(row)
        self.size += size + 100

    async def flush(self, connection: Any) -> list[Any]:
        """Store what was added; gives what the statement does."""
        rows, self._rows, self.size = self._rows, [], 0
        if not rows:
            return []
        columns = map(list, zip(*rows, strict=True))
        found: list[Any] = await connection.fetch(self._statement, self._thread_id, *columns)
        return found


def _key(row: CheckpointRow | WriteRow) -> CheckpointKey:
    return CheckpointKey(row.thread_id, row.checkpoint_ns, row.checkpoint_id)


def _check(key: CheckpointKey, *names: str) -> None:
    try:
        check_names(iter((*key, *names)))
    except FrameError as exc:
        raise named(exc, key) from exc


def _two_values(
    thread_id: str, checkpoint_ns: str, channel: str, version: str
) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        f"has another value of version {version!r} than a checkpoint before it: "
        "LangGraph's Postgres tables hold one for each",
        thread_id=thread_id,
        checkpoint_ns=checkpoint_ns,
        channel=channel,
    )
