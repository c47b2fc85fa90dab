"""A database that is looked after: the storage's verbs, and what rows are packed with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.migration.native import NativeSide
from lgckpt.packing import Packer
from lgckpt.saver import Saver
from lgckpt.storage import Driver
from lgckpt.url import from_url, without_password

NATIVE = ("sqlite", "postgresql", "postgres", "redis", "rediss", "unix")


class Database:
    """An open database in lgckpt's own layout.

    Attributes:
        name: For people, without a password.
        driver: Runs a storage verb.
        side: The same as migration reads it; it is not closed.
        packer: The saver's.
    """

    def __init__(self, saver: Saver, name: str) -> None:
        context = saver._context(sync=False)
        self.name = name
        self.driver: Driver = context.driver
        self.packer: Packer = context.packer
        self.side = NativeSide(saver, name, owned=False)
        self._saver = saver

    def forget(self, thread_id: str) -> None:
        """Have this process remember nothing of a thread that is about to change."""
        self._saver._handle.hints.forget(thread_id)

    async def facts(self, *, thorough: bool = False) -> Mapping[str, str]:
        """What the database says of itself."""
        found: Mapping[str, str] = await self.driver("facts", thorough)
        return found

    def check_shrinks(self) -> None:
        """Refuse what has no file of its own to be made smaller.

        Raises:
            ConfigurationError: It is no SQLite database.
        """
        if not hasattr(self._saver._handle.storage, "shrink"):
            raise ConfigurationError(
                f"{self.name} is no SQLite file: its server makes room for what comes by itself"
            )

    async def shrink(self) -> int:
        """Make the file as small as what is in it; gives the bytes it lost."""
        lost: int = await self.driver("shrink")
        return lost


@asynccontextmanager
async def opened(where: str | Saver) -> AsyncIterator[Database]:
    """Open what is there already; nothing is created.

    Args:
        where: A URL, or a saver, which stays open.

    Raises:
        ConfigurationError: The URL names no database, or one in another layout.
        StorageError: There is none of lgckpt's, or it cannot be used.
    """
    if isinstance(where, Saver):
        yield Database(where, type(where).__name__)
        return
    saver = _saver(where)
    try:
        database = Database(saver, without_password(where))
        facts = await database.facts()
        if facts.get("exists") == "no":
            raise StorageError(f"{database.name}: there is no such file")
        if facts.get("schema") == "0":
            raise StorageError(f"{database.name}: there are no tables of lgckpt")
        yield database
    finally:
        await saver.aclose()


def _saver(url: str, **options: Any) -> Saver:
    head, found, _ = url.partition("://")
    scheme = head.lower() if found else ""
    if scheme.startswith("langgraph+"):
        raise ConfigurationError(
            f"{without_password(url)} is in LangGraph's own layout: "
            "this works on lgckpt's; `lgckpt migrate` brings it there"
        )
    if scheme == "memory":
        raise ConfigurationError("memory:// is empty in a process of its own")
    if scheme.partition("+")[0] not in NATIVE:
        raise ConfigurationError(
            "the URL of a database is sqlite:///path, postgresql://… or redis://…"
            + (f", not {without_password(url)}" if scheme else "")
        )
    return from_url(url, **options)
