"""Which threads a migration is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from lgckpt.bulk import ThreadPage
from lgckpt.errors import ConfigurationError
from lgckpt.migration.marks import is_any
from lgckpt.migration.sides import Side

_SHARD = re.compile(r"([1-9][0-9]*)/([1-9][0-9]*)")


@dataclass(frozen=True)
class Shard:
    """One of several parts of all threads, by a hash that every machine computes alike.

    Attributes:
        number: From 1 to `of`.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read "I/N".

        Raises:
            ConfigurationError: It is none, or I is above N.
        """
        match = _SHARD.fullmatch(text.strip())
        if match is None or int(match[1]) > int(match[2]):
            raise ConfigurationError(f"a shard is I/N, with I from 1 to N, not {text!r}")
        return cls(int(match[1]), int(match[2]))

    def holds(self, thread_id: str) -> bool:
        """Whether a thread is in it."""
        name = thread_id.encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=8, person=b"lgckpt-shard").digest()
        return int.from_bytes(digest, "big") % self.of == self.number - 1


@dataclass(frozen=True)
class Threads:
    """A choice of threads.

    Attributes:
        names: Only these; empty for all.
        prefix: Only ids that begin with it.
        shard: Only those in this one.
    """

    names: tuple[str, ...] = ()
    prefix: str = ""
    shard: Shard | None = None

    def wants(self, thread_id: str) -> bool:
        """Whether a thread is chosen."""
        if self.names and thread_id not in self.names:
            return False
        if not thread_id.startswith(self.prefix):
            return False
        return self.shard is None or self.shard.holds(thread_id)

    async def page(self, side: Side, after: str, limit: int) -> ThreadPage:
        """A page of the threads of a side that are chosen; it may be short, or empty."""
        if self.names:
            return await self._named(side)
        page = await side.threads(after, limit)
        return ThreadPage([name for name in page.threads if self.wants(name)], page.after)

    async def _named(self, side: Side) -> ThreadPage:
        """Those asked for by name that are there, without a look at all the others."""
        return ThreadPage([name for name in self._chosen() if await is_any(side, name)], None)

    async def missing(self, side: Side) -> list[str]:
        """Those asked for by name that are not there."""
        return [name for name in self._chosen() if not await is_any(side, name)]

    def _chosen(self) -> list[str]:
        return [name for name in dict.fromkeys(self.names) if self.wants(name)]


def choose(
    names: Sequence[str] = (), prefix: str | None = None, shard: str | None = None
) -> Threads:
    """A choice of threads from what was asked for.

    Raises:
        ConfigurationError: `names` is a single string, or `shard` is none.
    """
    if isinstance(names, str):
        raise ConfigurationError("threads is a sequence of ids, not a str")
    return Threads(tuple(names), prefix or "", None if shard is None else Shard.parse(shard))
