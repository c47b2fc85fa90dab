"""Rows in this process's memory: the reference implementation of the storage contract."""

from __future__ import annotations

import heapq
import threading
from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lgckpt import forks
from lgckpt.chunks import collect, reachable
from lgckpt.errors import ClosedError
from lgckpt.rows import (
    HIDDEN,
    CheckpointKey,
    CheckpointRow,
    Chunk,
    Entry,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    ScanQuery,
    ThreadEdit,
    WriteRow,
    Written,
)
from lgckpt.storage import Decide, Wanted, all_refs, run_sync

Place = tuple[str, str]


@dataclass(slots=True)
class _Thread:
    """One thread's rows; `ids` holds each namespace's checkpoint ids in ascending order."""

    rows: dict[Place, CheckpointRow] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    writes: dict[Place, dict[tuple[str, int], WriteRow]] = field(default_factory=dict)
    chunks: dict[bytes, bytes] = field(default_factory=dict)

    def store(self, row: CheckpointRow) -> None:
        place = (row.checkpoint_ns, row.checkpoint_id)
        if place not in self.rows:
            insort(self.ids.setdefault(row.checkpoint_ns, []), row.checkpoint_id)
        self.rows[place] = row

    def drop(self, place: Place) -> None:
        if self.rows.pop(place, None) is not None:
            self.ids[place[0]].remove(place[1])
        self.writes.pop(place, None)

    def take(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            self.chunks.setdefault(chunk.hash, chunk.frame)

    def fetch(self, wanted: Iterable[bytes]) -> dict[bytes, bytes]:
        return {h: self.chunks[h] for h in wanted if h in self.chunks}

    def latest(self, checkpoint_ns: str) -> CheckpointRow | None:
        for checkpoint_id in reversed(self.ids.get(checkpoint_ns, ())):
            row = self.rows[checkpoint_ns, checkpoint_id]
            if not row.flags & HIDDEN:
                return row
        return None

    def load(self, row: CheckpointRow, wanted: Wanted) -> Loaded:
        writes = list(self.writes.get((row.checkpoint_ns, row.checkpoint_id), {}).values())
        refs = wanted(row) + b"".join(w.refs for w in writes)
        return Loaded(row, writes, collect(refs, self.fetch) if refs else {})

    def sweep(self) -> None:
        """Drop the chunks that no row needs."""
        refs = [row.refs for row in self.rows.values()]
        refs += [w.refs for batch in self.writes.values() for w in batch.values()]
        used = reachable(b"".join(refs), self.fetch)
        if used is not None:
            self.chunks = {h: frame for h, frame in self.chunks.items() if h in used}


class MemoryStorage:
    """A dict of threads behind one lock."""

    colour: Literal["sync"] = "sync"
    inline = True

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._threads: dict[str, _Thread] | None = {}
        forks.register(self)

    @property
    def _all(self) -> dict[str, _Thread]:
        if self._threads is None:
            raise ClosedError("this in-memory saver was closed")
        return self._threads

    def setup(self) -> None:
        """Nothing to create."""

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
                if parent is None or parent.etag != put.parent.etag:
                    return False
            if not _holds(thread, put.claims):
                return False
            thread = self._all.setdefault(row.thread_id, _Thread())
            thread.take(put.chunks)
            thread.store(row)
            return True

    def put_writes(self, put: PutWrites) -> bool:
        """Store pending writes; False, and nothing stored, if a claim does not hold."""
        if not put.rows:
            return True
        first = put.rows[0]
        with self._lock:
            if not _holds(self._all.get(first.thread_id), put.claims):
                return False
            thread = self._all.setdefault(first.thread_id, _Thread())
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
            return None if row is None or row.flags & HIDDEN else thread.load(row, wanted)

    def get_many(self, keys: Sequence[CheckpointKey]) -> list[Loaded]:
        """Those of the checkpoints that are there, in the order asked for."""
        found = (self.get(*key) for key in keys)
        return [loaded for loaded in found if loaded is not None]

    def get_row(self, key: CheckpointKey) -> CheckpointRow | None:
        """One checkpoint's row alone, hidden or not."""
        with self._lock:
            thread = self._all.get(key.thread_id)
            return None if thread is None else thread.rows.get(key[1:])

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
            thread = self._all.get(thread_id, _Thread())
            batches = (thread.writes.get((checkpoint_ns, i), {}) for i in ids)
            rows = [w for batch in batches for w in batch.values() if w.channel in channels]
            return Written(rows, collect(b"".join(w.refs for w in rows), thread.fetch))

    def chunks(self, thread_id: str, refs: bytes) -> Mapping[bytes, bytes]:
        """The chunks named by `refs` and all below them; what is missing is left out."""
        with self._lock:
            return collect(refs, self._all.get(thread_id, _Thread()).fetch)

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
            new = self._all.setdefault(target, _Thread())
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


class _View:
    """A thread as `decide` sees it, under the lock."""

    def __init__(self, thread: _Thread, thread_id: str) -> None:
        self._thread = thread
        self.thread_id = thread_id

    async def entries(self) -> list[Entry]:
        return [
            Entry(r.checkpoint_ns, r.checkpoint_id, r.parent_id, r.run_id, r.flags)
            for r in self._thread.rows.values()
        ]

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        return self._thread.rows.get((checkpoint_ns, checkpoint_id))

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        batch = self._thread.writes.get((checkpoint_ns, checkpoint_id), {})
        return any(w.channel == channel for w in batch.values())


def _carry_out(thread: _Thread, edit: ThreadEdit) -> None:
    dropped = set(edit.drop_namespaces)
    for place in [p for p in (*thread.rows, *thread.writes) if p[0] in dropped]:
        thread.drop(place)
    for place in edit.delete:
        thread.drop(place)
    for row in edit.replace:
        thread.store(row)
    for place, channels in edit.trim_writes.items():
        batch = thread.writes.get(place, {})
        thread.writes[place] = {k: w for k, w in batch.items() if w.channel in channels}


def _holds(thread: _Thread | None, claims: Sequence[bytes]) -> bool:
    return not claims or (thread is not None and all(h in thread.chunks for h in claims))


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
