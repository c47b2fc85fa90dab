"""What a process remembers of the checkpoints it stored or read last: hints, never facts.

A put built on a hint carries claims (the parent's etag, the hashes of chunks taken
to be there) that the backend checks in the put's own transaction, so a stale hint
costs a second try and nothing else. A remembered tree is compared byte by byte with
the new value before any of its hashes is taken over; if it has a list, the compiled
core may keep the texts and numbers that its elements were made of alive beside it,
to tell what has changed. They are counted, and go with it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Generic, TypeVar

from lgckpt.packing import Value

K = TypeVar("K", bound=tuple[str, ...])
V = TypeVar("V")

MAX_HINTS = 16 * 1024 * 1024
"""Memory for hints, in bytes."""

MAX_TREES = 64 * 1024 * 1024
"""Memory for the last values of large channels, in bytes."""

MAX_WRITTEN = 64
"""Chunk trees of pending writes remembered for one checkpoint, about."""


class Hint:
    """One stored checkpoint, as remembered.

    Attributes:
        etag: Of the row as it was.
        packed_bytes: How large its values are, in bytes, as far as the row holds them.
        versions: The checkpoint's `channel_versions`.
        known: For each channel with a chunk tree, the hashes of its latest tree.
        written: The hashes of the chunk trees of its pending writes.
        stored_here: Whether this process stored it, and so knows its chunks to be there.
        inline: The values as `Serializer.dumps_row` gave them, if it made the row.
    """

    __slots__ = (
        "_values",
        "checkpoint_id",
        "etag",
        "inline",
        "known",
        "packed_bytes",
        "stored_here",
        "versions",
        "written",
    )

    def __init__(
        self,
        checkpoint_id: str,
        etag: bytes,
        packed_bytes: int,
        versions: dict[str, Any],
        values: dict[str, Value] | None,
        known: dict[str, Any],
        *,
        stored_here: bool = True,
        inline: Any = None,
    ) -> None:
        self.checkpoint_id = checkpoint_id
        self.etag = etag
        self.packed_bytes = packed_bytes
        self.versions = versions
        self.known = known
        self.written: list[Any] = []
        self.stored_here = stored_here
        self.inline = inline
        self._values = values

    @property
    def values(self) -> dict[str, Value]:
        """The row's values, packed."""
        if self._values is None:
            parts = self.inline.values()
            self._values = {c: Value(tag, len(data), b"", b"", data) for c, tag, data in parts}
        return self._values

    def nbytes(self) -> int:
        """About how much memory this holds, in bytes."""
        held = sum(k.nbytes for k in self.known.values()) if self.known else 0
        if self.inline is not None:
            held += self.inline.nbytes
        return int(held) + self.packed_bytes + 300 * (len(self.versions) + 1)


class _Recent(Generic[K, V]):
    """A dict bounded in bytes; the least recently used goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V, size: int) -> None:
        with self._lock:
            entries = self._entries
            earlier = entries.pop(key, None)
            if earlier is not None:
                self._held -= earlier[1]
            if size > self._most:
                return
            entries[key] = (value, size)
            self._held += size
            while self._held > self._most:
                self._drop(next(iter(entries)))

    def forget(self, thread_id: str) -> None:
        with self._lock:
            for key in [k for k in self._entries if k[0] == thread_id]:
                self._drop(key)

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held -= entry[1]


class Hints:
    """The latest checkpoint of each namespace, and the last tree of each large channel."""

    def __init__(self) -> None:
        self._checkpoints: _Recent[tuple[str, str], Hint]
        self._trees: _Recent[tuple[str, str, str], Any]
        self.reset()

    def get(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> Hint | None:
        """The hint for this very checkpoint, if it is the latest remembered."""
        hint = self._checkpoints.get((thread_id, checkpoint_ns))
        return hint if hint is not None and hint.checkpoint_id == checkpoint_id else None

    def has(self, thread_id: str, checkpoint_ns: str) -> bool:
        """Whether any checkpoint of a namespace is remembered."""
        return self._checkpoints.get((thread_id, checkpoint_ns)) is not None

    def put(self, thread_id: str, checkpoint_ns: str, hint: Hint) -> None:
        """Remember a checkpoint in place of the namespace's last one."""
        self._checkpoints.put((thread_id, checkpoint_ns), hint, hint.nbytes())

    def tree(self, thread_id: str, checkpoint_ns: str, channel: str) -> Any | None:
        """The chunk tree of the channel's last value, whatever checkpoint had it."""
        return self._trees.get((thread_id, checkpoint_ns, channel))

    def put_tree(self, thread_id: str, checkpoint_ns: str, channel: str, tree: Any) -> None:
        """Remember the chunk tree of a channel's last value."""
        self._trees.put((thread_id, checkpoint_ns, channel), tree, tree.nbytes)

    def forget(self, thread_id: str) -> None:
        """Forget a thread, which was deleted or pruned here."""
        self._checkpoints.forget(thread_id)
        self._trees.forget(thread_id)

    def reset(self) -> None:
        """Forget everything."""
        self._checkpoints = _Recent(MAX_HINTS)
        self._trees = _Recent(MAX_TREES)
