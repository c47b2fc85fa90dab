"""The JSON documents of LangGraph's `RedisSaver`, as a source of a migration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol
from redis.exceptions import RedisError

from lgckpt.backends.redis_clients import Options, source
from lgckpt.bulk import Batch, Known, Mark, Place, ThreadPage
from lgckpt.errors import ConfigurationError, DecodeError, FrameError, StorageError
from lgckpt.migration.langgraph.reading import check_id, loads_json, metadata_of
from lgckpt.migration.langgraph.reading import plain as plain_json
from lgckpt.migration.langgraph.recent import Recent
from lgckpt.migration.langgraph.redis_index import CHECKPOINT, WRITE, Index, plain
from lgckpt.migration.langgraph.redis_values import Values, typed_blob
from lgckpt.migration.langgraph.rows import Found, FoundWrite, ThreadPacker
from lgckpt.migration.langgraph.slicing import VALUES, Typed
from lgckpt.packing import Packer
from lgckpt.reading import DAMAGE, named
from lgckpt.rows import CheckpointKey
from lgckpt.saver import Compression
from lgckpt.serde import Serializer

OPTIONS = Options(32, 60.0, 5.0, 30.0, {})

_STORED = frozenset({"type", VALUES})
"""Keys of the document that are not the checkpoint's own, or not bare."""


class RedisLayout:
    """LangGraph's Redis keys, as langgraph-checkpoint-redis 0.5 writes them; a source only.

    Args:
        url: A `redis://` or `rediss://` URL.
        name: The URL as it was given, without its password, for people.
        serde: Not used: this layout holds nothing that is encrypted.
        compression: Of the chunks that values are cut into.
    """

    native = False

    def __init__(
        self,
        url: str,
        name: str,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        self.name = name
        self._client = source(url, OPTIONS).make()
        packer = Packer(Serializer(), compression)
        self._recent = Recent(lambda: ThreadPacker(packer))
        self._index: Index | None = None
        self._reading = asyncio.Lock()

    async def setup(self) -> None:
        """Refuse: it is a source only."""
        raise ConfigurationError(self.source_only)

    async def threads(self, after: str, limit: int) -> ThreadPage:
        """A page of all threads; the first one reads the names of all keys."""
        return (await self._keys(anew=not after)).threads(after, limit)

    async def marks(self, thread_id: str, after: Place | None, limit: int) -> list[Mark]:
        """A page of a thread's places, as they were when threads were listed."""
        return (await self._keys()).marks(thread_id, after, limit)

    async def fetch(self, thread_id: str, places: Sequence[Place], known: Known) -> Batch:
        """All that is at these places, with the chunks that are not known."""
        index = await self._keys()
        with self._recent.lend(thread_id) as packer:
            packer.begin(known)
            values = Values()
            for place in sorted(places):
                await self._read(index, packer, values, CheckpointKey(thread_id, *place))
            return packer.end()

    async def load(self, thread_id: str, batch: Batch) -> bool:
        """Refuse: it is a source only."""
        raise ConfigurationError(self.source_only)

    async def close(self) -> None:
        """Close all connections; safe to call again."""
        index, self._index = self._index, None
        if index is not None:
            index.close()
        await self._client.aclose()

    @property
    def source_only(self) -> str:
        """Why it is no target."""
        return (
            f"{self.name}: LangGraph's Redis layout can be a source only, its values being JSON "
            "that does not hold everything; a target can be redis://, langgraph+postgresql:// or "
            "langgraph+sqlite://"
        )

    async def _keys(self, *, anew: bool = False) -> Index:
        async with self._reading:
            if self._index is None or anew:
                index = Index()
                async with self._named_errors():
                    await index.read(self._client, self.name)
                if self._index is not None:
                    self._index.close()
                self._index = index
            return self._index

    async def _read(
        self, index: Index, packer: ThreadPacker, values: Values, key: CheckpointKey
    ) -> None:
        place = (key.checkpoint_ns, key.checkpoint_id)
        names = [index.keys(kind, key.thread_id, place) for kind in (CHECKPOINT, WRITE)]
        async with self._named_errors():
            pipeline = self._client.pipeline(transaction=False)
            for name in (*names[0], *names[1]):
                pipeline.execute_command("JSON.GET", name)
            answers = await pipeline.execute()
        try:
            documents = [None if one is None else loads_json(one) for one in answers]
            for document in documents[: len(names[0])][:1]:
                if document is not None:
                    packer.checkpoint(_found(key, document, values))
            for document in documents[len(names[0]) :]:
                if document is not None:
                    packer.write(_found_write(key, document))
        except DAMAGE as exc:
            raise named(exc, key) from exc

    @asynccontextmanager
    async def _named_errors(self) -> AsyncIterator[None]:
        try:
            yield
        except (RedisError, OSError) as exc:
            raise StorageError(f"{self.name}: {exc or type(exc).__name__}") from exc


def _found(key: CheckpointKey, document: dict[str, Any], kept: Values) -> Found:
    checkpoint = document.get("checkpoint")
    if isinstance(checkpoint, str):
        checkpoint = loads_json(checkpoint)
    if not isinstance(checkpoint, dict):
        raise DecodeError("not a checkpoint")
    values = checkpoint.get(VALUES)
    if not isinstance(values, dict):
        raise FrameError("has its values elsewhere, as releases before 0.1 of LangGraph's saver do")
    bare = {k: v for k, v in checkpoint.items() if k not in _STORED}
    if not bare.get("pending_sends"):
        bare.pop("pending_sends", None)
    packed = plain_json(bare)
    check_id(packed, key.checkpoint_id)
    found: dict[str, Typed | None] = {k: kept.typed(k, v) for k, v in values.items()}
    parent = plain(document.get("parent_checkpoint_id") or "")
    metadata = metadata_of(document.get("metadata"))
    return Found(*key, None if parent == "None" else parent, packed, found, metadata, {})


def _found_write(key: CheckpointKey, document: dict[str, Any]) -> FoundWrite:
    tag, channel, idx = document.get("type"), document.get("channel"), document.get("idx")
    if not isinstance(tag, str) or not isinstance(channel, str) or not isinstance(idx, int):
        raise DecodeError("not a pending write")
    task_id, path = str(document.get("task_id")), str(document.get("task_path") or "")
    value = typed_blob(tag, document.get("blob"))
    return FoundWrite(*key, task_id, idx, path, channel, *value)
