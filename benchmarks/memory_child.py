"""Prints the bytes of process memory one in-memory saver holds: `memory_child SIDE MESSAGES`."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

import psutil

from benchmarks.savers import OFFICIAL, OURS
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import Thread

_WARM_UP = 30


def main() -> None:
    """Fill a saver and print how much memory only this process uses more than before."""
    side, count = sys.argv[1], int(sys.argv[2])
    kind = {"ours": OURS, "official": OFFICIAL}[side]["memory"]
    messages = conversation(count)
    # Imports, caches and allocator arenas that every process pays once.
    with kind.open(Path()) as saver:
        warm = Thread(saver)
        for message in messages[:_WARM_UP]:
            saver.put(*warm.append(message))
    del saver, warm
    before = _unique_bytes()
    with kind.open(Path()) as saver:
        thread = Thread(saver)
        for message in messages:
            saver.put(*thread.append(message))
        held = _unique_bytes() - before
        thread.check()
    print(held)


def _unique_bytes() -> int:
    gc.collect()
    if sys.platform == "linux":
        # Freed memory that malloc keeps for itself is not held by the saver.
        ctypes.CDLL(None).malloc_trim(0)
    return int(psutil.Process().memory_full_info().uss)


if __name__ == "__main__":
    main()
