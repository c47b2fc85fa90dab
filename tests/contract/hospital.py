"""One damaged checkpoint among whole ones, and ways to damage it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lgckpt.errors import CorruptCheckpointError
from tests.backends import Backend
from tests.checkpoints import Config, Thread
from tests.colours import Coloured
from tests.contract.stored import Stored, stored

Change = Callable[[bytes], bytes]


def text(name: str) -> list[dict[str, Any]]:
    """A large value that shares neither chunk nor size with another name's."""
    count = 250 + zlib.crc32(name.encode()) % 1000
    return [{"id": i, "content": f"{name} {i} " * 8} for i in range(count)]


@dataclass
class Ward:
    """Threads "hurt" (three checkpoints) and "whole", each with writes on every checkpoint."""

    coloured: Coloured
    backend: Backend
    at: list[Config]
    others: list[Any]
    before: Stored
    bed: int

    @property
    def patient(self) -> Config:
        """The checkpoint of "hurt" that is to be damaged."""
        return self.at[self.bed]

    def damage(self, table: str, column: str, change: Change) -> None:
        """Apply a change to one column of the patient, or of its large write."""
        good = getattr(self._row(stored(self.coloured.saver), table), column)
        self._replace(table, column, {good: change(good)})

    def heal(self, table: str, column: str, change: Change) -> None:
        """Undo `damage`."""
        good = getattr(self._row(self.before, table), column)
        self._replace(table, column, {change(good): good})

    def damage_chunks(self, change: Change) -> None:
        """Apply a change to all chunks of "hurt"."""
        mine = set(stored(self.coloured.saver).chunks["hurt"].values())
        self._replace("chunks", "frame", {good: change(good) for good in mine})

    def _replace(self, table: str, column: str, swaps: dict[bytes, bytes]) -> None:
        self.backend.damage(self.coloured.saver, table, column, lambda v: swaps.get(bytes(v), v))

    def _row(self, found: Stored, table: str) -> Any:
        wanted = self.patient["configurable"]["checkpoint_id"]
        rows = [row for row in getattr(found, table) if row.checkpoint_id == wanted]
        (row,) = [row for row in rows if getattr(row, "channel", "w") == "w"]
        return row

    async def assert_others_are_whole(self) -> None:
        """Every other checkpoint reads as before."""
        for one in self.others:
            assert await self.coloured.get_tuple(one.config) == one

    def assert_named(self, error: CorruptCheckpointError, channel: str | None) -> None:
        """The error says where the damage is, and what it was."""
        named = self.patient["configurable"]
        assert error.thread_id == named["thread_id"]
        assert error.checkpoint_ns == named["checkpoint_ns"]
        assert error.checkpoint_id == named["checkpoint_id"]
        assert error.channel == channel
        for part in (named["thread_id"], named["checkpoint_id"], channel or ""):
            assert part in str(error)
        assert error.__cause__ is not None


async def admit(coloured: Coloured, backend: Backend, bed: int = 1) -> Ward:
    """Fill a saver; the patient is the one in the middle, or another."""
    at: dict[str, list[Config]] = {"hurt": [], "whole": []}
    for name, configs in at.items():
        thread = Thread(coloured, name, ns="n")
        for n in range(3):
            config = await thread.put({"large": text(f"{name} {n}"), "n": n}, run_id=f"{name} {n}")
            await coloured.put_writes(
                config, [("w", text(f"{'w' * (n + 2)} {name}")), ("v", n)], "task"
            )
            configs.append(config)
    kept = [*(config for n, config in enumerate(at["hurt"]) if n != bed), *at["whole"]]
    others = [await coloured.get_tuple(config) for config in kept]
    return Ward(coloured, backend, at["hurt"], others, stored(coloured.saver), bed)


def flip(position: int) -> Change:
    """Turn one bit over, at a position counted in 1/1000 of the length."""

    def change(value: bytes) -> bytes:
        at = min(len(value) * position // 1000, len(value) - 1)
        return value[:at] + bytes([value[at] ^ 0x10]) + value[at + 1 :]

    return change


def flip_hash(refs: bytes) -> bytes:
    """Turn one bit of the first reference's hash over."""
    return refs[:9] + bytes([refs[9] ^ 1]) + refs[10:]


def cut(value: bytes) -> bytes:
    return value[:-1]


def halve(value: bytes) -> bytes:
    return value[: len(value) // 2]


def empty(_: bytes) -> bytes:
    return b""


def longer(value: bytes) -> bytes:
    return value + b"\0"


def zeros(value: bytes) -> bytes:
    return bytes(len(value))
