"""Whether a database has anything at all, found out without making anything there."""

from __future__ import annotations

from collections.abc import Sequence

from lgckpt.archive.side import ArchiveSide
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage
from lgckpt.errors import MissingError
from lgckpt.migration.native import NativeSide
from lgckpt.migration.sides import Side


async def is_there(side: Side) -> bool:
    """Whether a side can be read without its schema being made for that."""
    if isinstance(side, ArchiveSide):
        return side.exists()
    if isinstance(side, NativeSide):
        return (await side.facts()).get("schema") != "0"
    try:
        # Other layouts make nothing when they are read, and say themselves what they miss.
        await side.marks("", None, 1)
    except MissingError:
        return False
    return True


async def check_there(side: Side) -> None:
    """Refuse to read from what is not there; nothing is made there for that.

    Raises:
        MissingError: There are no tables, or no such file. Other layouts than ours say themselves
            what they miss.
    """
    if not isinstance(side, ArchiveSide | NativeSide):
        await side.marks("", None, 1)
    elif not await is_there(side):
        if isinstance(side, NativeSide):
            raise MissingError(f"{side.name} holds no tables of lgckpt")
        raise MissingError(f"{side.name}: there is no such file")


class Nothing:
    """A target that is still to be made: empty, and nothing can be stored there.

    Args:
        side: What it is going to be.
    """

    def __init__(self, side: Side) -> None:
        self.name = side.name
        self.native = side.native

    async def setup(self) -> None:
        """Nothing."""

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """None."""
        return ThreadPage([], None)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """None."""
        return []

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """Nothing."""
        return Batch()

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Nothing is stored."""
        return False

    async def close(self) -> None:
        """Nothing."""
