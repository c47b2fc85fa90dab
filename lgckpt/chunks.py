"""Which chunks a reader or a sweep needs: walks down the trees that ask, and do no I/O.

Written as generators that yield what they need next and are sent it, so that sync and
async backends share them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from typing import TypeVar

from lgckpt.core import core
from lgckpt.errors import FrameError, UnsupportedFormatError
from lgckpt.rows import REF_SIZE, ROOT_LEVEL

T = TypeVar("T")

Frames = Mapping[bytes, bytes]
"""Frames by the hash of their chunk."""

Ask = list[bytes] | int
"""Hashes whose frames are wanted, or a number: every chunk of the thread if that many at most."""

Walk = Generator[Ask, Frames | None, T]
"""Yields what it asks for; is sent the frames that are there, None for "more than that"."""

Fetch = Callable[[list[bytes]], Frames]
"""Gives the frames of those chunks, named by hash, that are there."""

FetchAll = Callable[[int], Frames | None]
"""Gives every chunk of the thread, or None if they are more than the number given."""

FANOUT = 7
"""Children of a node on average, to tell from a root how many chunks are below it."""

DEEP = 8
"""Levels above this one count as this one: there are millions of chunks below, or damage."""

MANY = 64
"""From so many chunks on, reading a thread's chunks in one sweep beats looking each up."""

SURPLUS = 4
"""Up to so many times the chunks needed are read in such a sweep."""


def collecting(
    refs: bytes, *, sweeps: bool = True, known: Callable[[bytes], bool] | None = None
) -> Walk[Frames]:
    """Walk to the chunks named by `refs` and all below them, asking once a tree level.

    Args:
        refs: 21-byte references.
        sweeps: Whether it may ask for every chunk of the thread, where many are needed.
        known: Says of a hash that neither it nor what is below it is needed.

    Returns:
        Frames by hash, maybe others too. Missing or damaged chunks are left for
        `core.assemble` to name.
    """
    found: dict[bytes, bytes] = {}
    levels = _levels((refs,))
    while True:
        if known is not None:
            levels = {h: level for h, level in levels.items() if not known(h)}
        if not levels:
            return found
        expected = sum(
            FANOUT ** min(level, DEEP) for level in levels.values() if level < ROOT_LEVEL
        )
        if sweeps and expected >= MANY:
            everything = yield expected * SURPLUS
            if everything is not None:
                return everything
            sweeps = False
        frames = (yield list(levels)) or {}
        found.update(frames)
        # A damaged index may give chunks that were not asked for.
        below = (_children(n, frames[h]) for h, n in levels.items() if n and h in frames)
        levels = {h: level for h, level in _levels(below).items() if h not in found}


def reaching(refs: bytes) -> Walk[set[bytes] | None]:
    """Walk to all chunks below `refs`, reading only those that have others below them.

    Returns:
        Their hashes, or None if a chunk is missing or damaged, so that nothing below it is
        known and nothing may be dropped.
    """
    found: set[bytes] = set()
    levels = _levels((refs,))
    while levels:
        found.update(levels)
        inner = [h for h, level in levels.items() if level]
        frames = ((yield inner) or {}) if inner else {}
        if any(h not in frames for h in inner):
            return None
        try:
            below = [core.children(levels[h], frames[h]) for h in inner]
        except (FrameError, UnsupportedFormatError):
            return None
        levels = {h: level for h, level in _levels(below).items() if h not in found}
    return found


def walk(steps: Walk[T], fetch: Fetch, fetch_all: FetchAll | None = None) -> T:
    """Take a walk, answering from a sync backend."""
    try:
        ask = next(steps)
        while True:
            if isinstance(ask, int):
                ask = steps.send(None if fetch_all is None else fetch_all(ask))
            else:
                ask = steps.send(fetch(ask))
    except StopIteration as stop:
        result: T = stop.value
        return result


async def awalk(
    steps: Walk[T],
    fetch: Callable[[list[bytes]], Awaitable[Frames]],
    fetch_all: Callable[[int], Awaitable[Frames | None]] | None = None,
) -> T:
    """Take a walk, answering from an async backend."""
    try:
        ask = next(steps)
        while True:
            if isinstance(ask, int):
                ask = steps.send(None if fetch_all is None else await fetch_all(ask))
            else:
                ask = steps.send(await fetch(ask))
    except StopIteration as stop:
        result: T = stop.value
        return result


def collect(refs: bytes, fetch: Fetch, fetch_all: FetchAll | None = None) -> Frames:
    """The chunks named by `refs` and all below them, from a sync backend."""
    return walk(collecting(refs, sweeps=fetch_all is not None), fetch, fetch_all)


def reachable(refs: bytes, fetch: Fetch) -> set[bytes] | None:
    """The hashes of all chunks below `refs`, from a sync backend; None where one is missing."""
    return walk(reaching(refs), fetch)


def _children(level: int, frame: bytes) -> bytes:
    try:
        return core.children(level, frame)
    except (FrameError, UnsupportedFormatError):
        return b""


def _levels(refs: Iterable[bytes]) -> dict[bytes, int]:
    return {
        part[i + 1 : i + REF_SIZE]: part[i] for part in refs for i in range(0, len(part), REF_SIZE)
    }
