"""A saver in one colour: every call is awaited, and runs the sync or the async method."""

from __future__ import annotations

from typing import Any

from lgckpt.saver import Saver

COLOURS = ("sync", "async")


class Coloured:
    """`await coloured.put(...)` calls `saver.put` or `saver.aput`."""

    def __init__(self, saver: Saver, colour: str) -> None:
        self.saver = saver
        self.colour = colour

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.colour == "sync":
                return getattr(self.saver, name)(*args, **kwargs)
            return await getattr(self.saver, f"a{name}")(*args, **kwargs)

        return call

    async def list(self, *args: Any, **kwargs: Any) -> list[Any]:
        if self.colour == "sync":
            return [*self.saver.list(*args, **kwargs)]
        return [found async for found in self.saver.alist(*args, **kwargs)]
