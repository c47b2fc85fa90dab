"""A driver whose every verb is timed, and the bytes that it moves counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

from lgckpt.bulk import Batch, ChunkPage
from lgckpt.rows import (
    CheckpointRow,
    Chunk,
    Head,
    Loaded,
    PutCheckpoint,
    PutWrites,
    WriteRow,
)
from lgckpt.storage import Driver


class Verbs(Protocol):
    """Who records verbs."""

    def verb(self, verb: str, seconds: float, error: BaseException | None = None) -> None:
        """A verb ended."""

    def moved(self, direction: str, count: int) -> None:
        """Bytes were sent or fetched."""

    def retried(self, reason: str) -> None:
        """Something is tried again."""


def watched(driver: Driver, to: Verbs) -> Driver:
    """A driver that does what `driver` does, and tells `to`."""

    async def drive(verb: str, *args: Any) -> Any:
        started = perf_counter()
        try:
            result = await driver(verb, *args)
        except BaseException as exc:
            to.verb(verb, perf_counter() - started, exc)
            raise
        to.verb(verb, perf_counter() - started)
        if verb in _SENT:
            to.moved("write", sum(map(_weight, args)))
            if result is False:
                # What was taken to be stored is not there any more: the saver sends it all.
                to.retried("claim")
        elif (count := _fetched(verb, result)) > 0:
            to.moved("read", count)
        return result

    return drive


_SENT = frozenset({"put", "put_writes", "load"})


def _fetched(verb: str, result: Any) -> int:
    """The bytes that a verb gave; of keys and numbers, none."""
    if verb == "chunks":
        return _frames(result)
    if verb == "get_many":
        # Checkpoints of one thread share the chunks that were fetched for them.
        shared = {id(one.chunks): one.chunks for one in result}
        return sum(map(_weight, result)) + sum(map(_frames, shared.values()))
    if verb == "get":
        return 0 if result is None else _weight(result) + _frames(result.chunks)
    if verb == "writes":
        return _writes(result.rows) + _frames(result.chunks)
    return sum(map(_weight, result)) if type(result) is list else _weight(result)


def _weight(moved: Any) -> int:
    measure = _MEASURES.get(type(moved))
    return 0 if measure is None else int(measure(moved))


def _row(row: CheckpointRow) -> int:
    return len(row.metadata) + len(row.state) + len(row.refs)


def _writes(rows: Iterable[WriteRow]) -> int:
    return sum(len(row.value) + len(row.refs) for row in rows)


def _chunks(chunks: Sequence[Chunk]) -> int:
    return sum(len(chunk.frame) for chunk in chunks)


def _frames(chunks: Mapping[bytes, bytes]) -> int:
    return sum(map(len, chunks.values()))


_MEASURES: dict[type, Callable[[Any], int]] = {
    PutCheckpoint: lambda put: _row(put.row) + _chunks(put.chunks),
    PutWrites: lambda put: _writes(put.rows) + _chunks(put.chunks),
    Batch: lambda all: sum(map(_row, all.rows)) + _writes(all.writes) + _chunks(all.chunks),
    ChunkPage: lambda page: _chunks(page.chunks),
    CheckpointRow: _row,
    Loaded: lambda found: _row(found.row) + _writes(found.writes),
    Head: lambda head: len(head.metadata),
}
