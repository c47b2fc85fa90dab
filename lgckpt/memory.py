"""The saver for one process's memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from lgckpt.backends.memory import MemoryStorage
from lgckpt.errors import ConfigurationError
from lgckpt.saver import Compression, Saver


class MemorySaver(Saver):
    """Keeps checkpoints in memory, packed: for tests, notebooks and short-lived agents.

    Args:
        serde: See `Saver`.
        compression: See `Saver`.

    Examples:
        >>> import lgckpt
        >>> saver = lgckpt.MemorySaver()
        >>> saver.get_tuple({"configurable": {"thread_id": "1"}}) is None
        True
    """

    _stays = True

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        super().__init__(MemoryStorage(), serde=serde, compression=compression)


class InMemorySaver(MemorySaver):
    """The official name; as in the official one, async methods call the sync ones.

    So a subclass that overrides only `put`, say, works in async graphs too.

    Args:
        serde: See `Saver`.
        factory: `defaultdict`, as by default, and without effect: rows are packed here and lie in
            no dicts of the caller's kind.
        compression: See `Saver`.

    Raises:
        ConfigurationError: `factory` is another one, such as LangGraph's `PersistentDict`.
    """

    def __init__(
        self,
        *,
        serde: SerializerProtocol | None = None,
        factory: type[defaultdict[Any, Any]] = defaultdict,
        compression: Compression | None = "lz4",
    ) -> None:
        if factory is not defaultdict:
            raise ConfigurationError(
                f"factory={factory!r} would have no effect: this saver keeps packed rows, not "
                "dicts. For checkpoints that outlive the process use lgckpt.SqliteSaver(path)"
            )
        super().__init__(serde=serde, compression=compression)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing: the official one can be used, and has its data, after the block."""

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing, likewise."""

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """`get_tuple`."""
        return self.get_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """`list`."""
        for found in self.list(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """`put`."""
        return self.put(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """`put_writes`."""
        self.put_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """`delete_thread`."""
        self.delete_thread(thread_id)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """`get_delta_channel_history`."""
        return self.get_delta_channel_history(config=config, channels=channels)
