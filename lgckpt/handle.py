"""What all clones of one saver share: the storage in both colours, what is remembered."""

from __future__ import annotations

import weakref

from lgckpt import forks
from lgckpt.bridges import bridge
from lgckpt.errors import ClosedError
from lgckpt.hints import Hints
from lgckpt.storage import AsyncStorage, Driver, SyncStorage


class Handle:
    """Opened lazily, closed once; collecting the last saver that holds it closes it too."""

    def __init__(self, storage: SyncStorage | AsyncStorage) -> None:
        self.storage = storage
        self.bridge = bridge(storage)
        self.closed = False
        self.hints = Hints()
        forks.register(self)
        self._finalizer = weakref.finalize(self, self.bridge.close)

    def driver(self, *, sync: bool) -> Driver:
        """The driver of one colour.

        Raises:
            ClosedError: `close` was called.
        """
        if self.closed:
            raise ClosedError("this saver was closed")
        return self.bridge.blocking if sync else self.bridge.awaiting

    def before_fork(self) -> None:
        """Nothing: what is remembered is forgotten in the child."""

    def after_fork(self, *, child: bool) -> None:
        """A forked child starts with nothing remembered."""
        if child:
            self.hints = Hints()

    def close(self) -> None:
        """Release the storage; safe to call again."""
        self.closed = True
        self._finalizer()

    async def aclose(self) -> None:
        """Async version of `close`."""
        self.closed = True
        if self._finalizer.detach() is not None:
            await self.bridge.aclose()
