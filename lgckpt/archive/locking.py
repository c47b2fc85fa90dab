"""One writer at a time for a portable file."""

from __future__ import annotations

from typing import BinaryIO

from lgckpt.errors import StorageError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


def lock(file: BinaryIO, name: str) -> None:
    """Lock a file until it is closed; nothing is locked where there is no `flock`.

    Raises:
        StorageError: Another process writes it.
    """
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        raise StorageError(f"{name} is being written by another process") from exc
