"""Threads to a stream and from one: `lgckpt export > file`, `lgckpt import < file`, and pipes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from io import UnsupportedOperation
from typing import BinaryIO

from lgckpt.archive.passing import Passed, read_threads, write_threads
from lgckpt.errors import StorageError
from lgckpt.migration.api import options_of
from lgckpt.migration.existing import check_there, is_there
from lgckpt.migration.opening import open_side


async def export_threads(
    source: str, stream: BinaryIO, threads: Iterable[str] | None = None
) -> Passed:
    """Write threads to a stream, as a portable file.

    Args:
        source: URL of the database.
        stream: What is written to; it need not be seekable.
        threads: Their ids; None for all.

    Raises:
        NotFoundError: There is no such thread.
        CorruptCheckpointError: Something is damaged; what was written has no end then.
        StorageError: The database or the stream cannot be used.
    """
    side = open_side(source)
    try:
        await check_there(side)
        passed = await write_threads(side, stream, threads)
        stream.flush()
    finally:
        await side.close()
    return passed


async def import_threads(
    stream: BinaryIO, name: str, target: str, *, rename: str | None = None
) -> Passed:
    """Read threads from a stream that is a portable file.

    Args:
        stream: If it is seekable it is looked through first, so that nothing is stored of a file
            that is cut short; of a pipe what came before the cut is stored.
        name: Of the stream, for errors.
        target: URL of the database.
        rename: The id that the file's one thread gets.

    Raises:
        ConfigurationError: There are several threads, and `rename`.
        CorruptCheckpointError: Something in the file is damaged.
        StorageError: It is no portable file, or cut short, or the database cannot be used.
        UnsupportedFormatError: A newer release wrote the file.
    """
    side = open_side(target, **options_of(target))
    try:
        # A server that is not there is told of before anything is read.
        await is_there(side)
        return await read_threads(stream, name, side, rename=rename, size=_size(stream))
    except OSError as exc:
        raise StorageError(f"{name} cannot be read: {exc.strerror or exc}") from exc
    finally:
        await side.close()


def _size(stream: BinaryIO) -> int | None:
    """Bytes that a stream has from its beginning, where it stands; None if that is not known."""
    try:
        if not stream.seekable() or stream.tell():
            return None
        size = stream.seek(0, os.SEEK_END)
        stream.seek(0)
    except (OSError, UnsupportedOperation):
        return None
    return size
