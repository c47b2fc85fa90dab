"""What a process remembers of the checkpoints it stored or read last: hints, never facts.

A put built on a hint carries claims (the parent's etag, the hashes of chunks taken
to be there) that the backend checks in the put's own transaction, so a stale hint
costs a second try and nothing else.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from lgckpt.packing import Value

MAX_ENTRIES = 1024
MAX_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Hint:
    """One stored checkpoint, as remembered.

    Attributes:
        etag: Of the row as it was.
        versions: The checkpoint's `channel_versions`.
        values: The row's values, packed.
        known: For each channel with a chunk tree, the hashes of its latest tree.
        written: The hashes of the chunk trees of its pending writes.
    """

    checkpoint_id: str
    etag: bytes
    versions: dict[str, Any]
    values: dict[str, Value]
    known: dict[str, Any] = field(default_factory=dict)
    written: list[Any] = field(default_factory=list)

    def nbytes(self) -> int:
        """About how much memory this holds, in bytes."""
        inline = sum(len(v.head) + len(v.refs) + len(v.tail) + 200 for v in self.values.values())
        trees = sum(k.nbytes for k in self.known.values()) + sum(k.nbytes for k in self.written)
        return inline + trees + 100 * len(self.versions)


class Hints:
    """The latest checkpoint of each namespace, least recently used first out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], tuple[Hint, int]] = OrderedDict()
        self._bytes = 0

    def get(self, thread_id: str, checkpoint_ns: str, checkpoint_id: str) -> Hint | None:
        """The hint for this very checkpoint, if it is the latest remembered."""
        with self._lock:
            entry = self._entries.get((thread_id, checkpoint_ns))
            if entry is None or entry[0].checkpoint_id != checkpoint_id:
                return None
            self._entries.move_to_end((thread_id, checkpoint_ns))
            return entry[0]

    def put(self, thread_id: str, checkpoint_ns: str, hint: Hint) -> None:
        """Remember a checkpoint in place of the namespace's last one."""
        size = hint.nbytes()
        with self._lock:
            old = self._entries.pop((thread_id, checkpoint_ns), None)
            self._bytes += size - (old[1] if old else 0)
            self._entries[thread_id, checkpoint_ns] = (hint, size)
            while self._entries and (
                len(self._entries) > MAX_ENTRIES or self._bytes > MAX_BYTES
            ):
                _, (_, dropped) = self._entries.popitem(last=False)
                self._bytes -= dropped

    def forget(self, thread_id: str) -> None:
        """Forget a thread, which was deleted or pruned here."""
        with self._lock:
            for key in [k for k in self._entries if k[0] == thread_id]:
                self._bytes -= self._entries.pop(key)[1]

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
