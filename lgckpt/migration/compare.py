"""Whether two rows say the same: quickly where they are stored alike, else by their content.

Packings, compressions and the way a value is cut may differ; no object is made of anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lgckpt.bulk import Batch, Place
from lgckpt.core import core
from lgckpt.errors import ConfigurationError, LgckptError
from lgckpt.migration.plain import Ext, plain, plain_bytes
from lgckpt.packing import Value, unpack_state
from lgckpt.rows import HIDDEN, CheckpointRow, WriteRow

WriteName = tuple[str, str, str, int]
"""(checkpoint_ns, checkpoint_id, task_id, idx)"""

_SETS = (["builtins", "set"], ["builtins", "frozenset"])
"""How LangGraph's extensions name them; their order changes from one run to the next."""

Chunks = Mapping[bytes, bytes]


def rows_by_place(batch: Batch) -> dict[Place, CheckpointRow]:
    """The checkpoints of a batch."""
    return {(row.checkpoint_ns, row.checkpoint_id): row for row in batch.rows}


def places_of(batch: Batch) -> list[Place]:
    """Where a batch has rows or writes."""
    names = [(row.checkpoint_ns, row.checkpoint_id) for row in batch.rows]
    names += [(write.checkpoint_ns, write.checkpoint_id) for write in batch.writes]
    return list(dict.fromkeys(names))


def writes_by_name(batch: Batch) -> dict[WriteName, WriteRow]:
    """The pending writes of a batch."""
    return {(w.checkpoint_ns, w.checkpoint_id, w.task_id, w.idx): w for w in batch.writes}


def same_row(a: CheckpointRow, b: CheckpointRow) -> bool:
    """Whether two rows are stored alike, but for the compression; if not, they may still be equal.

    A row that was compressed anew kept its etag.
    """
    if a == b:
        return True
    names = (a.parent_id, a.run_id, a.flags, a.refs) == (b.parent_id, b.run_id, b.flags, b.refs)
    return names and (
        _opened(a.state) == _opened(b.state) and _opened(a.metadata) == _opened(b.metadata)
    )


def same_write(a: WriteRow, b: WriteRow) -> bool:
    """Whether two writes are stored alike, but for the compression."""
    if a == b:
        return True
    names = (a.task_path, a.channel, a.tag, a.refs) == (b.task_path, b.channel, b.tag, b.refs)
    return names and _opened(a.value) == _opened(b.value)


def row_differences(
    a: CheckpointRow, a_chunks: Chunks, b: CheckpointRow, b_chunks: Chunks, *, native: bool
) -> Iterator[str]:
    """What of two checkpoints differs, by content.

    Args:
        a: The source's.
        a_chunks: All chunks it needs.
        b: The target's.
        b_chunks: All chunks that one needs.
        native: Whether both sides keep what other layouts have no place for.
    """
    if (a.parent_id or None) != (b.parent_id or None):
        yield "parent"
    if native and (a.flags & HIDDEN) != (b.flags & HIDDEN):
        yield "visibility"
    if native and a.run_id != b.run_id:
        yield "run"
    metas = [core.unseal(row.metadata).partition(b"\0") for row in (a, b)]
    if not _same(*[(tag.decode(), data) for tag, _, data in metas]):
        yield "metadata"
    mine, theirs = unpack_state(a), unpack_state(b)
    if not _same((mine.tag, mine.checkpoint), (theirs.tag, theirs.checkpoint)):
        yield "checkpoint"
    for channel in dict.fromkeys([*mine.values, *theirs.values]):
        one, other = mine.values.get(channel), theirs.values.get(channel)
        if one is None and not native and channel in _delta_channels(b):
            continue
        if one is None or other is None or not _same_value(one, a_chunks, other, b_chunks):
            yield f"channel {channel}"


def _delta_channels(row: CheckpointRow) -> frozenset[str]:
    """The DeltaChannels that a checkpoint's metadata names.

    LangGraph's tables in Postgres hold a value once for each version: there, each checkpoint of
    a snapshot's version has the snapshot, which is the state that the others replay to.
    """
    tag, _, data = core.unseal(row.metadata).partition(b"\0")
    try:
        found = plain(tag.decode(), data)
    except ConfigurationError:
        return frozenset()
    counters = found.get("counters_since_delta_snapshot") if isinstance(found, dict) else None
    return frozenset(counters) if isinstance(counters, dict) else frozenset()


def write_differs(a: WriteRow, a_chunks: Chunks, b: WriteRow, b_chunks: Chunks) -> bool:
    """Whether two writes of one name differ, by content."""
    if (a.task_path, a.channel) != (b.task_path, b.channel):
        return True
    one, other = _written(a, a_chunks), _written(b, b_chunks)
    return one != other and not _same(one, other)


def _opened(frame: bytes) -> bytes | None:
    try:
        return core.unseal(frame)
    except (LgckptError, ValueError, TypeError):
        return None


def _same_value(a: Value, a_chunks: Chunks, b: Value, b_chunks: Chunks) -> bool:
    if a == b:
        return True
    data = core.assemble(a.size, a.head, a.refs, a.tail, a_chunks)
    other = core.assemble(b.size, b.head, b.refs, b.tail, b_chunks)
    return _same(plain_bytes(a.tag, data), plain_bytes(b.tag, other))


def _written(row: WriteRow, chunks: Chunks) -> tuple[str, bytes]:
    data = core.unseal(row.value)[1:]
    if row.refs:
        data = core.assemble(core.decode(data), b"", row.refs, b"", chunks)
    return plain_bytes(row.tag, data)


def _same(a: tuple[str, bytes], b: tuple[str, bytes]) -> bool:
    """Whether two serialized values are equal, whatever wrote them."""
    if a == b:
        return True
    try:
        one, other = plain(*a), plain(*b)
        return one == other or _canonical(one) == _canonical(other)
    except (ConfigurationError, ValueError, RecursionError):
        # What cannot be read, or is nested too deeply to be compared, is not called equal.
        return False


def _canonical(value: Any) -> str:
    """A text that is equal for equal values, NaN included, and sets in whatever order."""
    if isinstance(value, Ext) and isinstance(value.content, list) and value.content[:2] in _SETS:
        module, name, items, *rest = value.content
        return f"{module}.{name}{sorted(map(_canonical, items))}{_canonical(rest)}"
    if isinstance(value, dict):
        parts = sorted(f"{_canonical(k)}:{_canonical(v)}" for k, v in value.items())
        return "{" + ",".join(parts) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_canonical, value)) + "]"
    return repr(value)
