"""Many arguments of a script as a few: what is paid for each is more than a short one's bytes.

A folded argument is items one after another, each led by its length (u64, big-endian). redis-py
joins and measures every argument anew, and the server reads each as a reply of its own; a script
takes a folded one apart with `struct.unpack`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

MOST = 16 * 1024 * 1024
"""Bytes after which another argument is begun: a server takes none above 512 MB."""

_LENGTH = struct.Struct(">Q")


def fold(items: Sequence[bytes]) -> list[bytes]:
    """All items, in order, in as few arguments as may be."""
    folded: list[bytes] = []
    parts: list[bytes] = []
    held = 0
    for item in items:
        parts += (_LENGTH.pack(len(item)), item)
        held += len(item)
        if held > MOST:
            folded.append(b"".join(parts))
            parts, held = [], 0
    return [*folded, b"".join(parts)]
