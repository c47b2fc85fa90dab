"""`lgckpt.dump` and `lgckpt.restore`: a saver's threads into one file, and back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from lgckpt.archive.passing import Passed, read_threads, write_threads
from lgckpt.errors import StorageError
from lgckpt.migration.api import options_of
from lgckpt.migration.existing import check_there
from lgckpt.migration.opening import open_side
from lgckpt.migration.running import finished
from lgckpt.saver import Saver


async def adump(
    saver: Saver | str, path: str | os.PathLike[str], threads: Iterable[str] | None = None
) -> Passed:
    """Async version of `dump`."""
    path = Path(path)
    if not path.name or path.is_dir():
        raise StorageError(f"{path} cannot be written: it is a directory")
    # A name of its own: whoever else dumps to the same path at the time is in nobody's way.
    part = path.with_name(f"{path.name}.{token_hex(4)}.part")
    side = open_side(saver)
    try:
        await check_there(side)
        try:
            with open(part, "xb", buffering=0) as stream:  # noqa: ASYNC230 - it waits for a disk
                passed = await write_threads(side, stream, threads)
                os.fsync(stream.fileno())
            os.replace(part, path)
        finally:
            with suppress(OSError):
                part.unlink()
    except OSError as exc:
        raise StorageError(f"{path} cannot be written: {exc.strerror or exc}") from exc
    finally:
        await side.close()
    return passed


async def arestore(
    path: str | os.PathLike[str], saver: Saver | str, *, rename: str | None = None
) -> Passed:
    """Async version of `restore`."""
    side = open_side(saver, **options_of(saver))
    try:
        with open(path, "rb") as stream:  # noqa: ASYNC230 - it waits for a disk
            size = os.fstat(stream.fileno()).st_size
            return await read_threads(stream, str(path), side, rename=rename, size=size)
    except OSError as exc:
        raise StorageError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    finally:
        await side.close()


def dump(
    saver: Saver | str, path: str | os.PathLike[str], threads: Iterable[str] | None = None
) -> Passed:
    """Save threads to one portable file, which any release from now on reads.

    The file appears under its name when it is whole; one that was there is replaced then. Until
    then it stands beside it, as `NAME.….part`, and stays so if the process is killed. Not for a
    running event loop's thread: there, await `adump`.

    Args:
        saver: Where the threads are: a saver, a `MemorySaver` among them, or a URL.
        path: Of the file.
        threads: Ids of those to save; None for all.

    Returns:
        How much was saved.

    Raises:
        NotFoundError: There is no such thread.
        CorruptCheckpointError: Something is damaged, and would be so in the file.
        StorageError: The database or the file cannot be used.

    Examples:
        >>> import lgckpt
        >>> lgckpt.dump(lgckpt.MemorySaver(), "agents.lgckpt").threads  # doctest: +SKIP
        0
    """
    return finished(adump(saver, path, threads))


def restore(
    path: str | os.PathLike[str], saver: Saver | str, *, rename: str | None = None
) -> Passed:
    """Load the threads of a portable file into a saver.

    What the saver has is replaced where the file has the same thread and checkpoint, and stays
    otherwise. Not for a running event loop's thread: there, await `arestore`.

    Args:
        path: Of the file.
        saver: Where the threads go: a saver, or a URL.
        rename: The id that the file's one thread gets.

    Returns:
        How much was loaded.

    Raises:
        ConfigurationError: The file has several threads, and `rename` was given.
        CorruptCheckpointError: Something in the file is damaged.
        StorageError: It is no portable file, or cut short, or the database cannot be used.
        UnsupportedFormatError: A newer release wrote the file.
    """
    return finished(arestore(path, saver, rename=rename))
