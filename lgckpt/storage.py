"""The storage contract, and the bridges from a backend's native colour to the other.

A backend stores rows; LangGraph's rules are in `lgckpt.saver`, written once as
coroutines that await a `Driver`. A driver over a sync backend either calls it
there and then (sync methods of the saver) or in the backend's worker threads
(async methods).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Protocol, TypeVar

from lgckpt import forks
from lgckpt.core import core
from lgckpt.errors import ClosedError, FrameError, UnsupportedFormatError
from lgckpt.rows import (
    REF_SIZE,
    ROOT_LEVEL,
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

    def close(self) -> None:
        """Release everything; safe to call again."""


Driver = Callable[..., Awaitable[Any]]
"""`await driver("verb", *args)` runs a storage verb, whatever the colour."""


def sync_driver(storage: SyncStorage) -> Driver:
    """Run verbs in the calling thread."""

    async def call(verb: str, *args: Any) -> Any:
        return getattr(storage, verb)(*args)

    return call


_WRITES = frozenset(
    {"setup", "put", "put_writes", "edit_thread", "copy_thread", "delete_thread", "close"}
)
_READERS = 4


class Workers:
    """The threads in which a sync backend serves async callers.

    One writes, since the database takes one writer at a time anyway; a few read.
    They belong to no event loop, and a forked child makes its own.
    """

    def __init__(self) -> None:
        self._start()
        forks.register(self)

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._writer: ThreadPoolExecutor | None = None
        self._readers: ThreadPoolExecutor | None = None

    def submit(self, verb: str, job: Callable[[], T]) -> Future[T]:
        """Have a worker thread do what a verb asks for.

        Raises:
            ClosedError: `shutdown` was called.
        """
        with self._lock:
            if self._ended:
                raise ClosedError("this saver was closed")
            if verb in _WRITES:
                self._writer = self._writer or ThreadPoolExecutor(1, "lgckpt-writer")
                return self._writer.submit(job)
            self._readers = self._readers or ThreadPoolExecutor(_READERS, "lgckpt-reader")
            return self._readers.submit(job)

    def shutdown(self) -> None:
        """Let the threads end when they have nothing left to do."""
        with self._lock:
            self._ended = True
            for executor in (self._writer, self._readers):
                if executor is not None:
                    executor.shutdown(wait=False)

    def before_fork(self) -> None:
        """Nothing: the lock is held for no time that matters, and the child gets another."""

    def after_fork(self, *, child: bool) -> None:
        """In the child, start without threads."""
        if child:
            self._start()


def async_driver(storage: SyncStorage, workers: Workers) -> Driver:
    """Run verbs in worker threads, or right here where they never wait."""
    if storage.inline:
        return sync_driver(storage)

    async def call(verb: str, *args: Any) -> Any:
        run = partial(getattr(storage, verb), *args)
        return await asyncio.wrap_future(workers.submit(verb, run))

    return call


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine that never suspends, which is so of any over `sync_driver`."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("a synchronous operation tried to wait")


Fetch = Callable[[list[bytes]], Mapping[bytes, bytes]]
"""Gives the frames of those chunks, named by hash, that are there."""

FetchAll = Callable[[int], "Mapping[bytes, bytes] | None"]
"""Gives every chunk of the thread, or None if they are more than the number given."""

FANOUT = 7
"""Children of a node on average, to tell from a root how many chunks are below it."""

DEEP = 8
"""Levels above this one count as this one: there are millions of chunks below, or damage."""

MANY = 64
"""From so many chunks on, reading a thread's chunks in one sweep beats looking each up."""

SURPLUS = 4
"""Up to so many times the chunks needed are read in such a sweep."""


def collect(refs: bytes, fetch: Fetch, fetch_all: FetchAll | None = None) -> Mapping[bytes, bytes]:
    """Fetch the chunks named by `refs` and all below them: one call of `fetch` a tree level.

    Args:
        refs: 21-byte references.
        fetch: Gives the frames of some chunks.
        fetch_all: Gives all of the thread's, where they are not too many.

    Returns:
        Frames by hash, maybe others too. Missing or damaged chunks are left for
        `core.assemble` to name.
    """
    found: dict[bytes, bytes] = {}
    levels = _levels((refs,))
    while levels:
        expected = sum(
            FANOUT ** min(level, DEEP) for level in levels.values() if level < ROOT_LEVEL
        )
        if fetch_all is not None and expected >= MANY:
            everything = fetch_all(expected * SURPLUS)
            if everything is not None:
                return everything
            fetch_all = None
        frames = fetch(list(levels))
        found.update(frames)
        # A damaged index may give chunks that were not asked for.
        below = (_children(n, frames[h]) for h, n in levels.items() if n and h in frames)
        levels = {h: level for h, level in _levels(below).items() if h not in found}
    return found


def reachable(refs: bytes, fetch: Fetch) -> set[bytes] | None:
    """The hashes of all chunks below `refs`, reading only those that have others below them.

    Returns:
        The hashes, or None if a chunk is missing or damaged, so that nothing below it is
        known and nothing may be dropped.
    """
    found: set[bytes] = set()
    levels = _levels((refs,))
    while levels:
        found.update(levels)
        inner = [h for h, level in levels.items() if level]
        frames = fetch(inner)
        if any(h not in frames for h in inner):
            return None
        try:
            below = [core.children(levels[h], frames[h]) for h in inner]
        except (FrameError, UnsupportedFormatError):
            return None
        levels = {h: level for h, level in _levels(below).items() if h not in found}
    return found


def _children(level: int, frame: bytes) -> bytes:
    try:
        return core.children(level, frame)
    except (FrameError, UnsupportedFormatError):
        return b""


def _levels(refs: Iterable[bytes]) -> dict[bytes, int]:
    return {
        part[i + 1 : i + REF_SIZE]: part[i] for part in refs for i in range(0, len(part), REF_SIZE)
    }
