"""One writer at a time for a portable file."""

from __future__ import annotations

import sys
from typing import BinaryIO

from lgckpt.errors import StorageError

if sys.platform != "win32":
    import fcntl


def lock(file: BinaryIO, name: str) -> None:
    """Lock a file until it is closed; nothing is locked on Windows, which has no `flock`.

    Raises:
        StorageError: Another process writes it.
        OSError: The file system cannot lock it.
    """
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise StorageError(f"{name} is being written by another process") from exc
