"""What all clones of one saver share: the storage in both colours, what is remembered."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from copy import copy

from lgckpt import forks
from lgckpt.bridges import bridge
from lgckpt.errors import ClosedError
from lgckpt.hints import Hints
from lgckpt.storage import AsyncStorage, Driver, SyncStorage
from lgckpt.watching import Watch


class Handle:
    """Opened lazily, closed once; collecting the last saver that holds it closes it too."""

    def __init__(self, storage: SyncStorage | AsyncStorage) -> None:
        self.storage = storage
        self.bridge = bridge(storage)
        self.closed = False
        self.hints = Hints()
        self.watcher: Watch | None = None
        self._around: Callable[[Driver], Driver] | None = None
        forks.register(self)
        self._finalizer = weakref.finalize(self, self.bridge.close)

    def driver(self, *, sync: bool) -> Driver:
        """The driver of one colour.

        Raises:
            ClosedError: `close` was called.
        """
        if self.closed:
            raise ClosedError("this saver was closed")
        driver: Driver = self.bridge.blocking if sync else self.bridge.awaiting
        return driver if self._around is None else self._around(driver)

    def watch(self, watch: Watch | None, around: Callable[[Driver], Driver] | None = None) -> None:
        """Have somebody told of what goes on, or nobody.

        Args:
            watch: Is told what the storage waits for and tries again.
            around: Puts itself around both colours' drivers.
        """
        self.watcher, self._around = watch, around
        self.bridge.watch(watch)
        # Contexts know by this that their driver is not the one any more; all of it is kept.
        self.hints = copy(self.hints)

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
