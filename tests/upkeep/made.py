"""Checkpoints of an age of one's choice, and damage in one place only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from lgckpt.rows import CheckpointRow, WriteRow
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import checkpoint, config
from tests.contract.stored import stored

EPOCH = datetime(1582, 10, 15, tzinfo=timezone.utc)
LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(300)]


def id_at(when: datetime) -> str:
    """A checkpoint id as LangGraph makes it at that time: a UUID of version 6."""
    ticks = (when - EPOCH) // timedelta(microseconds=1) * 10
    high, low = ticks >> 12, ticks & 0xFFF
    return str(UUID(int=(high << 80) | (6 << 76) | (low << 64) | (2 << 62)))


class Aged:
    """Puts checkpoints to a thread, each so many days old."""

    def __init__(self, saver: Saver, thread_id: str, ns: str = "") -> None:
        self.saver = saver
        self.thread_id = thread_id
        self.ns = ns
        self.config = config(thread_id, ns=ns)
        self.count = 0
        self.ids: list[str] = []

    async def put(self, days: float, values: Any = None, **metadata: Any) -> dict[str, Any]:
        """Store one; its parent is the one before."""
        self.count += 1
        when = datetime.now(timezone.utc) - timedelta(days=days)
        made = checkpoint(
            {"n": self.count, **(values or {})},
            dict.fromkeys(["n", *(values or {})], self.count),
            ts=when.isoformat(),
            id=id_at(when + timedelta(microseconds=self.count)),
        )
        full = {"source": "loop", "step": self.count, "parents": {}, **metadata}
        self.config = await self.saver.aput(self.config, made, full, made["channel_versions"])
        self.ids.append(made["id"])
        return self.config


async def ids(saver: Saver, thread_id: str, ns: str = "") -> list[str]:
    """The checkpoints of a thread that are in sight, oldest first."""
    found = [one async for one in saver.alist(config(thread_id, ns=ns))]
    return [one.checkpoint["id"] for one in reversed(found)]


def damage_one(
    saver: Saver, backend: Backend, table: str, column: str, target: bytes,
    change: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    """Change the one cell that holds these bytes."""
    hits: list[bytes] = []

    def only(raw: bytes) -> bytes:
        if raw != target:
            return raw
        hits.append(raw)
        return change(raw)

    backend.damage(saver, table, column, only)
    assert hits


def row_of(saver: Saver, at: dict[str, Any]) -> CheckpointRow:
    """The row of a checkpoint."""
    where = at["configurable"]
    (row,) = (
        row
        for row in stored(saver).checkpoints
        if row.thread_id == where["thread_id"] and row.checkpoint_id == where["checkpoint_id"]
    )
    return row


def writes_of(saver: Saver, thread_id: str) -> list[WriteRow]:
    """The pending writes of a thread."""
    return [row for row in stored(saver).writes if row.thread_id == thread_id]
