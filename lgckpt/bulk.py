"""Whole threads as they pass between databases: what migration, inspection and repair read.

The verbs that give and take these are in `lgckpt.storage`. Everything is paged, so that no
thread, however long, is held at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lgckpt.rows import CheckpointRow, Chunk, WriteRow

Place = tuple[str, str]
"""(checkpoint_ns, checkpoint_id) within one thread."""

Known = Callable[[bytes], bool]
"""Says of a chunk's hash that neither it nor what is below it is wanted."""


class ThreadPage(NamedTuple):
    """Some threads.

    Attributes:
        threads: Their ids.
        after: What to ask for the next page with; None after the last one.
    """

    threads: Sequence[str]
    after: str | None


class Mark(NamedTuple):
    """A place where a thread has a checkpoint, or pending writes, or both.

    Attributes:
        etag: The row's etag; empty where the layout has none, or the row is damaged; None where
            only writes are there. With no writes either, an index names what is not there.
        flags: The row's flags; 0 without a row.
        writes: How many pending writes are there.
    """

    checkpoint_ns: str
    checkpoint_id: str
    etag: bytes | None
    flags: int
    writes: int

    @property
    def place(self) -> Place:
        """The namespace and the checkpoint."""
        return self.checkpoint_ns, self.checkpoint_id


class ChunkPage(NamedTuple):
    """Some chunks of a thread; one may come twice.

    Attributes:
        chunks: With their frames.
        after: What to ask for the next page with; None after the last one.
    """

    chunks: Sequence[Chunk]
    after: str | None


class Batch(NamedTuple):
    """Rows of one thread, with what they need.

    Attributes:
        rows: Checkpoints, hidden ones too, in no given order.
        writes: Pending writes, whether or not their checkpoint is there, in no given order.
        chunks: Chunks that the rows and writes need.
        claims: Hashes of chunks that they need as well and that are taken to be there.
    """

    rows: Sequence[CheckpointRow] = ()
    writes: Sequence[WriteRow] = ()
    chunks: Sequence[Chunk] = ()
    claims: Sequence[bytes] = ()

    @property
    def refs(self) -> bytes:
        """All references of the rows and the writes."""
        return b"".join([row.refs for row in self.rows] + [one.refs for one in self.writes])


class Room(NamedTuple):
    """How much of several threads is read at once.

    Attributes:
        places: Most places of a thread; one that has more is not read.
        size: Most bytes of a thread; after as many no further one is begun.
    """

    places: int
    size: int


WRITES_A_PLACE = 16
"""Pending writes that a place has on average, at most, for its thread to be read in one go."""


def size_of(batch: Batch) -> int:
    """The bytes of a batch's rows, writes and chunks, as they are stored."""
    size = sum([len(row[7]) + len(row[8]) + len(row[9]) for row in batch.rows])
    size += sum([len(write[8]) + len(write[9]) for write in batch.writes])
    return size + sum([len(name) + len(frame) for name, frame in batch.chunks])


def claiming(known: Known) -> tuple[Known, dict[bytes, None]]:
    """`known`, and the hashes that it says are known, filled in as it is asked."""
    claims: dict[bytes, None] = {}

    def asked(name: bytes) -> bool:
        if known(name):
            claims[name] = None
            return True
        return False

    return asked, claims
