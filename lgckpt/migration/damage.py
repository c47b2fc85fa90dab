"""Checks what passes: frames, cells, chunks and their content; and sets damage aside by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import ConfigurationError, FrameError, LgckptError, UnsupportedFormatError
from lgckpt.migration.report import Damage
from lgckpt.packing import ROW_TYPES, check_write, unpack_state
from lgckpt.rows import REF_SIZE, ROOT_LEVEL, CheckpointRow, Chunk, WriteRow

_KINDS = {True: b"\1", False: b"\0"}
"""First byte in a write's frame, by whether it has a reference; see `lgckpt.packing`."""

_DAMAGE = (LgckptError, ValueError, TypeError, AttributeError)


class Sound(NamedTuple):
    """What of a batch can be moved, and what cannot."""

    batch: Batch
    damage: list[Damage]


class _Trees:
    """The chunks of one batch; each is checked once."""

    def __init__(self, batch: Batch) -> None:
        self._frames = {chunk.hash: chunk.frame for chunk in batch.chunks}
        self._claims = frozenset(batch.claims)
        self._found: dict[tuple[int, bytes], str] = {}

    def fault(self, refs: bytes) -> str:
        """What is wrong with the chunks below references; "" if nothing is."""
        if len(refs) % REF_SIZE:
            return "its references are cut short"
        for level, key in _parts(refs):
            if fault := self._fault(level, key):
                return fault
        return ""

    def _fault(self, level: int, key: bytes) -> str:
        """Walks down without recursion in Python beyond the levels that a tree can have."""
        found = self._found.get((level, key))
        if found is None:
            found = self._check(level, key)
            self._found[level, key] = found
        return found

    def _check(self, level: int, key: bytes) -> str:
        if key in self._claims:
            return ""
        try:
            below = self._open(level, key)
        except _DAMAGE as exc:
            return f"chunk {key.hex()} of level {level} {exc}"
        faults = (self._fault(child, hashed) for child, hashed in _parts(below))
        return next(filter(None, faults), "")

    def _open(self, level: int, key: bytes) -> bytes:
        """Check one chunk; gives the references below it."""
        frame = self._frames.get(key)
        if frame is None:
            raise FrameError("is missing")
        if core.hash_chunk(level, core.unseal(frame)) != key:
            raise FrameError("holds what belongs to another")
        below = core.children(level, frame) if level else b""
        if level == ROOT_LEVEL and ROOT_LEVEL in below[::REF_SIZE]:
            raise FrameError("is a root within a root")
        return below

    def needed(self, refs: Iterable[bytes]) -> tuple[list[Chunk], list[bytes]]:
        """The chunks and the claims that references lead to, as far as those are there."""
        chunks: dict[bytes, bytes] = {}
        claims: dict[bytes, None] = {}
        stack = [part for one in refs for part in _parts(one)]
        while stack:
            level, key = stack.pop()
            if key in chunks:
                continue
            if key in self._claims:
                claims[key] = None
                continue
            frame = self._frames.get(key)
            if frame is None:
                continue
            chunks[key] = frame
            if level:
                with suppress(*_DAMAGE):
                    stack.extend(_parts(core.children(level, frame)))
        return [Chunk(*item) for item in chunks.items()], list(claims)


def _parts(refs: bytes) -> Iterator[tuple[int, bytes]]:
    return ((refs[i], refs[i + 1 : i + REF_SIZE]) for i in range(0, len(refs), REF_SIZE))


def sound(batch: Batch) -> Sound:
    """Check all of a batch, and leave out what is damaged.

    A row as it was stored has its etag; only one that has another is taken apart.

    Raises:
        UnsupportedFormatError: A newer release wrote something.
    """
    if core.sound(batch.rows, batch.writes, batch.chunks, batch.claims):
        return Sound(batch, [])
    trees = _Trees(batch)
    damage: list[Damage] = []
    rows = [row for row in batch.rows if not _note(damage, row, _row_fault(row, trees))]
    writes = [w for w in batch.writes if not _note(damage, w, _write_fault(w, trees))]
    if not damage:
        return Sound(batch, damage)
    return Sound(needed(batch._replace(rows=rows, writes=writes), trees), damage)


def needed(batch: Batch, trees: _Trees | None = None) -> Batch:
    """A batch without the chunks and claims that its rows and writes do not lead to."""
    refs = [one.refs for part in (batch.rows, batch.writes) for one in part]
    chunks, claims = (trees or _Trees(batch)).needed(one for one in refs if type(one) is bytes)
    return batch._replace(chunks=chunks, claims=claims)


Fault = tuple[str | None, str]
"""The channel, if it is within one, and the reason."""


def _note(damage: list[Damage], row: CheckpointRow | WriteRow, fault: Fault | None) -> bool:
    if fault is not None:
        damage.append(Damage(row.thread_id, row.checkpoint_ns, row.checkpoint_id, *fault))
    return fault is not None


def _row_fault(row: CheckpointRow, trees: _Trees) -> Fault | None:
    try:
        if _is_as_stored(row) and not (row.refs and trees.fault(row.refs)):
            return None
        state = unpack_state(row)
        if b"\0" not in core.unseal(row.metadata):
            raise FrameError("metadata without a tag")
    except (UnsupportedFormatError, ConfigurationError):
        raise
    except _DAMAGE as exc:
        return None, f"cannot be read: {exc}"
    for channel, value in state.values.items():
        if value.refs and (fault := trees.fault(value.refs)):
            return channel, fault
    return None


def _is_as_stored(row: CheckpointRow) -> bool:
    types = tuple(map(type, row[3:]))
    return types in ROW_TYPES and row.etag == core.etag(row.state, row.refs, row.metadata)


def _write_fault(row: WriteRow, trees: _Trees) -> Fault | None:
    try:
        check_write(row)
        if core.unseal(row.value)[:1] != _KINDS[bool(row.refs)]:
            raise FrameError("a write whose value and references do not belong together")
    except UnsupportedFormatError:
        raise
    except _DAMAGE as exc:
        channel = row.channel if isinstance(row.channel, str) else None
        return channel, f"a write of task {row.task_id!r} cannot be read: {exc}"
    if row.refs and (fault := trees.fault(row.refs)):
        return row.channel, f"a write of task {row.task_id!r}: {fault}"
    return None
