"""Copies of a thread, which has a slot of its own: read in batches, stored in batches.

Chunks go with the rows that need them, the oldest checkpoint first, so that what is there
of the copy is whole at any moment; run again, it goes on to the same end. The source is
read as of one version: if it moved on meanwhile, the copy is made again, and after a few
rounds with puts to the source kept out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from lgckpt.backends.redis_edits import ROUNDS_WITH_PUTS, Locked
from lgckpt.backends.redis_keys import place, split_place
from lgckpt.backends.redis_rows import unpack_row, unpack_writes
from lgckpt.backends.redis_scripts import SCAN
from lgckpt.backends.redis_threads import Batch, Moment, Space, Swept
from lgckpt.chunks import collecting
from lgckpt.errors import StorageError
from lgckpt.rows import CheckpointKey, CheckpointRow, Chunk, WriteRow

BATCH = 16
"""Checkpoints stored at once."""

PAGE = 256
"""Writes stored at once, and names read at once."""

ROUNDS = 64


async def copy(space: Space, source: str, target: str) -> None:
    """Copy all rows of a thread.

    Raises:
        StorageError: The source never came to rest.
    """
    keys = space.keys(source)
    lock = Locked(space, keys)
    for rounds in range(ROUNDS):
        exclusive = rounds >= ROUNDS_WITH_PUTS
        if exclusive:
            await lock.take(exclusive=True)
        try:
            version = await space.calls.command("HGET", keys.data, b"v")
            if version is None:
                return
            try:
                await _Copy(space, source, target).run()
            except Swept:
                continue
            if await space.calls.command("HGET", keys.data, b"v") == version:
                return
        finally:
            if exclusive:
                await lock.give_back()
    raise StorageError(f"Redis at {space.calls.name}: thread {source!r} kept changing")


class _Copy:
    def __init__(self, space: Space, source: str, target: str) -> None:
        self._space = space
        self._source = source
        self._target = target
        self._keys = space.keys(source)
        self._sent: set[bytes] = set()
        self._moment = Moment(None, 0)

    async def run(self) -> None:
        # Known before any row is read: what is missing at this epoch was missing then.
        epoch = await self._space.calls.command("HGET", self._keys.chunks, b"e")
        self._moment = Moment(epoch or b"", 0)
        places = [p async for p in self._places()]
        places.sort(key=lambda p: (p[1], p[0]))
        for start in range(0, len(places), BATCH):
            rows = await self._rows(places[start : start + BATCH])
            await self._store(rows, [])
        async for writes in self._writes():
            await self._store([], writes)

    async def _places(self) -> AsyncIterator[tuple[str, str]]:
        for first, last in ((b"i", b"j"), (b"x", b"y")):
            upper = b"(" + last
            while True:
                args = (upper, b"[" + first, PAGE, b"names")
                members, _ = await self._space.calls.script(SCAN, self._keys, args)
                for member in members:
                    yield split_place(member[1:])
                if len(members) < PAGE:
                    break
                upper = b"(" + members[-1]

    async def _rows(self, places: Sequence[tuple[str, str]]) -> list[CheckpointRow]:
        fields = [kind + place(*one) for one in places for kind in (b"h", b"s")]
        found = await self._space.calls.command("HMGET", self._keys.data, *fields)
        rows = []
        for i, one in enumerate(places):
            head, state = found[2 * i], found[2 * i + 1]
            if head is not None:
                key = CheckpointKey(self._source, *one)
                rows.append(unpack_row(key, head, state or b""))
        return rows

    async def _writes(self) -> AsyncIterator[list[WriteRow]]:
        lower = b"[w"
        while True:
            members = await self._space.calls.command(
                "ZRANGEBYLEX", self._keys.members, lower, b"(x", b"LIMIT", 0, PAGE
            )
            if not members:
                return
            values = await self._space.calls.command("HMGET", self._keys.data, *members)
            yield unpack_writes(self._source, members, values)
            lower = b"(" + members[-1]

    async def _store(self, rows: Sequence[CheckpointRow], writes: Sequence[WriteRow]) -> None:
        refs = b"".join([row.refs for row in rows] + [write.refs for write in writes])
        copies = [row._replace(thread_id=self._target) for row in rows]
        written = [write._replace(thread_id=self._target) for write in writes]
        if not rows and not writes:
            return
        while True:
            claimed: set[bytes] = set()
            chunks = await self._missing(refs, claimed)
            batch = Batch("copy", copies, written, chunks, None, sorted(claimed))
            if await self._space.store(self._target, batch):
                self._sent.update(chunk.hash for chunk in chunks)
                return
            # A sweep of the target has dropped what it had no row for any more.
            self._sent.clear()

    async def _missing(self, refs: bytes, claimed: set[bytes]) -> list[Chunk]:
        """The chunks below `refs` but for those that were sent before, which are claimed."""
        if not refs:
            return []

        def known(name: bytes) -> bool:
            if name in self._sent:
                claimed.add(name)
                return True
            return False

        steps = collecting(refs, sweeps=False, known=known)
        found = await self._space.take(self._keys, steps, self._moment)
        return [Chunk(name, frame) for name, frame in found.items()]
