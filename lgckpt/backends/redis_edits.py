"""Edits of one thread as retention decides them, and the sweep of chunks that follows.

Redis has no transaction over several round trips. Instead every write moves the thread's
version on, an edit is decided on what was read at one version, and each script that
carries out a slice of it does so only while the thread is still at that version; if it
has moved on, all begins again. After a few rounds that came to nothing the edit takes the
thread's lock, which makes puts wait and runs out by itself. Nothing rests on the lock but
the time it takes.

Chunks are dropped in two steps, so that no script takes long and no put is ever built
upon a chunk that goes: first all chunks that nothing refers to are marked, at one version,
which makes claims on them fail and a put that sends one take its mark off; then what is
still marked is dropped. A chunk that is there thus always has all chunks below it.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TypeVar

from lgckpt.backends.redis_keys import (
    ThreadKeys,
    place,
    shelf,
    split_place,
    split_write_member,
)
from lgckpt.backends.redis_rows import pack_head, unpack_row
from lgckpt.backends.redis_scripts import (
    DOOM,
    DROP,
    EDIT,
    LOCK,
    NAMES,
    REFS,
    SCAN,
    VACATE,
)
from lgckpt.backends.redis_threads import Moment, Space, Swept, new_epoch
from lgckpt.chunks import reaching
from lgckpt.errors import StorageError
from lgckpt.rows import (
    HIDDEN,
    CheckpointKey,
    CheckpointRow,
    Entry,
    ThreadEdit,
)
from lgckpt.storage import Decide

ROUNDS_WITH_PUTS = 3
"""Rounds after which an edit keeps puts out."""

HOLD_MS = 5000
"""How long a lock lasts unless a script of its owner renews it."""

GIVE_UP = 120.0
"""Seconds after which an edit gives up waiting for others' edits of the thread."""

PAGE = 500
"""Rows or operations a script handles, and ten times as many names of chunks."""

T = TypeVar("T")

Place = tuple[str, str]


class _Moved(Exception):
    """The thread is no longer at the version it was read at."""


class _Write:
    __slots__ = ("channel", "member", "place", "refs")

    def __init__(self, member: bytes, channel: bytes, refs: bytes) -> None:
        ns, checkpoint_id, _, _ = split_write_member(member)
        self.place = (ns, checkpoint_id)
        self.member = member
        self.channel = channel.decode()
        self.refs = refs


class Locked:
    """A thread's lock: shared out among edits one at a time, and kept from puts on demand."""

    def __init__(self, space: Space, keys: ThreadKeys) -> None:
        self._space = space
        self._keys = keys
        self.token = secrets.token_hex(8).encode()

    async def take(self, *, exclusive: bool) -> None:
        """Wait until it is ours.

        Raises:
            StorageError: Others kept it for too long.
        """
        began = time.monotonic()
        kind = b"x" if exclusive else b"s"
        while not await self._space.calls.script(LOCK, self._keys, (kind, self.token, HOLD_MS)):
            if time.monotonic() - began > GIVE_UP:
                raise StorageError(f"Redis at {self._space.calls.name}: a thread stays locked")
            await asyncio.sleep(random.uniform(0.002, 0.02))  # noqa: S311

    async def give_back(self) -> None:
        """Let others have it."""
        await self._space.calls.script(LOCK, self._keys, (b"", self.token, 0))


async def edit(space: Space, thread_id: str, decide: Decide) -> int:
    """Run `decide` on the thread as it is at one version, carry out its edit, drop chunks.

    Returns:
        How many chunks were dropped.
    """
    keys = space.keys(thread_id)
    lock = Locked(space, keys)
    rounds = 0
    try:
        while True:
            await lock.take(exclusive=rounds >= ROUNDS_WITH_PUTS)
            rounds += 1
            version = await space.calls.command("HGET", keys.data, b"v")
            if version is None:
                return 0
            try:
                return await _Round(space, thread_id, version, lock.token).run(decide)
            except (_Moved, Swept):
                continue
    finally:
        await asyncio.shield(lock.give_back())


