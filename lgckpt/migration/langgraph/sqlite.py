"""The tables of LangGraph's `SqliteSaver`, as one side of a migration."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage
from lgckpt.errors import ClosedError, FrameError, MissingError, StorageError
from lgckpt.migration.langgraph.paging import BEGUN, merged
from lgckpt.migration.langgraph.reading import check_id, decompressed, metadata_of, parts_of
from lgckpt.migration.langgraph.recent import Recent
from lgckpt.migration.langgraph.rows import Found, FoundWrite, ThreadPacker
from lgckpt.migration.langgraph.sqlite_schema import (
    CREATE,
    STORE_CHECKPOINT,
    STORE_WRITE,
    TABLES,
    THREADS,
    dumps_metadata,
)
from lgckpt.migration.langgraph.unpacking import Unpacker, lacks
from lgckpt.packing import Packer
from lgckpt.reading import DAMAGE, named
from lgckpt.rows import CheckpointKey
from lgckpt.saver import Compression
from lgckpt.serde import Serializer

BUSY_TIMEOUT = 60.0
"""Seconds to wait for another process's transaction."""

_AFTER = "thread_id = ? AND (checkpoint_ns, checkpoint_id) > (?, ?)"
_AT = "thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?"


class SqliteLayout:
    """LangGraph's SQLite tables; the file has to be there, unless `setup` is called first.

    Args:
        path: The file.
        name: The URL, for people.
        serde: What reads checkpoints that are encrypted as a whole.
        compression: Of the chunks that values are cut into.
    """

    native = False

    def __init__(
        self,
        path: str | Path,
        name: str,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        self.name = name
        self._path = Path(path)
        self._serde = serde
        packer = Packer(serde or Serializer(), compression)
        self._recent = Recent(lambda: ThreadPacker(packer))
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None
        self._task_path = "task_path"
        self._closed = False

    async def setup(self) -> None:
        """Create the file and its tables, or add what an older release left out."""
        await asyncio.to_thread(self._setup)

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads, by id."""
        return await asyncio.to_thread(self._threads, after, limit)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""
        return await asyncio.to_thread(self._marks, thread_id, after, limit)

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known."""
        return await asyncio.to_thread(self._fetch, thread_id, places, known)

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction; False if it does not have all its chunks.

        Hidden rows become ordinary ones, marked in their metadata: LangGraph rebuilds a
        DeltaChannel from them.
        """
        return not lacks(batch) and await asyncio.to_thread(self._load, batch)

    async def close(self) -> None:
        """Close the file; safe to call again."""
        await asyncio.to_thread(self._close)

    def _setup(self) -> None:
        with self._lock, self._named_errors():
            if self._closed:
                raise ClosedError(f"{self.name} was closed")
            if self._opened is None:
                self._opened = self._connect("rwc")
            self._opened.execute("PRAGMA journal_mode = WAL")
            self._opened.executescript(CREATE)
            with suppress(sqlite3.OperationalError):  # it is there
                self._opened.execute(
                    "ALTER TABLE writes ADD COLUMN task_path TEXT NOT NULL DEFAULT ''"
                )
            self._look()

    def _threads(self, after: str, limit: int) -> ThreadPage:
        start = after[len(BEGUN) :] if after else None
        with self._connection() as connection:
            rows = connection.execute(THREADS, (start, limit)).fetchall()
        found = [thread_id for (thread_id,) in rows]
        return ThreadPage(found, BEGUN + found[-1] if len(found) == limit else None)

    def _marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        where, start = (_AFTER, (thread_id, *after)) if after else ("thread_id = ?", (thread_id,))
        names = "checkpoint_ns, checkpoint_id"
        with self._connection() as connection:
            places = connection.execute(
                f"SELECT {names} FROM checkpoints WHERE {where} ORDER BY {names} LIMIT ?",
                (*start, limit),
            ).fetchall()
            counts = connection.execute(
                f"SELECT {names}, count(*) FROM writes WHERE {where} "
                f"GROUP BY {names} ORDER BY {names} LIMIT ?",
                (*start, limit),
            ).fetchall()
        return merged(places, counts, limit)

    def _fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        with self._connection() as connection, self._recent.lend(thread_id) as packer:
            packer.begin(known)
            for place in sorted(places):
                self._read(connection, packer, CheckpointKey(thread_id, *place))
            return packer.end()

    def _read(
        self, connection: sqlite3.Connection, packer: ThreadPacker, key: CheckpointKey
    ) -> None:
        row = connection.execute(
            f"SELECT parent_checkpoint_id, type, checkpoint, metadata FROM checkpoints WHERE {_AT}",
            key,
        ).fetchone()
        try:
            if row is not None:
                packer.checkpoint(self._found(key, packer, *row))
            for write in connection.execute(
                f"SELECT task_id, idx, {self._task_path}, channel, type, value "
                f"FROM writes WHERE {_AT} ORDER BY task_id, idx",
                key,
            ):
                packer.write(_found_write(key, *write))
        except DAMAGE as exc:
            raise named(exc, key) from exc

    def _found(
        self,
        key: CheckpointKey,
        packer: ThreadPacker,
        parent_id: str | None,
        tag: Any,
        data: Any,
        metadata: Any,
    ) -> Found:
        if not isinstance(data, bytes) or not isinstance(tag, str):
            raise FrameError("a cell of its row has no value of its type")
        bare, values = parts_of(tag, data, self._serde, packer.data(key.checkpoint_ns))
        check_id(bare, key.checkpoint_id)
        return Found(*key, parent_id, bare, values, metadata_of(metadata), {})

    def _load(self, batch: Batch) -> bool:
        unpacker = Unpacker(batch, self._serde)
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.executemany(
                    STORE_CHECKPOINT,
                    _checkpoints(unpacker, batch),
                )
                connection.executemany(
                    STORE_WRITE,
                    ((*write[:8], unpacker.write(write)) for write in batch.writes),
                )
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        return True

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The one connection, opened when first needed; never makes a file."""
        with self._lock, self._named_errors():
            if self._closed:
                raise ClosedError(f"{self.name} was closed")
            if self._opened is None:
                if not self._path.is_file():
                    raise MissingError(f"{self.name}: there is no such file")
                self._opened = self._connect("rw")
                self._look()
            yield self._opened

    def _connect(self, mode: str) -> sqlite3.Connection:
        uri = f"{self._path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(
            uri, uri=True, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
        )

    def _look(self) -> None:
        """Learn what the tables have.

        Raises:
            MissingError: They are not there.
        """
        assert self._opened is not None  # noqa: S101 - for the type checker
        for table in TABLES:
            columns = self._opened.execute("SELECT name FROM pragma_table_info(?)", (table,))
            names = {name for (name,) in columns}
            if not names:
                self._opened.close()
                self._opened = None
                raise MissingError(
                    f"{self.name}: has no table {table!r} of LangGraph's SqliteSaver"
                )
        self._task_path = "task_path" if "task_path" in names else "''"

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise StorageError(f"{self.name}: {exc}") from exc

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            if self._opened is not None:
                self._opened.close()
                self._opened = None


def _checkpoints(unpacker: Unpacker, batch: Batch) -> Iterator[tuple[Any, ...]]:
    for row in batch.rows:
        found = unpacker.row(row)
        metadata = dumps_metadata(found.metadata)
        yield (*row.key, row.parent_id, *unpacker.whole(found), metadata)


def _found_write(
    key: CheckpointKey, task_id: str, idx: int, task_path: str, channel: str, tag: Any, data: Any
) -> FoundWrite:
    if not isinstance(data, bytes) or not isinstance(tag, str):
        raise FrameError("a cell of a write has no value of its type")
    return FoundWrite(*key, task_id, idx, task_path, channel, *decompressed(tag, data))
