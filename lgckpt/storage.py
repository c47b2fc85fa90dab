"""The storage contract: what a backend offers to the saver, in the colour of its driver.

A backend stores rows; LangGraph's rules are in `lgckpt.saver`, written once as
coroutines that await a `Driver`, which `lgckpt.bridges` makes of a storage of either
colour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from lgckpt.bulk import Batch, ChunkPage, Known, Mark, Place, Room, ThreadPage
from lgckpt.rows import (
    CheckpointKey,
    CheckpointRow,
    Entry,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    ScanQuery,
    ThreadEdit,
    Written,
)
from lgckpt.watching import Watch, Whereabouts

T = TypeVar("T")


class ThreadView(Protocol):
    """One thread as its own write transaction sees it."""

    thread_id: str

    async def entries(self) -> list[Entry]:
        """Every checkpoint of the thread, hidden ones too."""

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        """One checkpoint."""

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        """Whether the checkpoint has pending writes to the channel."""


Decide = Callable[[ThreadView], Coroutine[Any, Any, ThreadEdit]]


Wanted = Callable[[CheckpointRow], bytes]
"""Gives those of a row's references that its reader has to have fetched."""


def all_refs(row: CheckpointRow) -> bytes:
    """A `Wanted` of a reader that has nothing yet."""
    return row.refs


class SyncStorage(Protocol):
    """What a backend whose driver is synchronous offers; every verb is atomic.

    All raise `lgckpt.errors.StorageError` when the database cannot be used, and
    `ClosedError` after `close`.
    """

    colour: Literal["sync"]
    inline: bool
    """Whether verbs never wait for I/O, so that async callers need no thread."""

    def setup(self) -> None:
        """Create the schema if it is not there; safe from many processes at once."""

    def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""

    def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""

    def get(
        self, thread_id: str, checkpoint_ns: str, checkpoint_id: str | None, wanted: Wanted
    ) -> Loaded | None:
        """One visible checkpoint, or the latest of the namespace.

        Of the chunks the row itself names, only those below `wanted(row)` are fetched.
        """

    def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""

    def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""

    def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""

    def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """The checkpoint and its ancestors, nearest first, hidden ones too."""

    def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """Pending writes of the checkpoints to the channels, in no given order."""

    def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""

    def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """Run `decide` in a write transaction, carry out its edit, drop unused chunks."""

    def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""

    def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced."""

    def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""

    def sweep(self) -> int:
        """Delete the threads that have expired; gives how many."""

    def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads that have rows, in an order of the backend's own; "" begins.

        A thread with pending writes alone is one of them; one that has expired is not.
        """

    def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, by namespace, then id, both in code point order.

        Hidden rows are among them. A page that has less than `limit` is the last.
        """

    def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, and the chunks it needs but for those that are known.

        All is as of one moment. What is missing is left out; `claims` names the chunks that were
        left out as known. `known` is asked in whatever thread the verb runs in, and more than
        once where the read has to be begun again.

        Raises:
            CorruptCheckpointError: A row or a write cannot be read at all; it names the place.
        """

    def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction, in this thread whatever its rows say.

        Rows and writes of the same key are replaced, flags and all: a hidden row hides one that
        is shown. Chunks that are there stay as they are. The thread lives on as after a put; an
        empty batch makes none. False, and nothing stored, if a claim does not hold.

        That everything a row or a chunk refers to is in the batch, or claimed, or was loaded
        before and is needed by a row since, is the caller's to see to: it is not checked.
        """

    def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it.

        One that has expired, or of which only chunks are left, may count as there.
        """

    def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many of these threads, from the first on, as there is room for.

        At least one is given. Each is as of one moment, with all its places, hidden ones too, and
        all chunks that they need; what is missing of those is left out. None stands for a thread
        that has more than `room` allows, or that cannot be read so: it takes `marks` and `fetch`.
        """

    def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads; each as `load` does, all or nothing.

        Where a claim of a batch does not hold, False, and the others are stored. When this raises,
        any of them may have been.
        """

    def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """About `limit` of a thread's chunks, in use or not; "" begins."""

    def reclaim(self, thread_id: str) -> int:
        """Drop the thread's chunks that no row needs; gives how many.

        Where a chunk is missing, what is below it is not known, and none are dropped.
        """

    def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """What the database says of itself, as it says it; nothing is created for that.

        `backend` names the kind. Where there is a schema, `schema` is the version that is there,
        "0" if none is, and `schema_known` this release's. The rest are settings and states by the
        names that the server has for them. With `thorough`, the database checks itself where it
        can, which may read all of it: SQLite's `quick_check`.
        """

    def whereabouts(self) -> Whereabouts:
        """Where rows are, without asking the database."""

    def watch(self, watch: Watch | None) -> None:
        """Tell of waits and retries from now on, or to nobody."""

    def close(self) -> None:
        """Release everything; safe to call again."""


class AsyncStorage(Protocol):
    """What a backend whose driver is asynchronous offers: the verbs of `SyncStorage`, awaited.

    All are called on one event loop: `loop`, or that of `lgckpt.loops.LoopThread`.
    """

    colour: Literal["async"]
    loop: asyncio.AbstractEventLoop | None
    """The loop that the caller's own pool lives on; None to be given one."""

    async def setup(self) -> None:
        """See `SyncStorage.setup`."""

    async def put(self, put: PutCheckpoint) -> bool:
        """See `SyncStorage.put`."""

    async def put_writes(self, put: PutWrites) -> bool:
        """See `SyncStorage.put_writes`."""

    async def get(
        self, thread_id: str, checkpoint_ns: str, checkpoint_id: str | None, wanted: Wanted
    ) -> Loaded | None:
        """See `SyncStorage.get`."""

    async def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """See `SyncStorage.get_many`."""

    async def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """See `SyncStorage.get_row`."""

    async def scan(self, query: ScanQuery) -> list[Head]:
        """See `SyncStorage.scan`."""

    async def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """See `SyncStorage.chain`."""

    async def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """See `SyncStorage.writes`."""

    async def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """See `SyncStorage.chunks`."""

    async def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """See `SyncStorage.edit_thread`."""

    async def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """See `SyncStorage.threads_of_runs`."""

    async def copy_thread(self, source: str, target: str) -> None:
        """See `SyncStorage.copy_thread`."""

    async def delete_thread(self, thread_id: str) -> None:
        """See `SyncStorage.delete_thread`."""

    async def sweep(self) -> int:
        """See `SyncStorage.sweep`."""

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """See `SyncStorage.threads`."""

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """See `SyncStorage.marks`."""

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """See `SyncStorage.fetch`."""

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """See `SyncStorage.load`."""

    async def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """See `SyncStorage.vacant`."""

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """See `SyncStorage.fetch_threads`."""

    async def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """See `SyncStorage.load_threads`."""

    async def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """See `SyncStorage.chunk_page`."""

    async def reclaim(self, thread_id: str) -> int:
        """See `SyncStorage.reclaim`."""

    async def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """See `SyncStorage.facts`."""

    def whereabouts(self) -> Whereabouts:
        """See `SyncStorage.whereabouts`."""

    def watch(self, watch: Watch | None) -> None:
        """See `SyncStorage.watch`."""

    async def close(self) -> None:
        """See `SyncStorage.close`."""

    def forget(self) -> None:
        """In a forked child: let go of what the parent still uses, touching none of it."""


Driver = Callable[..., Awaitable[Any]]
"""`await driver("verb", *args)` runs a storage verb, whatever the colour."""


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never suspends, which is so of any over a sync driver."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a synchronous operation tried to wait")
