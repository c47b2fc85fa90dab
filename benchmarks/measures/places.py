"""Where a side of a curve stores: a place that is empty at first, and what it holds by and by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import savers, server_savers, servers
from benchmarks.database import file_bytes
from benchmarks.redis_memory import flush, held_memory
from benchmarks.relations import fresh_database, total_bytes
from benchmarks.runner import Settings
from benchmarks.savers import Saver

SIDES = ("ours", "official")


@dataclass(frozen=True)
class Place:
    """One side's place.

    Attributes:
        open: Opens the saver, durable as it is by itself.
        aopen: Opens it on the running event loop.
        held: The bytes that it holds, while no saver is open.
        where: A path or a URL.
    """

    open: Callable[[], AbstractContextManager[Saver]]
    aopen: Callable[[], AbstractAsyncContextManager[Saver]]
    held: Callable[[], int]
    where: Path | str


@contextmanager
def place(backend: str, side: str, settings: Settings) -> Iterator[Place]:
    """Make an empty place for one side: "ours" or "official"."""
    if backend == "sqlite":
        kind = (savers.OURS if side == "ours" else savers.OFFICIAL)[backend]
        with TemporaryDirectory(dir=settings.directory) as directory:
            path = Path(directory) / "threads.db"
            held = partial(file_bytes, path)
            yield Place(partial(kind.open, path), partial(kind.aopen, path), held, path)
        return
    url, held_by = _postgres(side, settings) if backend == "postgres" else _redis()
    served = (server_savers.OURS if side == "ours" else server_savers.OFFICIAL)[backend]
    aopen = server_savers.NATIVE[backend] if side == "ours" else served.aopen
    yield Place(partial(served.open, url), partial(aopen, url), partial(held_by, url), url)


def _postgres(side: str, settings: Settings) -> tuple[str, Callable[[str], int]]:
    server = servers.postgres(settings.directory).url
    return fresh_database(server, f"curve {side}"), total_bytes


def _redis() -> tuple[str, Callable[[str], int]]:
    url = servers.redis_server().url
    flush(url)
    return url, held_memory
