"""Rows in this process's memory: the reference implementation of the storage contract."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from lgckpt import forks
from lgckpt.backends import memory_bulk
from lgckpt.backends.memory_thread import Thread, holds
from lgckpt.bulk import Batch, ChunkPage, Known, Mark, Place, Room, ThreadPage
from lgckpt.chunks import collect
from lgckpt.errors import ClosedError
from lgckpt.rows import (
    HIDDEN,
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
    has_etag,
    whole,
)
from lgckpt.storage import Decide, Wanted, all_refs, run_sync
from lgckpt.watching import Watchable, Whereabouts


class MemoryStorage(Watchable):
    """A dict of threads behind one lock."""

    colour: Literal["sync"] = "sync"
    inline = True

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._threads: dict[str, Thread] | None = {}
        forks.register(self)

    @property
    def _all(self) -> dict[str, Thread]:
        if self._threads is None:
            raise ClosedError("this in-memory saver was closed")
        return self._threads

    def setup(self) -> None:
        """Nothing to create."""

    def whereabouts(self) -> Whereabouts:
        """This process."""
        return Whereabouts("memory")

    def close(self) -> None:
        """Forget everything."""
        self._threads = None

    def before_fork(self) -> None:
        """Let the operation under way end, so that the child gets all of it or nothing."""
        self._lock.acquire()

    def after_fork(self, *, child: bool) -> None:
        """Go on; the child has a copy of everything."""
        if child:
            self._lock = threading.RLock()
        else:
            self._lock.release()

    def put(self, put: PutCheckpoint) -> bool:
        """Store a checkpoint; False, and nothing stored, if a claim does not hold."""
        row = put.row
        with self._lock:
            thread = self._all.get(row.thread_id)
            if put.parent is not None:
                place = (row.checkpoint_ns, put.parent.checkpoint_id)
                parent = None if thread is None else thread.rows.get(place)
                if parent is None or not has_etag(parent, put.parent.etag):
                    return False
            if not holds(thread, put.claims):
                return False
            thread = self._all.setdefault(row.thread_id, Thread())
            thread.take(put.chunks)
            thread.store(row)
            return True

    def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        first = put.rows[0]
        with self._lock:
            if not holds(self._all.get(first.thread_id), put.claims):
                return False
            thread = self._all.setdefault(first.thread_id, Thread())
            thread.take(put.chunks)
            batch = thread.writes.setdefault((first.checkpoint_ns, first.checkpoint_id), {})
            for row in put.rows:
                if put.upsert:
                    batch[row.task_id, row.idx] = row
                else:
                    batch.setdefault((row.task_id, row.idx), row)
            return True

    def get(
        self,
        thread_id: str,
        checkpoint_ns: str,
        checkpoint_id: str | None,
        wanted: Wanted = all_refs,
    ) -> Loaded | None:
        """One visible checkpoint, or the latest of the namespace."""
        with self._lock:
            thread = self._all.get(thread_id)
            if thread is None:
                return None
            if checkpoint_id is None:
                row = thread.latest(checkpoint_ns)
            else:
                row = thread.rows.get((checkpoint_ns, checkpoint_id))
            if row is None or row.flags & HIDDEN:
                return None
            loaded = thread.load(row, wanted)
        return loaded._replace(row=whole(row))

    def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        found = (self.get(*key) for key in keys)
        return [loaded for loaded in found if loaded is not None]

    def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        with self._lock:
            thread = self._all.get(key.thread_id)
            return None if thread is None else thread.row(key[1:])

    def scan(self, query: ScanQuery) -> list[Head]:
        """A page of visible checkpoints, newest first."""
        with self._lock:
            if query.thread_id is None:
                threads = list(self._all.values())
            else:
                threads = [t for t in (self._all.get(query.thread_id),) if t is not None]
            matching = (
                row for thread in threads for row in thread.rows.values() if _shows(row, query)
            )
            rows = heapq.nlargest(query.limit, matching, key=_newest)
            return [Head(row.key, row.metadata) for row in rows]

    def chain(self, key: CheckpointKey, limit: int) -> list[CheckpointRow]:
        """The checkpoint and its ancestors, nearest first, hidden ones too."""
        rows: list[CheckpointRow] = []
        with self._lock:
            row = self.get_row(key)
            while row is not None and len(rows) < limit:
                rows.append(row)
                if row.parent_id is None:
                    break
                row = self.get_row(key._replace(checkpoint_id=row.parent_id))
        return rows

    def writes(
        self, thread_id: str, checkpoint_ns: str, ids: Sequence[str], channels: Sequence[str]
    ) -> Written:
        """Pending writes of the checkpoints to the channels, in no given order."""
        with self._lock:
            thread = self._all.get(thread_id, Thread())
            batches = (thread.writes.get((checkpoint_ns, i), {}) for i in ids)
            rows = [w for batch in batches for w in batch.values() if w.channel in channels]
            return Written(rows, collect(b"".join(w.refs for w in rows), thread.fetch))

    def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""
        with self._lock:
            return collect(refs, self._all.get(thread_id, Thread()).fetch)

    def edit_thread(self, thread_id: str, decide: Decide) -> None:
        """Run `decide` under the lock, carry out its edit, drop unused chunks."""
        with self._lock:
            thread = self._all.get(thread_id)
            if thread is None:
                return
            _carry_out(thread, run_sync(decide(_View(thread, thread_id))))
            thread.sweep()

    def threads_of_runs(self, run_ids: Sequence[str]) -> list[str]:
        """The threads that hold checkpoints of the runs."""
        wanted = frozenset(run_ids)
        with self._lock:
            return [
                thread_id
                for thread_id, thread in self._all.items()
                if any(row.run_id in wanted for row in thread.rows.values())
            ]

    def copy_thread(self, source: str, target: str) -> None:
        """Copy all rows of a thread; rows of the same key are replaced, none hidden by it."""
        with self._lock:
            old = self._all.get(source)
            if old is None:
                return
            new = self._all.setdefault(target, Thread())
            new.chunks.update(old.chunks)
            for place, row in old.rows.items():
                shown = place in new.rows and not new.rows[place].flags & HIDDEN
                if not (row.flags & HIDDEN and shown):
                    new.store(row._replace(thread_id=target))
            for place, batch in old.writes.items():
                copies = {k: w._replace(thread_id=target) for k, w in batch.items()}
                new.writes.setdefault(place, {}).update(copies)

    def delete_thread(self, thread_id: str) -> None:
        """Delete all rows of a thread."""
        with self._lock:
            self._all.pop(thread_id, None)

    def sweep(self) -> int:
        """Nothing expires here."""
        return 0

    def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """There are no settings."""
        return {"backend": "memory"}

    def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads that have rows, by name."""
        with self._lock:
            return memory_bulk.threads(self._all, after, limit)

    def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, by namespace, then id."""
        with self._lock:
            return memory_bulk.marks(self._all.get(thread_id, Thread()), after, limit)

    def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, and the chunks it needs but for those that are known."""
        with self._lock:
            return memory_bulk.fetch(self._all.get(thread_id, Thread()), places, known)

    def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch; False, and nothing stored, if a claim does not hold."""
        with self._lock:
            return memory_bulk.load(self._all, thread_id, batch)

    def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it."""
        with self._lock:
            return [thread_id not in self._all for thread_id in thread_ids]

    def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many of these threads as there is room for."""
        with self._lock:
            return memory_bulk.fetch_threads(self._all, thread_ids, room)

    def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads."""
        with self._lock:
            return [memory_bulk.load(self._all, thread_id, batch) for thread_id, batch in loads]

    def chunk_page(self, thread_id: str, after: str, limit: int) -> ChunkPage:
        """A page of a thread's chunks, by hash."""
        with self._lock:
            return memory_bulk.chunk_page(self._all.get(thread_id, Thread()), after, limit)

    def reclaim(self, thread_id: str) -> int:
        """Drop the thread's chunks that no row needs; gives how many."""
        with self._lock:
            return self._all.get(thread_id, Thread()).sweep()


