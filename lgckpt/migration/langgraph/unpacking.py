"""lgckpt's rows as LangGraph's layouts want them: whole values, and metadata that JSON can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import _msgpack_ext_hook_to_json

from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.errors import DecodeError, FrameError
from lgckpt.migration.langgraph.reading import loads_json
from lgckpt.migration.langgraph.rows import HIDDEN_MARK
from lgckpt.migration.langgraph.slicing import VALUES, Typed, join, untyped
from lgckpt.packing import Value, check_write, metadata_bytes, value_bytes, write_bytes
from lgckpt.reading import DAMAGE, named, read_state
from lgckpt.rows import HIDDEN, CheckpointKey, CheckpointRow, WriteRow
from lgckpt.serde import Serializer

_OPAQUE = (
    "is {tag!r}, which {where} cannot hold: "
    "pass its serializer to the library function (serde=), or leave it out (--skip-corrupt)"
)


class Unpacked(NamedTuple):
    """A checkpoint with its values still packed.

    Attributes:
        bare: The checkpoint without its values, serialized.
        metadata: Plain data, as JSON has it.
    """

    row: CheckpointRow
    bare: Typed
    values: dict[str, Value]
    metadata: dict[str, Any]


def lacks(batch: Batch) -> bool:
    """Whether chunks of a batch are left out: a layout without chunks has none of its own."""
    if not batch.claims:
        return False
    there = {chunk.hash for chunk in batch.chunks}
    return not there.issuperset(batch.claims)


class Unpacker:
    """Unpacks the rows of a batch, one after another.

    Args:
        batch: With every chunk that its rows need.
        serde: What reads values of a tag that the layout cannot hold.
    """

    def __init__(self, batch: Batch, serde: SerializerProtocol | None) -> None:
        self._chunks = {chunk.hash: chunk.frame for chunk in batch.chunks}
        self._serde = serde
        self._own = Serializer()
        self._seen: dict[str, tuple[Value, bytes]] = {}

    def row(self, row: CheckpointRow) -> Unpacked:
        """Open a checkpoint's row.

        Raises:
            CorruptCheckpointError: It is damaged.
        """
        state = read_state(row)
        try:
            metadata = self._metadata(row)
        except DAMAGE as exc:
            raise named(exc, row.key) from exc
        return Unpacked(row, (state.tag, state.checkpoint), state.values, metadata)

    def value(self, row: CheckpointRow, channel: str, value: Value) -> bytes:
        """A value, still serialized.

        Raises:
            CorruptCheckpointError: It is damaged.
        """
        seen = self._seen.get(channel)
        if seen is not None and seen[0] == value:
            return seen[1]
        try:
            data = value_bytes(value, self._chunks)
        except DAMAGE as exc:
            raise named(exc, row.key, channel) from exc
        self._seen[channel] = value, data
        return data

    def write(self, row: WriteRow) -> bytes:
        """A pending write's value, still serialized.

        Raises:
            CorruptCheckpointError: It is damaged.
        """
        try:
            check_write(row)
            return write_bytes(row, self._chunks)
        except DAMAGE as exc:
            key = CheckpointKey(row.thread_id, row.checkpoint_ns, row.checkpoint_id)
            raise named(exc, key, row.channel) from exc

    def plain(self, found: Unpacked) -> dict[str, Any]:
        """The checkpoint without its values, as JSON can hold it.

        Raises:
            CorruptCheckpointError: It is damaged, or it is encrypted and there is no serializer.
        """
        try:
            data = self._as_plain(found.bare, "the layout")
            if not isinstance(data, dict) or str(data.get("id")) != found.row.checkpoint_id:
                raise DecodeError("another checkpoint is in its place")
        except DAMAGE as exc:
            raise named(exc, found.row.key) from exc
        return data

    def whole(self, found: Unpacked) -> Typed:
        """The checkpoint with its values, as one serialized value.

        Raises:
            CorruptCheckpointError: It is damaged, or holds what cannot be put into one, and
                there is no serializer.
        """
        row = found.row
        values = {
            channel: (value.tag, self.value(row, channel, value))
            for channel, value in found.values.items()
        }
        channel = None
        try:
            if found.bare[0] == "json" and all(
                tag in ("json", "null") for tag, _ in values.values()
            ):
                return _joined_json(found.bare[1], values)
            if self._serde is not None and "+" in found.bare[0]:
                return self._reserialized(self._serde, found.bare, values)
            bare = self._as_msgpack(found.bare)
            parts: dict[str, bytes] = {}
            for channel, value in values.items():
                parts[channel] = self._as_msgpack(value)
            channel = None
            return "msgpack", join(bare, parts)
        except DAMAGE as exc:
            raise named(exc, row.key, channel) from exc

    def _reserialized(
        self, serde: SerializerProtocol, bare: Typed, values: Mapping[str, Typed]
    ) -> Typed:
        checkpoint = serde.loads_typed(bare)
        checkpoint[VALUES] = {k: serde.loads_typed(value) for k, value in values.items()}
        return serde.dumps_typed(checkpoint)

    def _as_msgpack(self, value: Typed) -> bytes:
        """A value to stand inside another: what msgpack cannot hold is read and written anew.

        JSON that LangGraph wrote before it had msgpack is read as LangGraph reads it.
        """
        data = untyped(value)
        if data is not None:
            return data
        tag = value[0]
        if self._serde is not None:
            found = self._serde.loads_typed(value)
        elif tag == "json" or tag.startswith("msgpack."):
            found = self._own.loads_typed(value)
        else:
            raise FrameError(_OPAQUE.format(tag=tag, where="one checkpoint of msgpack"))
        again = untyped(self._own.dumps_plain(found))
        if again is None:
            raise FrameError(_OPAQUE.format(tag=tag, where="one checkpoint of msgpack"))
        return again

    def _metadata(self, row: CheckpointRow) -> dict[str, Any]:
        data = self._as_plain(metadata_bytes(row.metadata), "LangGraph's metadata")
        if not isinstance(data, dict):
            raise DecodeError("not metadata")
        return {**data, HIDDEN_MARK: True} if row.flags & HIDDEN else data

    def _as_plain(self, value: Typed, where: str) -> Any:
        """Plain data: objects in it become the JSON that LangGraph makes of them."""
        tag, data = value
        if tag == "json":
            return loads_json(data)
        if tag != "msgpack":
            if self._serde is None:
                raise FrameError(_OPAQUE.format(tag=tag, where=where))
            tag, data = self._own.dumps_plain(self._serde.loads_typed(value))
        return core.decode(data, _msgpack_ext_hook_to_json)


def _joined_json(bare: bytes, values: Mapping[str, Typed]) -> Typed:
    checkpoint = loads_json(bare)
    if not isinstance(checkpoint, dict):
        raise DecodeError("not a checkpoint")
    checkpoint[VALUES] = {
        channel: None if tag == "null" else loads_json(data)
        for channel, (tag, data) in values.items()
    }
    return "json", json.dumps(checkpoint, ensure_ascii=False).encode("utf-8", "ignore")
