"""What a migration reads from and writes to: the bulk verbs of a storage, awaited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lgckpt.bulk import Batch, Known, Mark, Place, Room, ThreadPage
from lgckpt.errors import ConfigurationError


class Side(Protocol):
    """A database in one layout; see `lgckpt.storage.SyncStorage` for what the verbs give.

    All raise `lgckpt.errors.StorageError` when the database cannot be used, and
    `ConfigurationError` where the layout cannot do what is asked for.

    Attributes:
        name: The URL without its password, for people.
        native: Whether rows are stored as they are, so that equal etags mean equal rows.
    """

    name: str
    native: bool

    async def setup(self) -> None:
        """Create the schema if it is not there."""

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads."""

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places."""

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known."""

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Store a batch in one transaction."""

    async def close(self) -> None:
        """Release everything."""


class Many(Protocol):
    """What a side that can move several threads at once has besides; see `SyncStorage` too."""

    async def vacant(self, thread_ids: Sequence[str]) -> list[bool]:
        """Of each of these threads, whether there is nothing of it."""

    async def fetch_threads(self, thread_ids: Sequence[str], room: Room) -> list[Batch | None]:
        """The whole of as many of these threads as there is room for."""

    async def load_threads(self, loads: Sequence[tuple[str, Batch]]) -> list[bool]:
        """Store a batch of each of several threads."""


def many_of(side: object) -> Many | None:
    """What moves several threads of a side at once; None where there is no such thing."""
    many: Many | None = getattr(side, "many", None)
    return many


def check_target(side: object) -> None:
    """Refuse a side that can be a source only, before anything is asked of it.

    Raises:
        ConfigurationError: It is one; its `source_only` says why.
    """
    why: str | None = getattr(side, "source_only", None)
    if why is not None:
        raise ConfigurationError(why)
