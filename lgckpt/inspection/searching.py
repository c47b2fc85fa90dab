"""`search`: a pattern in what threads hold, each distinct value looked at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from lgckpt.bulk import Batch, Place, everything, nothing
from lgckpt.core import core
from lgckpt.errors import ConfigurationError, LgckptError
from lgckpt.inspection.checkpoints import open_row
from lgckpt.inspection.damage import DAMAGED, damage
from lgckpt.inspection.reading import Where, by_place, fetch, opened, stepwise, threads
from lgckpt.inspection.views import Opaque, Typed, decode, extension
from lgckpt.migration.marks import all_marks
from lgckpt.migration.report import Damage
from lgckpt.migration.sides import Side
from lgckpt.packing import Value, check_write, unpack_value, unpack_write
from lgckpt.rows import HIDDEN, CheckpointRow, WriteRow

_PAGE = 64
"""Checkpoints whose rows are read at once."""

_BYTES = 16 * 1024 * 1024
"""Values that are held at once, about, in bytes; a single one may be larger."""

_REMEMBERED = 1_000_000
"""Hashes of what was searched that are kept, about; beyond, a value may be searched again."""

_WRITE = 256 * 1024
"""Bytes that a pending write with chunks is taken to have."""

_AROUND = 40
"""Characters of a snippet before and after what was found."""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a pattern was found first; in later checkpoints that hold the same it is not told.

    Attributes:
        channel: The channel, or None for the metadata.
        pending: Whether it is a pending write to the channel.
        path: Within the value, as in `[3].content`.
        snippet: What was found, with what is around it.
        span: Where in the snippet the found text begins and ends.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    channel: str | None
    pending: bool
    path: str
    snippet: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not searched, told at the end.

    Attributes:
        reason: "encrypted" or "pickled", say.
        values: How many values there are of that.
    """

    reason: str
    values: int


def search(
    where: Where, pattern: str, *, ignore_case: bool = False, prefix: str = ""
) -> Iterator[Found]:
    """Search the texts in all values: of channels, pending writes and metadata.

    Args:
        where: The database.
        pattern: A regular expression, as of `re`.
        ignore_case: Whether case does not matter.
        prefix: Only threads whose ids begin so.

    Yields:
        What was found, oldest checkpoint first, one for each text; and what cannot be read.

    Raises:
        ConfigurationError: It is no regular expression.
        StorageError: The database cannot be used.
    """
    return stepwise(lambda: asearch(where, pattern, ignore_case=ignore_case, prefix=prefix))


async def asearch(
    where: Where, pattern: str, *, ignore_case: bool = False, prefix: str = ""
) -> AsyncIterator[Found]:
    """Async version of `search`."""
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as exc:
        raise ConfigurationError(f"not a regular expression: {pattern!r}: {exc}") from exc
    async with opened(where) as side:
        skipped: Counter[str] = Counter()
        async for thread_id in threads(side, prefix):
            thread = _Thread(side, thread_id, compiled, skipped)
            async for found in thread.matches():
                yield found
        for reason, values in sorted(skipped.items()):
            yield Skipped(reason, values)


Found = Match | Damage | Skipped
"""What a search gives."""


