"""The whole LangGraph contract, written once for every backend and both colours.

Each operation is a coroutine over a `Driver`; the sync methods drive it to its end
in place, the async methods await it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeVar

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.serde.base import SerializerProtocol
from typing_extensions import Self

from lgckpt import operations
from lgckpt.drafting import TaskWrites
from lgckpt.errors import ConfigurationError
from lgckpt.handle import Handle
from lgckpt.listing import listing
from lgckpt.operations import Context
from lgckpt.packing import Packer
from lgckpt.serde import Serializer
from lgckpt.snapshots import take
from lgckpt.storage import AsyncStorage, SyncStorage, run_sync
from lgckpt.versions import counting, next_version

T = TypeVar("T")

Compression = Literal["lz4", "zstd"]


class Saver(BaseCheckpointSaver[str]):
    """Base of every lgckpt saver: sync and async methods on one object.

    Use it from `with`, `async with`, or as it is plus `close()` or `aclose()`. It needs
    no running event loop, works from many threads and several event loops, and after a
    fork. `serde` is read at each call; clones made by `with_allowlist` share everything
    else.

    Args:
        storage: Where rows go.
        serde: Serializer of checkpoints and writes; `lgckpt.Serializer()` if None. With
            another one, bytes are stored as it gives them and not split into chunks.
        compression: "lz4", "zstd" or None; how rows and chunks are compressed.
    """

    _stays = False
    """Whether rows stay in this process."""

    def __init__(
        self,
        storage: SyncStorage | AsyncStorage,
        *,
        serde: SerializerProtocol | None = None,
        compression: Compression | None = "lz4",
    ) -> None:
        super().__init__(serde=serde or Serializer())
        if compression not in ("lz4", "zstd", None):
            raise ConfigurationError(f"compression is 'lz4', 'zstd' or None, not {compression!r}")
        self._compression = compression
        self._handle = Handle(storage)
        self._contexts: dict[bool, Context] = {}

    def _context(self, *, sync: bool) -> Context:
        handle = self._handle
        found = self._contexts.get(sync)
        if (
            found is None
            or found.packer.serde is not self.serde
            or found.hints is not handle.hints
            or handle.closed
        ):
            driver = handle.driver(sync=sync)
            found = Context(driver, self._packer(), handle.hints)
            # A clone has this attribute too, so what is in it stays as it is.
            self._contexts = {**self._contexts, sync: found}
        return found

    def _packer(self) -> Packer:
        for found in self._contexts.values():
            if found.packer.serde is self.serde:
                return found.packer
        return Packer(self.serde, self._compression, stays=self._stays)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return run_sync(coroutine)

    def setup(self) -> None:
        """Create the schema if it is not there; the first use does the same.

        Raises:
            StorageError: The database cannot be used.
        """
        self._run(operations.setup(self._context(sync=True)))

    async def asetup(self) -> None:
        """Async version of `setup`."""
        await operations.setup(self._context(sync=False))

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Get the checkpoint the config names, or the latest of its thread and namespace.

        Args:
            config: With `thread_id`, and maybe `checkpoint_ns` and `checkpoint_id`.

        Returns:
            The checkpoint with its pending writes in `writes_sort_key` order, or None.

        Raises:
            CorruptCheckpointError: The stored row is damaged.
            UnsupportedFormatError: A newer release wrote it.
            StorageError: The database cannot be used.
        """
        return self._run(operations.get_tuple(self._context(sync=True), config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Async version of `get_tuple`."""
        return await operations.get_tuple(self._context(sync=False), config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        """List checkpoints, newest first, page by page; nothing is held between pages.

        Args:
            config: A thread, maybe with namespace and checkpoint; None for all threads.
            filter: Metadata keys and the values they must equal.
            before: Only checkpoints older than this one.
            limit: How many at most.

        Yields:
            Matching checkpoints with their pending writes.
        """
        pages = listing(self._context(sync=True), config, filter, before, limit)
        while page := self._run(pages.next_page()):
            yield from page

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Async version of `list`."""
        pages = listing(self._context(sync=False), config, filter, before, limit)
        while page := await pages.next_page():
            for found in page:
                yield found

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Store a checkpoint, all or nothing; one with the same id is replaced.

        Values are encoded before this returns control, so what the caller changes later
        cannot tear them. Channels outside `new_versions` are taken from the parent's row,
        and encoded only where that is absent.

        Args:
            config: With `thread_id`, and the parent's `checkpoint_id` if there is one.
            checkpoint: The checkpoint.
            metadata: Its metadata.
            new_versions: The versions of the channels that changed since the parent.

        Returns:
            The config that names the stored checkpoint.

        Raises:
            EncodeError: A value cannot be serialized.
            StorageError: The database cannot be used.
        """
        context = self._context(sync=True)
        return self._run(operations.put(context, config, checkpoint, metadata, new_versions))

    def snapshot(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> Checkpoint:
        """Pack a checkpoint now, to be stored later.

        Nothing is stored, and no database is asked. Handed to `put` or `aput` of this saver with
        the very same `config` and `metadata`, what it returns is stored as it was packed, whatever
        has become of its values since; anywhere else it is the checkpoint.

        Args:
            config: As for `put`.
            checkpoint: The checkpoint.
            metadata: Its metadata.
            new_versions: As for `put`.

        Returns:
            The checkpoint, with the rows it is stored as.

        Raises:
            EncodeError: A value cannot be serialized.
        """
        hints = self._handle.hints
        return take(self._packer(), config, checkpoint, metadata, new_versions, hints)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Async version of `put`; cancelled, it has stored all or nothing."""
        context = self._context(sync=False)
        return await operations.put(context, config, checkpoint, metadata, new_versions)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Store pending writes of one task, all or nothing; their checkpoint may come later.

        Args:
            config: Names the checkpoint.
            writes: (channel, value) pairs. A batch of special channels only
                (`WRITES_IDX_MAP`) replaces what is there, any other leaves it.
            task_id: The task.
            task_path: Its path, which decides the order of replay.

        Raises:
            EncodeError: A value cannot be serialized.
            StorageError: The database cannot be used.
        """
        context, task = self._context(sync=True), TaskWrites(writes, task_id, task_path)
        self._run(operations.put_writes(context, config, (task,)))

    async def aput_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Async version of `put_writes`."""
        context, task = self._context(sync=False), TaskWrites(writes, task_id, task_path)
        await operations.put_writes(context, config, (task,))

    def put_task_writes(self, config: RunnableConfig, tasks: Sequence[TaskWrites]) -> None:
        """Store pending writes of several tasks of one checkpoint, as `put_writes` of each would.

        They are stored in as few statements as may be; those of a task, all or nothing. Fails
        one, what was stored before it stays, and nothing is harmed by storing all of them again.

        Args:
            config: Names the checkpoint.
            tasks: What each wrote.

        Raises:
            EncodeError: A value cannot be serialized; nothing is stored.
            StorageError: The database cannot be used.
        """
        self._run(operations.put_writes(self._context(sync=True), config, tasks))

    async def aput_task_writes(self, config: RunnableConfig, tasks: Sequence[TaskWrites]) -> None:
        """Async version of `put_task_writes`."""
        await operations.put_writes(self._context(sync=False), config, tasks)

    def delete_thread(self, thread_id: str) -> None:
        """Delete everything of a thread."""
        self._run(operations.delete_thread(self._context(sync=True), thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        """Async version of `delete_thread`."""
        await operations.delete_thread(self._context(sync=False), thread_id)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Delete the checkpoints of the runs, in all threads, and their writes.

        What a surviving DeltaChannel still replays stays readable to
        `get_delta_channel_history`, and to nothing else.
        """
        self._run(operations.delete_for_runs(self._context(sync=True), run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        """Async version of `delete_for_runs`."""
        await operations.delete_for_runs(self._context(sync=False), run_ids)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Copy a thread's whole chain, writes included; it can be run again."""
        context = self._context(sync=True)
        self._run(operations.copy_thread(context, source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Async version of `copy_thread`."""
        context = self._context(sync=False)
        await operations.copy_thread(context, source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Prune threads, each in its own transaction.

        Args:
            thread_ids: The threads.
            strategy: "keep_latest" keeps the latest checkpoint of each namespace, and out of
                sight what its DeltaChannels are rebuilt from; "delete" keeps nothing.

        Raises:
            TypeError: `thread_ids` is a single string.
            ValueError: `strategy` is unknown (a `ConfigurationError`).
        """
        self._run(operations.prune(self._context(sync=True), thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Async version of `prune`."""
        await operations.prune(self._context(sync=False), thread_ids, strategy)

    def sweep(self) -> int:
        """Delete the threads that have expired, a few at a time; puts start it now and then too.

        Only a saver with a `ttl` makes threads expire: the whole thread, that long after its
        last `put` or `put_writes` (or read, with `refresh_on_read`). A life is prolonged
        coarsely, by steps of a twentieth: a thread lives that much shorter at worst. What has
        expired is shown by no read, swept or not; a put to it begins the thread anew.

        Returns:
            How many threads were deleted; those in use elsewhere are left for the next time.
        """
        return self._run(operations.sweep(self._context(sync=True)))

    async def asweep(self) -> int:
        """Async version of `sweep`."""
        return await operations.sweep(self._context(sync=False))

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Walk the parent chain once, giving each channel's seed and writes, oldest first."""
        return self._run(operations.delta_history(self._context(sync=True), config, channels))

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        """Async version of `get_delta_channel_history`."""
        return await operations.delta_history(self._context(sync=False), config, channels)

    @counting
    def get_next_version(self, current: str | None, channel: None) -> str:
        """The next version of a channel, in the format of LangGraph's own savers."""
        return next_version(current)

    def close(self) -> None:
        """Release everything, for all clones too; safe to call again."""
        self._handle.close()

    async def aclose(self) -> None:
        """Async version of `close`."""
        await self._handle.aclose()

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
        await self.aclose()
