"""`list`: keys and metadata page by page, then the matching checkpoints in small batches."""

from __future__ import annotations

import logging
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple

from lgckpt.configs import checkpoint_id_of, text, thread_of
from lgckpt.errors import CorruptCheckpointError, LgckptError, UnsupportedFormatError
from lgckpt.operations import Context, to_tuple
from lgckpt.reading import read_metadata
from lgckpt.rows import CheckpointKey, Head, ScanQuery
from lgckpt.telling import tell_damage

FIRST_PAGE = 16
LAST_PAGE = 512
BATCH = 8
"""Checkpoints loaded at once: their common chunks are then read once."""

logger = logging.getLogger(__name__)


class Listing:
    """A cursor over matching checkpoints; between pages it is a key and nothing else."""

    def __init__(
        self,
        context: Context,
        query: ScanQuery,
        filter: dict[str, Any] | None,
        limit: int | None,
    ) -> None:
        self._context = context
        self._query = query
        self._filter = filter or {}
        self._left = limit
        self._page = FIRST_PAGE
        self._keys: list[CheckpointKey] = []
        self._done = False
        self._damage: LgckptError | None = None

    async def next_page(self) -> list[CheckpointTuple]:
        """The next matching checkpoints; an empty list at the end."""
        while self._left is None or self._left > 0:
            if not self._keys and not await self._scan():
                break
            size = BATCH if self._left is None else min(BATCH, self._left)
            batch, self._keys = self._keys[:size], self._keys[size:]
            found = []
            for loaded in await self._context.driver("get_many", batch):
                try:
                    found.append(await to_tuple(self._context, loaded))
                except (CorruptCheckpointError, UnsupportedFormatError) as exc:
                    self._met(exc)
            if self._left is not None:
                self._left -= len(found)
            if found:
                return found
        return self._end()

    def _met(self, damage: LgckptError) -> None:
        """Log every damage: only the first is raised, at the end."""
        tell_damage(logger, damage)
        self._damage = self._damage or damage

    def _end(self) -> list[CheckpointTuple]:
        """The empty page at the end; damage met on the way is named once all else was given."""
        if self._damage is not None:
            damage, self._damage = self._damage, None
            raise damage
        return []

    async def _scan(self) -> bool:
        """Read pages until one holds a match; False at the end."""
        while not self._done:
            query = self._query._replace(limit=self._size())
            heads: list[Head] = await self._context.driver("scan", query)
            self._done = len(heads) < query.limit
            self._keys = [head.key for head in heads if self._matches(head)]
            self._page = min(self._page * 4, LAST_PAGE)
            if heads:
                self._query = self._query._replace(after=heads[-1].key)
            if self._keys:
                return True
        return False

    def _size(self) -> int:
        if self._left is None or self._filter:
            return self._page
        return min(self._page, self._left)

    def _matches(self, head: Head) -> bool:
        if not self._filter:
            return True
        try:
            metadata: Any = read_metadata(self._context.packer.serde, head.key, head.metadata)
        except (CorruptCheckpointError, UnsupportedFormatError) as exc:
            self._met(exc)
            return False
        return all(metadata.get(key) == value for key, value in self._filter.items())


def listing(
    context: Context,
    config: RunnableConfig | None,
    filter: dict[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
) -> Listing:
    """A cursor over what `list` was asked for."""
    query = ScanQuery()
    if config is not None:
        thread_id = thread_of(config)
        checkpoint_ns = config["configurable"].get("checkpoint_ns")
        query = ScanQuery(
            thread_id,
            None if checkpoint_ns is None else text(checkpoint_ns, "checkpoint_ns"),
            checkpoint_id_of(config),
        )
    if before is not None:
        query = query._replace(before=checkpoint_id_of(before))
    return Listing(context, query, filter, limit)
