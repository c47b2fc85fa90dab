"""`lgckpt.record`: a saver that writes down what a real graph asks of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from typing_extensions import Self

from lgckpt.loadtest.scrubbing import Scrubber
from lgckpt.loadtest.writing import Scrub, Writer


class Recording(BaseCheckpointSaver[Any]):
    """A saver that records each call before it makes it; `record` gives one.

    Closing it closes the recording, and leaves the saver open.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any], writer: Writer) -> None:
        self._saver = saver
        self._writer = writer
        super().__init__(serde=saver.serde)

    @property
    def config_specs(self) -> list[Any]:
        """The saver's."""
        return self._saver.config_specs

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> Recording:
        """The saver's own clone, recorded in the same file."""
        return Recording(self._saver.with_allowlist(extra_allowlist), self._writer)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Recorded."""
        self._writer.get(config)
        return self._saver.get_tuple(config)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Recorded."""
        self._writer.get(config)
        return await self._saver.aget_tuple(config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """Recorded."""
        self._writer.list(config, filter, before, limit)
        yield from self._saver.list(config, filter=filter, before=before, limit=limit)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Recorded."""
        self._writer.list(config, filter, before, limit)
        found = self._saver.alist(config, filter=filter, before=before, limit=limit)
        async for one in found:
            yield one

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Recorded."""
        self._writer.put(config, checkpoint, metadata, new_versions)
        return self._saver.put(config, checkpoint, metadata, new_versions)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Recorded."""
        self._writer.put(config, checkpoint, metadata, new_versions)
        return await self._saver.aput(config, checkpoint, metadata, new_versions)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Recorded."""
        self._writer.put_writes(config, writes, task_id, task_path)
        self._saver.put_writes(config, writes, task_id, task_path)

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Recorded."""
        self._writer.put_writes(config, writes, task_id, task_path)
        await self._saver.aput_writes(config, writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        """Not recorded."""
        self._saver.delete_thread(thread_id)

    async def adelete_thread(self, thread_id: str) -> None:
        """Not recorded."""
        await self._saver.adelete_thread(thread_id)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Not recorded."""
        self._saver.delete_for_runs(run_ids)

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Not recorded."""
        await self._saver.adelete_for_runs(run_ids)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Not recorded."""
        self._saver.copy_thread(source_thread_id, target_thread_id)

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Not recorded."""
        await self._saver.acopy_thread(source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Not recorded."""
        self._saver.prune(thread_ids, strategy=strategy)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Not recorded."""
        await self._saver.aprune(thread_ids, strategy=strategy)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Not recorded."""
        return self._saver.get_delta_channel_history(config=config, channels=channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Not recorded."""
        return await self._saver.aget_delta_channel_history(config=config, channels=channels)

    def get_next_version(self, current: Any, channel: None) -> Any:
        """The saver's."""
        return self._saver.get_next_version(current, channel)

    def close(self) -> None:
        """End the recording; what is called later is not recorded."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def record(
    saver: BaseCheckpointSaver[Any],
    path: str | os.PathLike[str],
    *,
    scrub: bool | Scrub = False,
) -> Recording:
    """Record what a graph asks of a saver, to play it to any database with `lgckpt loadtest`.

    Args:
        saver: Any saver; it does what it did.
        path: The file; what was there is replaced.
        scrub: True to record other texts and numbers of the same sizes in the place of the real
            ones, or a function that is given each value and gives what to record; threads are
            numbered then. Names of channels, of fields and of nodes are recorded as they are.

    Returns:
        A saver to compile the graph with.

    Raises:
        StorageError: The file cannot be written; a call that cannot be recorded later says so
            too, and is not made.
    """
    how = Scrubber().value if scrub is True else (scrub or None)
    return Recording(saver, Writer(Path(path), how))
