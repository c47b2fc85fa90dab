"""What LangGraph's layouts hold, packed into lgckpt's rows: as small as if put by our saver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from langgraph.checkpoint.base import CheckpointMetadata

from lgckpt.bulk import Batch, Known, nothing
from lgckpt.core import core
from lgckpt.migration.langgraph.slicing import Typed
from lgckpt.packing import Packed, Packer, State, Value, pack_write
from lgckpt.rows import HIDDEN, CheckpointRow, Chunk, WriteRow, hashes

HIDDEN_MARK = "lgckpt_hidden"
"""Metadata key of a row that was hidden: LangGraph's layouts have no place for the flag."""


class Found(NamedTuple):
    """A checkpoint as a layout holds it, its values still serialized.

    Attributes:
        bare: The checkpoint without its values.
        values: For each channel its value; None for the one it had under the same version in
            the checkpoint packed before.
        metadata: Plain data, as JSON has it.
        versions: What names a channel's value, where the layout has such a thing.
    """

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    parent_id: str | None
    bare: Typed
    values: Mapping[str, Typed | None]
    metadata: dict[str, Any]
    versions: Mapping[str, str]


class FoundWrite(NamedTuple):
    """A pending write as a layout holds it."""

    thread_id: str
    checkpoint_ns: str
    checkpoint_id: str
    task_id: str
    idx: int
    task_path: str
    channel: str
    tag: str
    data: bytes


class _Last(NamedTuple):
    """The last value of a channel."""

    tag: str
    data: bytes
    version: str | None
    packed: Packed
    settled: tuple[Value, Chunk | None] | None
    known: Any | None


class _Sending:
    """The chunks of one batch, each once, without those that are known."""

    def __init__(self, known: Known) -> None:
        self.chunks: list[Chunk] = []
        self.claims: dict[bytes, None] = {}
        self._known = known
        self._sent: set[bytes] = set()

    def has(self, key: bytes) -> bool:
        """Whether a chunk and all below it need not be sent; claims it if it is known."""
        if key in self._sent:
            return True
        if key in self.claims or self._known(key):
            self.claims[key] = None
            return True
        return False

    def offer(self, chunks: Iterable[tuple[bytes, bytes]]) -> None:
        """Send what need not be left out."""
        for key, frame in chunks:
            if not self.has(key):
                self._sent.add(key)
                self.chunks.append(Chunk(key, frame))


class ThreadPacker:
    """Packs a thread's checkpoints, one after another; each is quicker for the one before.

    It remembers the last values of one namespace, and so as much as one state takes.

    Args:
        packer: Its serializer is asked for nothing but metadata.
    """

    def __init__(self, packer: Packer) -> None:
        self._packer = packer
        self._ns: str | None = None
        self._last: dict[str, _Last] = {}
        self._sending = _Sending(nothing)
        self._rows: list[CheckpointRow] = []
        self._writes: list[WriteRow] = []

    @property
    def nbytes(self) -> int:
        """About how much memory is held between batches, in bytes."""
        trees = sum(one.packed.tree.nbytes for one in self._last.values() if one.packed.tree)
        return int(trees) + sum(len(one.data) + 200 for one in self._last.values())

    def begin(self, known: Known) -> None:
        """Begin a batch."""
        self._sending, self._rows, self._writes = _Sending(known), [], []

    def end(self) -> Batch:
        """All that was added since `begin`."""
        batch = Batch(self._rows, self._writes, self._sending.chunks, list(self._sending.claims))
        self.begin(nothing)
        return batch

    def data(self, checkpoint_ns: str) -> dict[str, bytes]:
        """The last values of a namespace, if it is the one packed before."""
        return {k: one.data for k, one in self._of(checkpoint_ns).items()}

    def version(self, checkpoint_ns: str, channel: str) -> str | None:
        """The version of a channel's last value."""
        last = self._of(checkpoint_ns).get(channel)
        return None if last is None else last.version

    def _of(self, checkpoint_ns: str) -> dict[str, _Last]:
        if checkpoint_ns != self._ns:
            self._ns, self._last = checkpoint_ns, {}
        return self._last

    def checkpoint(self, found: Found) -> None:
        """Add a checkpoint."""
        self._of(found.checkpoint_ns)
        packer = self._packer
        values = {
            channel: self._value(channel, value, found.versions.get(channel))
            for channel, value in found.values.items()
        }
        state, refs = packer.state(State(*found.bare, values))
        metadata = dict(found.metadata)
        flags = HIDDEN if metadata.pop(HIDDEN_MARK, None) else 0
        frame = packer.metadata(cast(CheckpointMetadata, metadata))
        run_id = metadata.get("run_id")
        self._rows.append(
            CheckpointRow(
                found.thread_id,
                found.checkpoint_ns,
                found.checkpoint_id,
                found.parent_id or None,
                None if run_id is None or flags else str(run_id),
                flags,
                core.etag(state, refs, frame),
                frame,
                state,
                refs,
            )
        )

    def write(self, found: FoundWrite) -> None:
        """Add a pending write."""
        packed = self._packer.serialized(found.tag, found.data)
        self._send(packed, None)
        value, refs, root = pack_write(self._packer, packed)
        self._sending.offer(root)
        self._writes.append(WriteRow(*found[:8], value, refs))

    def _value(self, channel: str, value: Typed | None, version: str | None) -> Value:
        last = self._last.get(channel)
        if last is not None and (value is None or value == (last.tag, last.data)):
            return self._again(channel, last._replace(version=version))
        if value is None:
            raise LookupError(f"channel {channel!r} has no last value")
        packed = self._packer.serialized(*value, None if last is None else last.packed.tree)
        self._send(packed, last)
        known = None if packed.tree is None else packed.tree.known()
        self._last[channel] = _Last(*value, version, packed, None, known)
        return packed.value

    def _send(self, packed: Packed, last: _Last | None) -> None:
        if packed.chunk is not None:
            self._sending.offer([packed.chunk])
        if packed.tree is None:
            return
        trusted = [] if last is None or last.known is None else [last.known]
        chunks, claims = packed.tree.unsent(trusted, self._packer.codec)
        if not all(self._sending.has(key) for key in claims):
            chunks, _ = packed.tree.unsent([], self._packer.codec)
        self._sending.offer(chunks)

    def _again(self, channel: str, last: _Last) -> Value:
        """A value that did not change, as a put settles it."""
        if last.settled is None:
            last = last._replace(settled=self._packer.settle(last.packed.value))
        self._last[channel] = last
        value, root = last.settled or (last.packed.value, None)
        if root is not None and self._sending.has(root.hash):
            return value
        if not all(self._sending.has(key) for key in hashes(last.packed.value.refs)):
            self._send(last.packed, None)
        if root is not None:
            self._sending.offer([root])
        return value
