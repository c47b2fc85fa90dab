"""The packers of the threads that are being read, bounded in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lgckpt.migration.langgraph.rows import ThreadPacker

MAX_BYTES = 64 * 1024 * 1024
"""Memory for values of threads between two batches."""

MAX_THREADS = 64


class Recent:
    """Lends each thread's packer to one reader at a time.

    Args:
        make: Makes one.
    """

    def __init__(self, make: Callable[[], ThreadPacker]) -> None:
        self._make = make
        self._kept: OrderedDict[str, ThreadPacker] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, thread_id: str) -> Iterator[ThreadPacker]:
        """The thread's packer for a block; a new one if another reader has it."""
        with self._lock:
            packer = self._kept.pop(thread_id, None)
            self._sizes.pop(thread_id, None)
        packer = packer or self._make()
        yield packer
        with self._lock:
            self._kept[thread_id] = packer
            self._sizes[thread_id] = packer.nbytes
            while len(self._kept) > MAX_THREADS or sum(self._sizes.values()) > MAX_BYTES:
                self._sizes.pop(self._kept.popitem(last=False)[0])
