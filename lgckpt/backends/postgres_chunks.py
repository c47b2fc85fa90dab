"""Chunks out of Postgres: one statement a tree level, for one thread or for several at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lgckpt.backends.postgres_rows import Statements
from lgckpt.chunks import Ask, Frames, Walk, collecting, reaching, walk

Missing = set[UUID]
"""Threads some of whose chunks were not there."""


async def collect(
    connection: Any, statements: Statements, wanted: Mapping[UUID, bytes]
) -> tuple[dict[UUID, Frames], bool]:
    """The chunks below references of several threads, each level of all in one statement.

    Args:
        connection: Where to ask.
        statements: What to ask.
        wanted: References by thread.

    Returns:
        For each thread the frames by hash, and whether all of them were there.
    """
    reader = _Reader(connection, statements, wanted)
    await reader.run()
    return reader.done, reader.whole


class _Reader:
    def __init__(
        self, connection: Any, statements: Statements, wanted: Mapping[UUID, bytes]
    ) -> None:
        self._connection = connection
        self._statements = statements
        self._wanted = wanted
        self._asks: dict[UUID, list[bytes]] = {}
        self._walks: dict[UUID, Walk[Frames]] = {}
        self.done: dict[UUID, Frames] = {}
        self.whole = True

    async def run(self) -> None:
        alone = len(self._wanted) == 1
        for tid, refs in self._wanted.items():
            self._walks[tid] = collecting(refs, sweeps=alone)
            await self._step(tid, None)
        while self._asks:
            asks, self._asks = self._asks, {}
            answers = await self._fetch(asks)
            for tid, ask in asks.items():
                self.whole = self.whole and len(answers[tid]) >= len(ask)
                await self._step(tid, answers[tid])

    async def _step(self, tid: UUID, answer: Frames | None) -> None:
        """Take one walk on to the next hashes it asks for, or to its end."""
        try:
            ask: Ask = next(self._walks[tid]) if answer is None else self._walks[tid].send(answer)
            if isinstance(ask, int):
                everything = await self._sweep(tid, ask)
                ask = self._walks[tid].send(everything)
        except StopIteration as stop:
            self.done[tid] = stop.value
            return
        assert isinstance(ask, list)  # noqa: S101 - a walk asks for all chunks once
        self._asks[tid] = ask

    async def _sweep(self, tid: UUID, most: int) -> Frames | None:
        rows = await self._connection.fetch(self._statements.all_chunks, tid, most)
        if not rows:
            return None
        frames: dict[bytes, bytes] = dict(rows)
        reached = walk(reaching(self._wanted[tid]), lambda asked: _those(frames, asked))
        self.whole = reached is not None and reached <= frames.keys()
        return frames

    async def _fetch(self, asks: Mapping[UUID, list[bytes]]) -> dict[UUID, dict[bytes, bytes]]:
        if len(asks) == 1:
            ((tid, ask),) = asks.items()
            return {tid: dict(await self._connection.fetch(self._statements.chunks, tid, ask))}
        tids = [tid for tid, ask in asks.items() for _ in ask]
        hashes = [key for ask in asks.values() for key in ask]
        found: dict[UUID, dict[bytes, bytes]] = {tid: {} for tid in asks}
        rows = await self._connection.fetch(self._statements.chunks_of_many, tids, hashes)
        for tid, key, frame in rows:
            found[tid][key] = frame
        return found


def _those(frames: Frames, asked: list[bytes]) -> Frames:
    return {key: frames[key] for key in asked if key in frames}