class _Packed:
    """An extension not yet decoded."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code = code
        self.data = data


class _Bytes:
    """A serializer that leaves values as they are."""

    def loads_typed(self, data: tuple[str, bytes]) -> tuple[str, bytes]:
        return data

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        raise NotImplementedError


_BYTES_ONLY = _Bytes()


def _outermost(tag: str, data: bytes) -> Any:
    """A value of which only the outermost container is decoded."""
    return core.decode(data, _Packed) if tag == "msgpack" else decode(tag, data)


class _Once:
    """Remembers what was met, by its hash."""

    def __init__(self) -> None:
        self._met: set[bytes] = set()

    def has(self, *parts: bytes) -> bool:
        return _digest(parts) in self._met

    def is_new(self, *parts: bytes) -> bool:
        found = _digest(parts)
        if found in self._met:
            return False
        self._met.add(found)
        return True

    def make_room(self) -> None:
        """Forget everything, if that is much."""
        if len(self._met) >= _REMEMBERED:
            self._met.clear()


def _digest(parts: Sequence[bytes]) -> bytes:
    hashed = blake2b(digest_size=12)
    for part in parts:
        hashed.update(len(part).to_bytes(8, "little"))
        hashed.update(part)
    return hashed.digest()


def _parts(channel: str, value: Value) -> tuple[bytes, ...]:
    """What tells a channel's value from others."""
    return channel.encode(), value.tag.encode(), value.head, value.refs, value.tail


def _place(row: CheckpointRow | WriteRow) -> Place:
    return row.checkpoint_ns, row.checkpoint_id


def _by_place(writes: Sequence[WriteRow]) -> dict[Place, list[WriteRow]]:
    found: dict[Place, list[WriteRow]] = {}
    for write in writes:
        found.setdefault(_place(write), []).append(write)
    return found