class _View:
    """A thread as `decide` sees it, under the lock."""

    def __init__(self, thread: Thread, thread_id: str) -> None:
        self._thread = thread
        self.thread_id = thread_id

    async def entries(self) -> list[Entry]:
        return [
            Entry(r.checkpoint_ns, r.checkpoint_id, r.parent_id, r.run_id, r.flags)
            for r in self._thread.rows.values()
        ]

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        return self._thread.row((checkpoint_ns, checkpoint_id))

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        batch = self._thread.writes.get((checkpoint_ns, checkpoint_id), {})
        return any(w.channel == channel for w in batch.values())


def _carry_out(thread: Thread, edit: ThreadEdit) -> None:
    dropped = set(edit.drop_namespaces)
    for place in [p for p in (*thread.rows, *thread.writes) if p[0] in dropped]:
        thread.drop(place)
    for place in edit.delete:
        thread.drop(place)
    for row in edit.replace:
        thread.store(row)
    if edit.delete or edit.drop_namespaces:
        thread.write_out()
    for place, channels in edit.trim_writes.items():
        batch = thread.writes.get(place, {})
        thread.writes[place] = {k: w for k, w in batch.items() if w.channel in channels}


def _newest(row: CheckpointRow) -> tuple[str, str, str]:
    return row.checkpoint_id, row.thread_id, row.checkpoint_ns


def _shows(row: CheckpointRow, query: ScanQuery) -> bool:
    if row.flags & HIDDEN or query.checkpoint_ns not in (None, row.checkpoint_ns):
        return False
    if query.checkpoint_id not in (None, row.checkpoint_id):
        return False
    if query.before is not None and row.checkpoint_id >= query.before:
        return False
    after = query.after
    return after is None or _newest(row) < (
        after.checkpoint_id,
        after.thread_id,
        after.checkpoint_ns,
    )
