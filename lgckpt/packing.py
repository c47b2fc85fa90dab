"""Checkpoints and writes to rows and back, without any I/O.

A channel's value is stored in one of two ways. A small one stays in the row. A
large one is a chunk tree: the row holds its header, the references of what is
complete, and the bytes after the last cut, so that an append writes one row and
seldom a chunk. A value that a step does not change is *settled*: moved out of the
row into one chunk, so that carrying it on costs 21 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from langgraph.checkpoint.base import Checkpoint, CheckpointMetadata
from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.core import core
from lgckpt.errors import FrameError, UnsupportedFormatError
from lgckpt.rows import REF_SIZE, CheckpointRow, Chunk, WriteRow, hashes
from lgckpt.serde import Serializer

STATE_VERSION = 1
"""Version of the layout inside `CheckpointRow.state`."""

INLINE_MAX = 2048
"""Largest value, in bytes, that is kept in the row that first holds it."""

ELEMENT_MIN = 96
"""Bytes an element of a list takes, on average, for a look at it to be worth while."""

SETTLE_MIN = 96
"""An unchanged value above this many bytes in the row is settled; a chunk costs about as much."""


_SMALL, _LARGE = b"\0", b"\1"
"""What follows in a write's frame: its value, or the size of the one its reference names."""

ROW_TYPES = frozenset(
    (parent_id, run_id, int, bytes, bytes, bytes, bytes)
    for parent_id in (str, type(None))
    for run_id in (str, type(None))
)
"""Types of a row's cells after its key: a damaged SQLite file gives any type in any column."""

_WRITE_TYPES = (str, int, str, str, str, bytes, bytes)


class Value(NamedTuple):
    """One channel's value as stored: `head + expand(refs) + tail`, `size` bytes in all."""

    tag: str
    size: int
    head: bytes
    refs: bytes
    tail: bytes


class Packed(NamedTuple):
    """A value with its chunk tree, if it has one, and the chunk of an opaque one."""

    value: Value
    tree: Any | None
    chunk: Chunk | None


class State(NamedTuple):
    """What `CheckpointRow.state` holds: the checkpoint without values, still serialized."""

    tag: str
    checkpoint: bytes
    values: dict[str, Value]


