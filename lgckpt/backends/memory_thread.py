"""One thread's rows in memory, used under its storage's lock."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lgckpt.bulk import Place
from lgckpt.chunks import collect, reachable
from lgckpt.rows import HIDDEN, CheckpointRow, Chunk, Loaded, WriteRow, whole
from lgckpt.storage import Wanted


@dataclass(slots=True)
class Thread:
    """One thread's rows as they were stored: only `whole` ones are given away.

    `ids` holds each namespace's checkpoint ids in ascending order.
    """

    rows: dict[Place, CheckpointRow] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    writes: dict[Place, dict[tuple[str, int], WriteRow]] = field(default_factory=dict)
    chunks: dict[bytes, bytes] = field(default_factory=dict)

    def store(self, row: CheckpointRow) -> None:
        """Store a row in place of one of the same key."""
        place = (row.checkpoint_ns, row.checkpoint_id)
        if place not in self.rows:
            insort(self.ids.setdefault(row.checkpoint_ns, []), row.checkpoint_id)
        self.rows[place] = row

    def row(self, place: Place) -> CheckpointRow | None:
        """A row for who asks for it."""
        row = self.rows.get(place)
        return None if row is None else whole(row)

    def write_out(self) -> None:
        """Have no row hold on to what it is told by, which may have been deleted."""
        self.rows = {place: whole(row) for place, row in self.rows.items()}

    def drop(self, place: Place) -> None:
        """Delete a checkpoint and its pending writes."""
        if self.rows.pop(place, None) is not None:
            self.ids[place[0]].remove(place[1])
        self.writes.pop(place, None)

    def take(self, chunks: Iterable[Chunk]) -> None:
        """Store the chunks that are not there yet."""
        for chunk in chunks:
            self.chunks.setdefault(chunk.hash, chunk.frame)

    def fetch(self, wanted: Iterable[bytes]) -> dict[bytes, bytes]:
        """The frames of those chunks that are there."""
        return {h: self.chunks[h] for h in wanted if h in self.chunks}

    def latest(self, checkpoint_ns: str) -> CheckpointRow | None:
        """The newest visible checkpoint of a namespace."""
        for checkpoint_id in reversed(self.ids.get(checkpoint_ns, ())):
            row = self.rows[checkpoint_ns, checkpoint_id]
            if not row.flags & HIDDEN:
                return row
        return None

    def load(self, row: CheckpointRow, wanted: Wanted) -> Loaded:
        """A row with its writes and the chunks that are wanted."""
        writes = list(self.writes.get((row.checkpoint_ns, row.checkpoint_id), {}).values())
        refs = wanted(row) + b"".join(w.refs for w in writes)
        return Loaded(row, writes, collect(refs, self.fetch) if refs else {})

    def sweep(self) -> int:
        """Drop the chunks that no row needs; gives how many."""
        refs = [row.refs for row in self.rows.values()]
        refs += [w.refs for batch in self.writes.values() for w in batch.values()]
        used = reachable(b"".join(refs), self.fetch)
        if used is None:
            return 0
        before = len(self.chunks)
        self.chunks = {h: frame for h, frame in self.chunks.items() if h in used}
        return before - len(self.chunks)


def holds(thread: Thread | None, claims: Sequence[bytes]) -> bool:
    """Whether all these chunks are there."""
    return not claims or (thread is not None and all(h in thread.chunks for h in claims))
