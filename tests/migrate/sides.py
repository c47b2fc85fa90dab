"""Threads to move, savers to move them between, and a side that watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lgckpt
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage
from lgckpt.migration.native import NativeSide
from lgckpt.saver import Saver
from tests.checkpoints import Config, config
from tests.checkpoints import Thread as AsyncThread
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, stored


def text(name: str, count: int = 300) -> list[dict[str, Any]]:
    """A value that is a chunk tree."""
    return [{"id": i, "content": f"{name} {i} " * 8} for i in range(count)]


async def fill(saver: Saver, name: str, checkpoints: int = 4, ns: str = "") -> list[Config]:
    """A thread with a large value that grows, a small one, and writes on every checkpoint."""
    coloured = Coloured(saver, "async")
    thread = AsyncThread(coloured, name, ns=ns)
    made = []
    for n in range(checkpoints):
        large = text(name, 200 + 10 * n)
        at = await thread.put({"large": large, "n": n}, run_id=f"run {n}")
        await coloured.put_writes(at, [("w", text(f"w {name}", 50)), ("v", n)], f"task {n}", "~p")
        await coloured.put_writes(at, [("__interrupt__", n)], f"task {n}", "~p")
        made.append(at)
    return made


def place(at: Config) -> Place:
    """Where a config names a checkpoint."""
    named = at["configurable"]
    return named["checkpoint_ns"], named["checkpoint_id"]


def assert_same(source: Saver, target: Saver) -> None:
    """Both hold the same rows and writes, and the target every chunk that they need."""
    ours, theirs = stored(source), stored(target)
    assert sorted(ours.checkpoints, key=repr) == sorted(theirs.checkpoints, key=repr)
    assert sorted(ours.writes, key=repr) == sorted(theirs.writes, key=repr)
    assert_nothing_missing(target)


def read(saver: Saver, thread_id: str, ns: str | None = None) -> list[Any]:
    """What a user sees of a thread."""
    named = config(thread_id) if ns is None else config(thread_id, ns=ns)
    if ns is None:
        del named["configurable"]["checkpoint_ns"]
    return list(saver.list(named))


class Watched(NativeSide):
    """A saver as a side that notes what is asked of it, thread by thread."""

    many = None

    def __init__(self, saver: Saver | None = None) -> None:
        self.saver = saver or lgckpt.MemorySaver()
        super().__init__(self.saver, "watched", owned=False)
        self.fetched: list[list[Place]] = []
        self.loaded: list[Batch] = []
        self.refuse = 0

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        self.fetched.append(list(places))
        return await super().fetch(thread_id, places, known)

    async def load(self, thread_id: str, batch: Batch) -> bool:
        if self.refuse and batch.claims:
            self.refuse -= 1
            return False
        self.loaded.append(batch)
        return await super().load(thread_id, batch)


class Foreign(Watched):
    """A side of another layout: it knows no etags, and shows nothing hidden as such."""

    native = False

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        found = await super().marks(thread_id, after, limit)
        return [m._replace(etag=None if m.etag is None else b"", flags=0) for m in found]


class Failing(Watched):
    """A target that dies at its nth batch."""

    def __init__(self, at: int, saver: Saver | None = None) -> None:
        super().__init__(saver)
        self._left = at

    async def load(self, thread_id: str, batch: Batch) -> bool:
        self._left -= 1
        if self._left < 0:
            raise lgckpt.StorageError("the target died")
        return await super().load(thread_id, batch)


class Pages(Watched):
    """A source that gives its threads two at a time, twice each: an index may do so."""

    async def threads(self, after: str, limit: int) -> ThreadPage:
        return await super().threads(after, 2)
