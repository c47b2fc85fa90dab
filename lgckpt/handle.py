"""What all clones of one saver share: the storage, its worker threads, what is remembered."""

from __future__ import annotations

import weakref

from lgckpt import forks
from lgckpt.errors import ClosedError
from lgckpt.hints import Hints
from lgckpt.storage import Driver, SyncStorage, Workers, async_driver, sync_driver


class Handle:
    """Opened lazily, closed once; collecting the last saver that holds it closes it too."""

    def __init__(self, storage: SyncStorage) -> None:
        self.storage = storage
        self.workers = Workers()
        self.sync = sync_driver(storage)
        self.asyncio = async_driver(storage, self.workers)
        self.closed = False
        self.hints = Hints()
        forks.register(self)
        self._finalizer = weakref.finalize(self, _release, storage, self.workers)

    def driver(self, *, sync: bool) -> Driver:
        """The driver of one colour.

        Raises:
            ClosedError: `close` was called.
        """
        if self.closed:
            raise ClosedError("this saver was closed")
        return self.sync if sync else self.asyncio

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


def _release(storage: SyncStorage, workers: Workers) -> None:
    workers.shutdown()
    storage.close()
