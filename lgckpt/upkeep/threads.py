"""Whole threads: copied, deleted, and freed of what nothing refers to any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lgckpt.errors import ConfigurationError, LgckptError, NotFoundError, StorageError
from lgckpt.migration.running import finished
from lgckpt.saver import Saver
from lgckpt.upkeep.choosing import PAGE, all_marks, all_threads, names
from lgckpt.upkeep.opening import Database, opened
from lgckpt.upkeep.trees import Trees
from lgckpt.upkeep.weighing import pages


@dataclass(frozen=True)
class Counted:
    """How much there is of a thread.

    Attributes:
        checkpoints: Those in sight.
        writes: Pending writes.
    """

    thread_id: str
    checkpoints: int
    writes: int


@dataclass(frozen=True)
class Deleted:
    """What a delete took away.

    Attributes:
        threads: The threads that were there.
        missing: Those that were not.
    """

    threads: tuple[Counted, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Vacuumed:
    """What a vacuum took away.

    Attributes:
        expired: Threads whose time to live had ended.
        threads: Threads that had chunks nothing referred to.
        chunks: How many these were.
        bytes: Of these chunks, as they were stored.
        file_bytes: What a SQLite file lost; None if it was not rewritten.
        damaged: Threads in which a reference leads nowhere, so that nothing may be dropped there.
    """

    expired: int
    threads: int
    chunks: int
    bytes: int
    file_bytes: int | None
    damaged: tuple[str, ...]


async def count(database: Database, thread_id: str) -> Counted:
    """How much there is of a thread."""
    checkpoints = writes = 0
    async for marks in all_marks(database.driver, thread_id):
        checkpoints += sum(mark.etag is not None and not mark.flags for mark in marks)
        writes += sum(mark.writes for mark in marks)
    return Counted(thread_id, checkpoints, writes)


async def acopy(where: str | Saver, source: str, target: str, *, merge: bool = False) -> Counted:
    """Copy a thread with all its history.

    Args:
        where: A URL, or a saver, which stays open.
        source: The thread.
        target: The copy's id.
        merge: Whether the target may have something already; what is of the same name is replaced.

    Returns:
        What the target has then.

    Raises:
        ConfigurationError: The two are the same.
        NotFoundError: There is no such thread.
        StorageError: The target has something already.
    """
    if source == target:
        raise ConfigurationError("a thread cannot be copied to itself")
    async with opened(where) as database:
        if not await database.driver("marks", source, None, 1):
            raise NotFoundError(f"{database.name}: there is no thread {source!r}")
        if not merge and await database.driver("marks", target, None, 1):
            raise StorageError(
                f"{database.name}: there is a thread {target!r} already; to have what is of the "
                "same name replaced there: merge (--merge)"
            )
        database.forget(target)
        await database.driver("copy_thread", source, target)
        return await count(database, target)


def copy(where: str | Saver, source: str, target: str, *, merge: bool = False) -> Counted:
    """Sync version of `acopy`."""
    return finished(acopy(where, source, target, merge=merge))


async def adelete(where: str | Saver, threads: Sequence[str]) -> Deleted:
    """Delete everything of threads.

    Args:
        where: A URL, or a saver, which stays open.
        threads: Their ids; one that is not there is named in what is returned.

    Raises:
        ConfigurationError: The URL names no database that is known.
        StorageError: The database cannot be used, or is not there.
    """
    gone: list[Counted] = []
    missing: list[str] = []
    async with opened(where) as database:
        for thread_id in names(threads, "threads"):
            there = await database.driver("marks", thread_id, None, 1)
            counted = await count(database, thread_id) if there else None
            database.forget(thread_id)
            # Without rows there may yet be chunks, of a put that did not come to its end.
            await database.driver("delete_thread", thread_id)
            if counted is None:
                missing.append(thread_id)
            else:
                gone.append(counted)
    return Deleted(tuple(gone), tuple(missing))


def delete(where: str | Saver, threads: Sequence[str]) -> Deleted:
    """Sync version of `adelete`."""
    return finished(adelete(where, threads))


async def unused(database: Database, thread_id: str) -> tuple[dict[bytes, int], bool]:
    """The chunks of a thread that nothing refers to, with their sizes; and whether it is whole.

    A put stores chunks and what refers to them at once, so that what is put meanwhile does not
    seem unused: chunks are looked at first.
    """
    sizes: dict[bytes, int] = {}
    after: str | None = ""
    while after is not None:
        page = await database.driver("chunk_page", thread_id, after, PAGE)
        sizes.update((chunk.hash, len(chunk.frame)) for chunk in page.chunks)
        after = page.after
    trees = Trees(database.driver, thread_id)
    whole = True
    async for marks in all_marks(database.driver, thread_id):
        for batch in await pages(database.driver, thread_id, marks):
            await trees.walk(batch.refs)
            whole = whole and trees.trouble(batch.refs) is None
    return {name: size for name, size in sizes.items() if name not in trees.reached}, whole


async def avacuum(
    where: str | Saver,
    *,
    threads: Sequence[str] = (),
    full: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> Vacuumed:
    """Delete threads that expired, and chunks that nothing refers to.

    Args:
        where: A URL, or a saver, which stays open.
        threads: Only these threads; empty for all.
        full: Have a SQLite file rewritten without what is free in it, which takes as much room
            again while it lasts.
        progress: Called with each thread that had such chunks, and their bytes.

    Returns:
        What went; the bytes are those counted just before.

    Raises:
        ConfigurationError: `full`, and it is no SQLite database.
        StorageError: The database cannot be used.
    """
    only = names(threads, "threads")
    found = chunks = size = 0
    damaged: list[str] = []
    async with opened(where) as database:
        if full:
            database.check_shrinks()
        expired = await database.driver("sweep")
        async for thread_id in all_threads(database.driver, only):
            try:
                sizes, whole = await unused(database, thread_id)
                dropped = await database.driver("reclaim", thread_id) if sizes and whole else 0
            except LgckptError as exc:
                if isinstance(exc, StorageError):
                    raise
                sizes, whole, dropped = {}, False, 0
            if not whole:
                damaged.append(thread_id)
            if dropped:
                found, chunks = found + 1, chunks + dropped
                size += sum(sizes.values())
                if progress is not None:
                    progress(thread_id, sum(sizes.values()))
        lost = await database.shrink() if full else None
    return Vacuumed(expired, found, chunks, size, lost, tuple(damaged))


def vacuum(where: str | Saver, **options: Any) -> Vacuumed:
    """Sync version of `avacuum`."""
    return finished(avacuum(where, **options))
