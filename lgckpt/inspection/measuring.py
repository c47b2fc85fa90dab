"""`measure`: where the bytes are, what sharing saves, and what LangGraph's layouts would take."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lgckpt.bulk import Batch, Place
from lgckpt.core import core
from lgckpt.errors import LgckptError, NotFoundError
from lgckpt.inspection.checkpoints import Opened, open_row
from lgckpt.inspection.damage import DAMAGED, damage
from lgckpt.inspection.reading import Where, fetch, opened, stepwise, threads
from lgckpt.migration.marks import all_marks
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side
from lgckpt.rows import REF_SIZE, CheckpointRow, WriteRow

_PAGE = 32

METHOD = (
    "Stored bytes are those of rows, pending writes and chunks as lgckpt keeps them, compressed, "
    "without the database's own indexes and page overhead; a chunk counts for the channel that "
    "is met first with it, and what is in a compressed row is shared out by its plain bytes. "
    "langgraph+sqlite: every checkpoint with all its values, its metadata and its writes, as that "
    "layout stores them again each step. langgraph+postgresql: every version of a channel once, "
    "before Postgres's own compression. Both from the sizes of what is stored here, not by writing "
    "it there, and without overhead as well."
)
"""What the numbers mean."""


@dataclass(slots=True)
class ChannelBytes:
    """One channel of a namespace.

    Attributes:
        values: How many checkpoints hold a value of it.
        logical: Bytes of these values, each counted as often as it is held.
        stored: Bytes that they take.
    """

    values: int = 0
    logical: int = 0
    stored: int = 0


@dataclass(slots=True)
class ThreadBytes:
    """One thread.

    Attributes:
        logical: Bytes of all values, metadata and writes, as if nothing were shared or compressed.
        stored: Bytes of rows, writes and chunks together.
        rows: Of these, bytes of checkpoint rows.
        pending: Of these, bytes of pending writes.
        chunks: Of these, bytes of chunks.
        chunk_count: How many chunks there are.
        references: How often they are referred to by rows and writes.
        langgraph_sqlite: What LangGraph's SQLite layout would take; see `METHOD`.
        langgraph_postgres: What LangGraph's Postgres layout would take.
        channels: By namespace and channel.
    """

    thread_id: str
    checkpoints: int = 0
    writes: int = 0
    logical: int = 0
    stored: int = 0
    rows: int = 0
    pending: int = 0
    chunks: int = 0
    chunk_count: int = 0
    references: int = 0
    langgraph_sqlite: int = 0
    langgraph_postgres: int = 0
    channels: dict[Place, ChannelBytes] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)


def measure(
    where: Where, thread_ids: Sequence[str] = (), *, prefix: str = ""
) -> Iterator[ThreadBytes]:
    """Measure threads, one after the other.

    Args:
        where: The database.
        thread_ids: Only these threads.
        prefix: Only threads whose ids begin so.

    Yields:
        A thread's bytes; of it only what one page of checkpoints needs is held at once, and
        eight bytes for each of its chunks and versions.

    Raises:
        NotFoundError: There is no such thread.
        StorageError: The database cannot be used.
    """
    return stepwise(lambda: ameasure(where, thread_ids, prefix=prefix))


async def ameasure(
    where: Where, thread_ids: Sequence[str] = (), *, prefix: str = ""
) -> AsyncIterator[ThreadBytes]:
    """Async version of `measure`."""
    async with opened(where) as side:
        for thread_id in dict.fromkeys(thread_ids):
            if not await side.marks(thread_id, None, 1):
                raise NotFoundError(f"{side.name} has no thread {thread_id!r}")
            yield await _Meter(side, thread_id).run()
        if not thread_ids:
            async for thread_id in threads(side, prefix):
                yield await _Meter(side, thread_id).run()


class _Meter:
    def __init__(self, side: Side, thread_id: str) -> None:
        self._side = side
        self._found = ThreadBytes(thread_id)
        self._known: set[int] = set()
        self._versions: set[int] = set()

    async def run(self) -> ThreadBytes:
        page: list[Place] = []
        async for mark in all_marks(self._side, self._found.thread_id):
            page.append(mark.place)
            if len(page) == _PAGE:
                await self._page(page)
                page = []
        if page:
            await self._page(page)
        return self._found

    async def _page(self, page: Sequence[Place]) -> None:
        batch, faults = await fetch(self._side, self._found.thread_id, page, self._is_known)
        self._found.damage.extend(faults)
        chunks = dict(batch.chunks)
        self._batch(batch, chunks)
        # What no channel led to: below damage, or of a layout of another kind.
        for key, frame in chunks.items():
            if not self._is_known(key):
                self._chunk(key, frame)

    def _batch(self, batch: Batch, chunks: Mapping[bytes, bytes]) -> None:
        for row in batch.rows:
            self._found.checkpoints += 1
            try:
                self._row(row, open_row(row), chunks)
            except DAMAGED as exc:
                place = row.checkpoint_ns, row.checkpoint_id
                self._found.damage.append(damage(exc, row.thread_id, place))
        for write in batch.writes:
            self._found.writes += 1
            try:
                self._write(write, chunks)
            except DAMAGED as exc:
                place = write.checkpoint_ns, write.checkpoint_id
                found = damage(exc, write.thread_id, place, str(write.channel))
                self._found.damage.append(found)

    def _row(self, row: CheckpointRow, taken: Opened, chunks: Mapping[bytes, bytes]) -> None:
        found, values = self._found, taken.state.values
        size = len(row.state) + len(row.metadata) + len(row.refs) + len(row.checkpoint_id)
        found.rows += size
        found.stored += size
        found.references += len(row.refs) // REF_SIZE
        plain = len(core.unseal(row.state)) or 1
        share = min(1.0, len(row.state) / plain)
        own = len(taken.state.checkpoint) + len(core.unseal(row.metadata))
        found.langgraph_postgres += own
        for channel, value in values.items():
            one = found.channels.setdefault((row.checkpoint_ns, channel), ChannelBytes())
            one.values += 1
            one.logical += value.size
            one.stored += round(share * (len(value.head) + len(value.tail))) + len(value.refs)
            one.stored += self._below(value.refs, chunks)
            version = taken.versions.get(channel)
            name = (value.refs, value.tail) if version is None else version
            if self._is_new_version(row.checkpoint_ns, channel, name):
                found.langgraph_postgres += value.size
        whole = own + sum(value.size for value in values.values())
        found.langgraph_sqlite += whole
        found.logical += whole

    def _write(self, row: WriteRow, chunks: Mapping[bytes, bytes]) -> None:
        found = self._found
        names = len(row.task_id) + len(row.task_path) + len(row.channel) + len(row.checkpoint_id)
        size = len(row.value) + len(row.refs) + names
        found.pending += size
        found.stored += size
        found.references += len(row.refs) // REF_SIZE
        plain = core.unseal(row.value)[1:]
        value = core.decode(plain) if row.refs else len(plain)
        logical = names + (value if isinstance(value, int) else 0)
        self._below(row.refs, chunks)
        for layout in ("logical", "langgraph_sqlite", "langgraph_postgres"):
            setattr(found, layout, getattr(found, layout) + logical)

    def _below(self, refs: bytes, chunks: Mapping[bytes, bytes]) -> int:
        """Count the chunks below references that were not counted yet; gives their bytes."""
        stack = [refs]
        total = 0
        while stack:
            part = stack.pop()
            for i in range(0, len(part), REF_SIZE):
                level, key = part[i], part[i + 1 : i + REF_SIZE]
                frame = chunks.get(key)
                if frame is None or self._is_known(key):
                    continue
                total += self._chunk(key, frame)
                if level:
                    try:
                        stack.append(core.children(level, frame))
                    except LgckptError:
                        continue
        return total

    def _chunk(self, key: bytes, frame: bytes) -> int:
        self._known.add(int.from_bytes(key[:8], "little"))
        size = len(key) + len(frame)
        self._found.chunks += size
        self._found.stored += size
        self._found.chunk_count += 1
        return size

    def _is_known(self, key: bytes) -> bool:
        return int.from_bytes(key[:8], "little") in self._known

    def _is_new_version(self, checkpoint_ns: str, channel: str, version: object) -> bool:
        found = hash((checkpoint_ns, channel, str(version)))
        if found in self._versions:
            return False
        self._versions.add(found)
        return True
