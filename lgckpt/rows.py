"""What is stored, exactly: immutable rows that pass between packing and a backend.

Named tuples, since every put and get makes several: they cost a third of a frozen dataclass.

A backend stores these and gives them back; it never looks inside `state`, `metadata`
or `value`. `refs` it does read, to know which chunks a row needs: 21 bytes a
reference, one for the level and 20 for the hash (see `lgckpt.core`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

REF_SIZE = 21
"""Bytes of one reference in `refs`: a level (u8) and a hash (20 bytes)."""

ROOT_LEVEL = 255
"""Level of a chunk that holds a whole root; leaves have 0, nodes 1 to 32."""

HIDDEN = 1
"""Flag of a row that only a surviving DeltaChannel's replay still needs: no read shows it."""


class CheckpointKey(NamedTuple):
    """Names one checkpoint."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str


class CheckpointRow(NamedTuple):
    """One checkpoint.

    Attributes:
        parent_id: The checkpoint this one was made from, if any.
        run_id: `metadata["run_id"]`, beside the metadata so that `delete_for_runs` finds it.
        flags: `HIDDEN` or 0.
        etag: Eight bytes that change whenever the row's content does.
        metadata: A frame of the serialized metadata.
        state: A frame of the serialized checkpoint and its channel values.
        refs: The chunks that `state` refers to, in order.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None
    run_id: str | None
    flags: int
    etag: bytes
    metadata: bytes
    state: bytes
    refs: bytes

    @property
    def key(self) -> CheckpointKey:
        """The name of this checkpoint."""
        return CheckpointKey(self.thread_id, self.checkpoint_ns, self.checkpoint_id)


class WriteRow(NamedTuple):
    """One pending write.

    Attributes:
        value: A frame of the serialized value, or of its size where `refs` names the value.
        refs: At most one reference.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    task_id: str
    idx: int
    task_path: str
    channel: str
    tag: str
    value: bytes
    refs: bytes


class Chunk(NamedTuple):
    """A content-addressed piece of a value: its 20-byte key and its frame."""

    hash: bytes
    frame: bytes


class ParentClaim(NamedTuple):
    """The parent row a put was built upon: stored only if it is still that row."""

    checkpoint_id: str
    etag: bytes


class PutCheckpoint(NamedTuple):
    """A checkpoint to store, all or nothing.

    Attributes:
        chunks: Chunks that may not be there yet.
        parent: The row whose references `row` shares, to be checked in the same transaction.
        claims: Hashes of further chunks taken to be there, to be checked likewise.
    """

    row: CheckpointRow
    chunks: Sequence[Chunk] = ()
    parent: ParentClaim | None = None
    claims: Sequence[bytes] = ()


class PutWrites(NamedTuple):
    """Pending writes to store: of one task, all or nothing, or of several of one checkpoint.

    Those of several tasks stand task by task, have no chunks, and are all or nothing by task.

    Attributes:
        upsert: Replace what is there (special writes), or leave it.
        chunks: Chunks that may not be there yet.
        claims: Hashes of further chunks taken to be there.
    """

    rows: Sequence[WriteRow]
    upsert: bool
    chunks: Sequence[Chunk] = ()
    claims: Sequence[bytes] = ()


class Loaded(NamedTuple):
    """A checkpoint with its pending writes and every chunk that they need."""

    row: CheckpointRow
    writes: Sequence[WriteRow]
    chunks: Mapping[bytes, bytes]


class Written(NamedTuple):
    """Pending writes and every chunk that they need."""

    rows: Sequence[WriteRow]
    chunks: Mapping[bytes, bytes]


class ScanQuery(NamedTuple):
    """Which checkpoints to list, newest first.

    Attributes:
        thread_id: One thread, or None for all of them.
        checkpoint_ns: One namespace, or None for all of them.
        checkpoint_id: One checkpoint, or None for all of them.
        before: Only checkpoint ids below this one.
        after: The last key of the previous page.
        limit: Rows a page.
    """

    thread_id: str | None = None
    checkpoint_ns: str | None = None
    checkpoint_id: str | None = None
    before: str | None = None
    after: CheckpointKey | None = None
    limit: int = 64


class Head(NamedTuple):
    """What a scan yields: the key and the metadata, without the state."""

    key: CheckpointKey
    metadata: bytes


class Entry(NamedTuple):
    """A checkpoint in a thread's index, as retention rules read it."""

    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None
    run_id: str | None
    flags: int


@dataclass(slots=True)
class ThreadEdit:
    """What retention decided for one thread; a backend carries it out in one transaction.

    Attributes:
        delete: (checkpoint_ns, checkpoint_id) of rows to delete, with their pending writes.
        replace: Rows to store in place of those of the same key.
        trim_writes: For each key, the only channels whose pending writes stay.
        drop_namespaces: Namespaces to delete whole, writes without a checkpoint too.
    """

    delete: list[tuple[str, str]] = field(default_factory=list)
    replace: list[CheckpointRow] = field(default_factory=list)
    trim_writes: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    drop_namespaces: list[str] = field(default_factory=list)


def whole(row: CheckpointRow) -> CheckpointRow:
    """A row with its state written out, and the etag it has then.

    Where rows stay in this process, the compiled core may give a state that is told by the
    parent's; whoever reads the row gets it as any other is.
    """
    state: Any = row.state
    if type(state) is bytes or not hasattr(state, "sealed"):
        return row
    state, etag = state.sealed(row.metadata)
    return row._replace(state=state, etag=etag)


def has_etag(row: CheckpointRow, etag: bytes) -> bool:
    """Whether a row has this etag, for who stored it or for who read it."""
    return row.etag == etag or getattr(row.state, "etag", None) == etag


def hashes(refs: bytes) -> list[bytes]:
    """The hashes named by `refs`, without their levels."""
    return [refs[i + 1 : i + REF_SIZE] for i in range(0, len(refs), REF_SIZE)]