class _Thread:
    def __init__(
        self, side: Side, thread_id: str, pattern: re.Pattern[str], skipped: Counter[str]
    ) -> None:
        self.skipped = skipped
        self._side = side
        self._thread_id = thread_id
        self._pattern = pattern
        self._values = _Once()
        self._objects = _Once()
        self._texts = _Once()

    async def matches(self) -> AsyncIterator[Found]:
        page: list[Place] = []
        async for mark in all_marks(self._side, self._thread_id):
            if mark.flags & HIDDEN:
                continue
            page.append(mark.place)
            if len(page) == _PAGE:
                async for found in self._page(page):
                    yield found
                page = []
        if page:
            async for found in self._page(page):
                yield found

    async def _page(self, page: Sequence[Place]) -> AsyncIterator[Found]:
        """Read the rows, and where they have values not yet searched the chunks."""
        # Not later: of a value that was met no chunks are read, so it must not seem new then.
        self._values.make_room()
        batch, faults = await fetch(self._side, self._thread_id, page, everything)
        for one in faults:
            yield one
        for part, is_large in self._portions(batch):
            whole, faults = await self._whole(part) if is_large else (part, [])
            for one in faults:
                yield one
            for found in self._batch(whole, dict(whole.chunks)):
                yield found

    async def _whole(self, part: Batch) -> tuple[Batch, list[Damage]]:
        """The same rows and writes, with their chunks."""
        places = [_place(row) for row in part.rows] + [_place(write) for write in part.writes]
        wanted = list(dict.fromkeys(places))
        return await fetch(self._side, self._thread_id, wanted, nothing)

    def _portions(self, batch: Batch) -> Iterator[tuple[Batch, bool]]:
        """The batch in order, as much together as has values of some size.

        With each, whether chunks have to be read for it.
        """
        rows, writes = by_place(batch.rows), _by_place(batch.writes)
        part, held, is_large = Batch([], []), 0, False
        for place in sorted({*rows, *writes}):
            size = self._size(rows.get(place), writes.get(place, ()))
            if held and held + size > _BYTES:
                yield part, is_large
                part, held, is_large = Batch([], []), 0, False
            part = Batch(
                [*part.rows, *([rows[place]] if place in rows else [])],
                [*part.writes, *writes.get(place, ())],
            )
            held += size
            is_large |= size > 0
        yield part, is_large

    def _size(self, row: CheckpointRow | None, writes: Sequence[WriteRow]) -> int:
        """Bytes of the values for which chunks have to be read: not of those searched before."""
        size = sum(len(write.refs) and _WRITE for write in writes)
        if row is None or not row.refs:
            return size
        try:
            values = open_row(row).state.values
        except DAMAGED:
            return size
        return size + sum(
            value.size
            for channel, value in values.items()
            if value.refs and not self._values.has(*_parts(channel, value))
        )

    def _batch(self, batch: Batch, chunks: Mapping[bytes, bytes]) -> Iterator[Found]:
        for place, row in sorted(by_place(batch.rows).items()):
            if row.flags & HIDDEN:
                continue
            try:
                taken = open_row(row)
            except DAMAGED as exc:
                yield damage(exc, self._thread_id, place)
                continue
            if taken.encrypted:
                self.skipped["encrypted"] += 1
            yield from self._found(place, None, False, taken.metadata)
            for channel, value in taken.state.values.items():
                yield from self._value(place, channel, value, chunks)
        for write in batch.writes:
            yield from self._write(write, chunks)

    def _value(
        self, place: Place, channel: str, value: Value, chunks: Mapping[bytes, bytes]
    ) -> Iterator[Found]:
        if not self._values.is_new(*_parts(channel, value)):
            return
        try:
            serialized = unpack_value(_BYTES_ONLY, value, chunks)
            yield from self._serialized(place, channel, False, *serialized)
        except DAMAGED as exc:
            yield damage(exc, self._thread_id, place, channel)

    def _write(self, row: WriteRow, chunks: Mapping[bytes, bytes]) -> Iterator[Found]:
        place = row.checkpoint_ns, row.checkpoint_id
        try:
            check_write(row)
            serialized = unpack_write(_BYTES_ONLY, row, chunks)
            yield from self._serialized(place, row.channel, True, *serialized)
        except DAMAGED as exc:
            yield damage(exc, self._thread_id, place, str(row.channel))

    def _serialized(
        self, place: Place, channel: str, pending: bool, tag: str, data: bytes
    ) -> Iterator[Match]:
        """Search a value, unless it was searched as it was packed in another way."""
        if self._values.is_new(channel.encode(), tag.encode(), data):
            yield from self._found(place, channel, pending, _outermost(tag, data))

    def _found(
        self, place: Place, channel: str | None, pending: bool, view: Any
    ) -> Iterator[Match]:
        self._objects.make_room()
        self._texts.make_room()
        name = (channel or "").encode()
        for path, text in self._leaves(name, "", view):
            found = self._pattern.search(text)
            if found is not None and self._texts.is_new(name, text.encode(errors="replace")):
                snippet, span = _snippet(text, *found.span())
                yield Match(self._thread_id, *place, channel, pending, path, snippet, span)

    def _leaves(self, channel: bytes, path: str, view: Any) -> Iterator[tuple[str, str]]:
        """The texts in a value, and where they are; objects met before are left out."""
        if isinstance(view, _Packed):
            if self._objects.is_new(channel, view.data):
                yield from self._leaves(channel, path, _inside(view))
        elif isinstance(view, str):
            yield path, view
        elif isinstance(view, Typed):
            yield from self._leaves(channel, path, view.content)
        elif isinstance(view, dict):
            for key, value in view.items():
                inner = f"{path}.{key}" if path else str(key)
                if isinstance(key, str):
                    yield inner, key
                yield from self._leaves(channel, inner, value)
        elif isinstance(view, list):
            for number, value in enumerate(view):
                yield from self._leaves(channel, f"{path}[{number}]", value)
        elif isinstance(view, Opaque):
            self.skipped[view.reason] += 1
        elif isinstance(view, (int, float)) and not isinstance(view, bool):
            yield path, repr(view)


def _inside(packed: _Packed) -> Any:
    """What an extension holds; nothing can be found in one that is no object of a class."""
    try:
        return extension(packed.code, packed.data)
    except LgckptError:
        return None


def _snippet(text: str, start: int, end: int) -> tuple[str, tuple[int, int]]:
    end = min(end, start + 2 * _AROUND)
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    before, after = "…" if first else "", "…" if last < len(text) else ""
    snippet = before + text[first:last] + after
    offset = len(before) - first
    return snippet, (start + offset, end + offset)