class _Round:
    """One attempt at an edit, at one version of the thread."""

    def __init__(self, space: Space, thread_id: str, version: bytes, token: bytes) -> None:
        self.thread_id = thread_id
        self._space = space
        self._keys = space.keys(thread_id)
        self._version = version
        self._token = token
        self._rows: dict[Place, CheckpointRow] = {}
        self._writes: list[_Write] = []

    async def run(self, decide: Decide) -> int:
        await self._finish_drop()
        await self._read()
        edit = await decide(self)
        await self._carry_out(edit)
        dropped = await self._sweep()
        if not self._rows and not self._writes:
            await self._space.calls.script(VACATE, self._keys, ())
        return dropped

    async def _read(self) -> None:
        """All heads, and of all writes what an edit and a sweep ask about."""
        for first, last in ((b"i", b"j"), (b"x", b"y")):
            upper = b"(" + last
            while True:
                args = (upper, b"[" + first, PAGE)
                members, heads = await self._space.calls.script(SCAN, self._keys, args)
                for member, head in zip(members, heads, strict=True):
                    key = CheckpointKey(self.thread_id, *split_place(member[1:]))
                    if head is not None:
                        self._rows[key[1:]] = unpack_row(key, head, b"")
                if len(members) < PAGE:
                    break
                upper = b"(" + members[-1]
        lower = b"[w"
        while True:
            found = await self._space.calls.script(REFS, self._keys, (lower, PAGE))
            self._writes += [_Write(*one) for one in zip(*found, strict=True)]
            if len(found[0]) < PAGE:
                break
            lower = b"(" + found[0][-1]

    async def entries(self) -> list[Entry]:
        """See `ThreadView.entries`."""
        return [
            Entry(r.checkpoint_ns, r.checkpoint_id, r.parent_id, r.run_id, r.flags)
            for r in self._rows.values()
        ]

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        """See `ThreadView.row`."""
        row = self._rows.get((checkpoint_ns, checkpoint_id))
        if row is None:
            return None
        field = b"s" + place(checkpoint_ns, checkpoint_id)
        version, state = await self._space.calls.command("HMGET", self._keys.data, b"v", field)
        if version != self._version:
            raise _Moved
        return row._replace(state=state or b"")

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        """See `ThreadView.has_writes`."""
        where = (checkpoint_ns, checkpoint_id)
        return any(w.place == where and w.channel == channel for w in self._writes)

    async def _carry_out(self, edit: ThreadEdit) -> None:
        before = {row.run_id for row in self._rows.values()}
        dropped = set(edit.drop_namespaces)
        gone = {p for p in self._rows if p[0] in dropped} | set(edit.delete)
        replaced = {(row.checkpoint_ns, row.checkpoint_id): row for row in edit.replace}
        for where in gone:
            self._rows.pop(where, None)
        self._rows.update(replaced)
        removed = [w for w in self._writes if _goes(w, edit, dropped, gone)]
        self._writes = [w for w in self._writes if not _goes(w, edit, dropped, gone)]
        for rows in _slices(list(replaced.values()), PAGE // 10):
            await self._store(rows)
        for places in _slices(sorted(gone - replaced.keys()), PAGE):
            await self._delete(places)
        for writes in _slices(removed, PAGE):
            members = [w.member for w in writes]
            await self._apply(members, members, [], [])
        runs = before - {row.run_id for row in self._rows.values()} - {None}
        for some in _slices([b"r" + run.encode() for run in runs if run is not None], PAGE):
            await self._apply(some, [], [], [])

    async def _store(self, rows: Sequence[CheckpointRow]) -> None:
        fields: list[bytes] = []
        removed: list[bytes] = []
        added: list[bytes] = []
        for row in rows:
            where = row.checkpoint_ns, row.checkpoint_id
            name = place(*where)
            shown, hidden = [b"i" + name, b"n" + shelf(*where)], [b"x" + name]
            fields += (b"h" + name, pack_head(row), b"s" + name, row.state)
            removed += shown if row.flags & HIDDEN else hidden
            added += hidden if row.flags & HIDDEN else shown
        await self._apply([], removed, fields, added)

    async def _delete(self, places: Sequence[Place]) -> None:
        fields: list[bytes] = []
        members: list[bytes] = []
        for where in places:
            name = place(*where)
            fields += (b"h" + name, b"s" + name)
            members += (b"i" + name, b"n" + shelf(*where), b"x" + name)
        await self._apply(fields, members, [], [])

    async def _apply(
        self,
        fields_gone: Sequence[bytes],
        members_gone: Sequence[bytes],
        fields: Sequence[bytes],
        members: Sequence[bytes],
    ) -> None:
        args: list[bytes | int] = [self._version, self._token, HOLD_MS]
        args += (len(fields_gone), *fields_gone, len(members_gone), *members_gone)
        args += (len(fields) // 2, *fields, len(members), *members)
        version = await self._space.calls.durable(EDIT, self._keys, args)
        if version is None:
            raise _Moved
        self._version = version

    async def _sweep(self) -> int:
        """Drop the chunks that no row needs; gives how many."""
        names = {name async for name in self._names()}
        if not names:
            return 0
        refs = b"".join(row.refs for row in self._rows.values())
        refs += b"".join(write.refs for write in self._writes)
        used = await self._space.take(self._keys, reaching(refs), Moment(None, 0))
        if used is None:
            return 0
        unused = sorted(names - used)
        if unused:
            await self._doom(unused)
            await self._finish_drop()
        return len(unused)

    async def _names(self) -> AsyncIterator[bytes]:
        cursor = b"0"
        while True:
            args = (cursor, PAGE)
            cursor, names = await self._space.calls.script(NAMES, self._keys, args)
            for name in names:
                if name != b"e":
                    yield name
            if cursor == b"0":
                return

    async def _doom(self, unused: Sequence[bytes]) -> None:
        slices = list(_slices(unused, PAGE * 10))
        for i, some in enumerate(slices):
            ends = int(i == 0), int(i == len(slices) - 1)
            args: list[bytes | int] = [self._version, self._token, HOLD_MS]
            args += (*ends, new_epoch(), *some)
            if not await self._space.calls.script(DOOM, self._keys, args):
                raise _Moved

    async def _finish_drop(self) -> None:
        """Drop what is marked, also what someone who was killed had left."""
        while await self._space.calls.script(DROP, self._keys, (PAGE,)):
            pass


def _goes(write: _Write, edit: ThreadEdit, dropped: set[str], gone: set[Place]) -> bool:
    if write.place[0] in dropped or write.place in gone:
        return True
    kept = edit.trim_writes.get(write.place)
    return kept is not None and write.channel not in kept


def _slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
