"""Which chunks are below a reference, and what of it is missing or damaged."""

from __future__ import annotations

from collections.abc import Mapping

from lgckpt.core import core
from lgckpt.errors import FrameError, UnsupportedFormatError
from lgckpt.rows import REF_SIZE
from lgckpt.storage import Driver


class Trees:
    """The chunk trees of one thread, each chunk looked at once however many values share it.

    Of the chunks themselves only hashes are held.

    Attributes:
        reached: The chunks that something leads to, there or not.
    """

    def __init__(self, driver: Driver, thread_id: str) -> None:
        self._driver = driver
        self._thread_id = thread_id
        self.reached: set[bytes] = set()
        self._broken: dict[bytes, str] = {}
        self._fresh: set[bytes] = set()
        self._above: dict[bytes, list[bytes]] = {}

    async def walk(self, refs: bytes) -> None:
        """Go to all that is below these references, and tell what is broken of that."""
        self._fresh.clear()
        self._above.clear()
        levels = {h: level for level, h in pairs(refs) if h not in self.reached}
        while levels:
            self.reached.update(levels)
            self._fresh.update(levels)
            inner = [h for h, level in levels.items() if level]
            frames = await self.frames(inner) if inner else {}
            below: dict[bytes, int] = {}
            for name in inner:
                for level, child in self._children(name, levels[name], frames.get(name)):
                    self._above.setdefault(child, []).append(name)
                    if child not in self.reached:
                        below[child] = level
            levels = below
        self.spread()

    def fresh(self) -> set[bytes]:
        """The chunks that the last walk was the first to come to."""
        return self._fresh

    def _children(self, name: bytes, level: int, frame: bytes | None) -> list[tuple[int, bytes]]:
        if frame is None:
            self._broken[name] = f"chunk {name.hex()} is missing"
            return []
        try:
            return pairs(core.children(level, frame))
        except (FrameError, UnsupportedFormatError) as exc:
            self._broken[name] = f"chunk {name.hex()}: {exc}"
            return []

    def mark(self, name: bytes, why: str) -> None:
        """Note of a chunk that it is missing or damaged, before anything leads to it."""
        self._broken.setdefault(name, why)

    def spread(self) -> None:
        """Have what is broken break all that is above it, as far as the last walk saw."""
        queue = [name for name in self._above if name in self._broken]
        while queue:
            name = queue.pop()
            for parent in self._above.get(name, ()):
                if parent not in self._broken:
                    self._broken[parent] = self._broken[name]
                    queue.append(parent)

    def trouble(self, refs: bytes) -> str | None:
        """What is wrong below references that were walked."""
        return next((self._broken[h] for _, h in pairs(refs) if h in self._broken), None)

    async def frames(self, hashes: list[bytes]) -> Mapping[bytes, bytes]:
        """The frames of these chunks that are there; none below them."""
        refs = b"".join(b"\0" + name for name in hashes)
        found: Mapping[bytes, bytes] = await self._driver("chunks", self._thread_id, refs)
        return found


def pairs(refs: bytes) -> list[tuple[int, bytes]]:
    """The level and the hash of each reference; what is cut short is left out."""
    whole = len(refs) - len(refs) % REF_SIZE
    return [(refs[i], bytes(refs[i + 1 : i + REF_SIZE])) for i in range(0, whole, REF_SIZE)]