class Packer:
    """Packs with one serializer and one codec.

    Attributes:
        serde: The saver's serializer. With any but `Serializer`, bytes are stored as it
            gives them: it may encrypt, and then no hash of plain text may lie beside.
        codec: How chunks and rows are compressed: "lz4", "zstd" or None.
        dumps: Serializes, never compressed.
        rows: Makes and reads rows of small values in one call; None if the serializer cannot.
        rules: How such a row is made: the codec, the longest value that stays in a row and that
            of those carried on, in bytes, and whether rows stay in this process, where a state may
            be told by the parent's.
    """

    __slots__ = ("_own", "codec", "dumps", "rows", "rules", "serde")

    def __init__(
        self, serde: SerializerProtocol, codec: str | None, *, stays: bool = False
    ) -> None:
        self.serde = serde
        self.codec = codec
        self.rules = (codec, INLINE_MAX, SETTLE_MIN, stays)
        self.dumps: Callable[[Any], tuple[str, bytes]] = serde.dumps_typed
        self._own: Serializer | None = None
        if isinstance(serde, Serializer) and type(serde).dumps_typed is Serializer.dumps_typed:
            self.dumps = serde.dumps_plain
            self._own = serde
        is_read_alike = type(serde).loads_typed is Serializer.loads_typed
        self.rows: Serializer | None = self._own if is_read_alike else None

    def value(self, obj: Any, earlier: Any | None = None) -> Packed:
        """Serialize a channel value or a write, and split it if it is large.

        Args:
            obj: The value.
            earlier: The chunk tree of the channel's last value, whose hashes are taken over as
                far as the bytes are the same, and of a list the bytes as far as it is proved
                unchanged.
        """
        if earlier is not None and self._own is not None:
            tree = self._own.dumps_tree(obj, earlier, ELEMENT_MIN)
            if tree is not None:
                return _packed("msgpack", tree)
        tag, data = self.dumps(obj)
        return self.serialized(tag, data if type(data) is bytes else bytes(data), earlier)

    def serialized(self, tag: str, data: bytes, earlier: Any | None = None) -> Packed:
        """Split a value that is serialized already, if it is large.

        Args:
            tag: The serializer's name for the bytes. What is encrypted (a plus in the tag) is
                stored as it is: no two encryptions of a value share any bytes.
            data: The bytes.
            earlier: As for `value`.
        """
        if len(data) <= INLINE_MAX:
            return Packed(Value(tag, len(data), b"", b"", data), None, None)
        if self._own is None or "+" in tag:
            ref, frame = core.seal_leaf(data, self.codec)
            return Packed(Value(tag, len(data), b"", ref, b""), None, Chunk(ref[1:], frame))
        return _packed(tag, core.Tree(data, tag == "msgpack", earlier))

    def settle(self, value: Value) -> tuple[Value, Chunk | None]:
        """Move what a row holds of a value into one chunk, if that is worth it."""
        if len(value.refs) == REF_SIZE and not value.tail and not value.head:
            return value, None
        if not value.refs:
            if value.size <= SETTLE_MIN:
                return value, None
            ref, frame = core.seal_leaf(value.tail, self.codec)
        else:
            ref, frame = core.seal_root(value.size, value.head, value.refs, value.tail, self.codec)
        return Value(value.tag, value.size, b"", ref, b""), Chunk(ref[1:], frame)

    def metadata(self, metadata: CheckpointMetadata) -> bytes:
        """Frame the metadata with its tag before it."""
        tag, data = self.dumps(metadata)
        return self.sealed_metadata(tag, data)

    def sealed_metadata(self, tag: str, data: bytes) -> bytes:
        """Frame metadata that is serialized already."""
        return core.seal(tag.encode() + b"\0" + data, self.codec)

    def checkpoint(self, checkpoint: Checkpoint) -> tuple[str, bytes]:
        """Serialize a checkpoint without its channel values."""
        tag, data = self.dumps({k: v for k, v in checkpoint.items() if k != "channel_values"})
        return tag, bytes(data)

    def state(self, state: State) -> tuple[bytes, bytes]:
        """Frame a state: the row's `state` and `refs`."""
        rows: list[Any] = []
        refs: list[bytes] = []
        for channel, (tag, size, head, own, tail) in state.values.items():
            if own:
                rows.append((channel, tag, tail, size, head, len(own) // REF_SIZE))
                refs.append(own)
            else:
                rows.append((channel, tag, tail))
        plain = core.encode((STATE_VERSION, state.tag, state.checkpoint, rows))
        return core.seal(plain, self.codec), b"".join(refs)

    def inline(self, versions: dict[str, Any], values: Mapping[str, Value]) -> Any:
        """What to remember of a row with these values, none of them large, if that helps."""
        if self.rows is None:
            return None
        return self.rows.inline_state(versions, ((c, v.tag, v.tail) for c, v in values.items()))


def _packed(tag: str, tree: Any) -> Packed:
    """A value that was split, unless it is small after all."""
    refs = tree.refs if tree.size > INLINE_MAX else b""
    if not refs:
        return Packed(Value(tag, tree.size, b"", b"", tree.data), None, None)
    return Packed(Value(tag, tree.size, tree.head, refs, tree.tail), tree, None)


def unpack_state(row: CheckpointRow) -> State:
    """Read a row's state, its values still packed.

    Raises:
        FrameError: It is damaged.
        UnsupportedFormatError: A newer release wrote it.
    """
    if tuple(map(type, row[3:])) not in ROW_TYPES:
        raise FrameError("a cell of its row has no value of its type")
    fields = core.decode(core.unseal(row.state))
    if not isinstance(fields, list) or not fields:
        raise FrameError("not a checkpoint state")
    if fields[0] != STATE_VERSION:
        raise UnsupportedFormatError(
            f"checkpoint state of format version {fields[0]!r}; "
            f"this release of lgckpt reads version {STATE_VERSION}"
        )
    try:
        _, tag, checkpoint, rows = fields
        values: dict[str, Value] = {}
        start = 0
        for channel, vtag, tail, *large in rows:
            if large:
                size, head, count = large
                end = start + count * REF_SIZE
                values[channel] = Value(vtag, size, head, row.refs[start:end], tail)
                start = end
            else:
                values[channel] = Value(vtag, len(tail), b"", b"", tail)
    except (TypeError, ValueError) as exc:
        raise FrameError("checkpoint state has another shape") from exc
    if start != len(row.refs):
        raise FrameError(f"{len(row.refs)} bytes of references, {start} in use")
    return State(tag, checkpoint, values)


def value_bytes(value: Value, chunks: Mapping[bytes, bytes]) -> bytes:
    """One value, still serialized.

    Raises:
        FrameError: A chunk is missing or damaged.
    """
    if not value.refs:
        return value.tail
    return core.assemble(value.size, value.head, value.refs, value.tail, chunks)


def unpack_value(serde: SerializerProtocol, value: Value, chunks: Mapping[bytes, bytes]) -> Any:
    """Deserialize one value.

    Raises:
        FrameError: A chunk is missing or damaged.
    """
    return serde.loads_typed((value.tag, value_bytes(value, chunks)))


def metadata_bytes(frame: bytes) -> tuple[str, bytes]:
    """A row's metadata, still serialized: its tag and its bytes.

    Raises:
        FrameError: It is damaged.
    """
    if not isinstance(frame, bytes):
        raise FrameError("its metadata is no bytes")
    tag, found, data = core.unseal(frame).partition(b"\0")
    if not found:
        raise FrameError("metadata without a tag")
    return tag.decode(), data


def unpack_metadata(serde: SerializerProtocol, frame: bytes) -> Any:
    """Deserialize a row's metadata.

    Raises:
        FrameError: It is damaged.
    """
    return serde.loads_typed(metadata_bytes(frame))


def pack_write(packer: Packer, packed: Packed) -> tuple[bytes, bytes, Sequence[Chunk]]:
    """A write row's `value` and `refs`, and the root chunk of a large one."""
    value = packed.value
    if not value.refs:
        return core.seal(_SMALL + value.tail, packer.codec), b"", ()
    settled, chunk = packer.settle(value)
    size = core.seal(_LARGE + core.encode(settled.size), None)
    return size, settled.refs, () if chunk is None else (chunk,)


def check_write(row: WriteRow) -> None:
    """Refuse a write of which a cell holds a value of another type: none such can be put in order.

    Raises:
        FrameError: One does.
    """
    if tuple(map(type, row[3:])) != _WRITE_TYPES:
        raise FrameError("a cell of its row has no value of its type")


def write_bytes(row: WriteRow, chunks: Mapping[bytes, bytes]) -> bytes:
    """A pending write's value, still serialized.

    Raises:
        FrameError: It, or a chunk of it, is missing or damaged.
    """
    plain = core.unseal(row.value)
    kind, data = plain[:1], plain[1:]
    if kind != (_LARGE if row.refs else _SMALL):
        raise FrameError("a write whose value and references do not belong together")
    if row.refs:
        size = core.decode(data)
        if not isinstance(size, int):
            raise FrameError("a large write without its size")
        data = core.assemble(size, b"", row.refs, b"", chunks)
    return data


def unpack_write(serde: SerializerProtocol, row: WriteRow, chunks: Mapping[bytes, bytes]) -> Any:
    """Deserialize a pending write's value."""
    return serde.loads_typed((row.tag, write_bytes(row, chunks)))


def parent_hashes(values: Mapping[str, Value]) -> set[bytes]:
    """Every hash that a row with these values names."""
    return {h for value in values.values() for h in hashes(value.refs)}
