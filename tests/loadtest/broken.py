"""Savers that go wrong in one way each, and clients to find it with."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

import lgckpt
from lgckpt.loadtest.agents import Dealer
from lgckpt.loadtest.client import Client
from lgckpt.loadtest.recorder import Recorder, Snapshot
from lgckpt.loadtest.workloads import parse


class Wrong(lgckpt.MemorySaver):
    """Counts its calls, so that each kind can go wrong now and then."""

    every = 7

    def __init__(self) -> None:
        super().__init__()
        self.calls = itertools.count(1)

    def now(self) -> bool:
        return next(self.calls) % self.every == 0


class LosesPuts(Wrong):
    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        if self.now():
            named = {**config["configurable"], "checkpoint_id": checkpoint["id"]}
            return {"configurable": named}
        return await super().aput(config, checkpoint, metadata, new_versions)


class LosesWrites(Wrong):
    async def aput_writes(self, config: Any, writes: Any, task_id: str, path: str = "") -> None:
        if not self.now():
            await super().aput_writes(config, writes, task_id, path)


class Forgets(Wrong):
    """What was put is deleted a moment later."""

    async def aput(self, config: Any, *args: Any) -> Any:
        found = await super().aput(config, *args)
        if self.now():
            await self.adelete_thread(config["configurable"]["thread_id"])
        return found


class TearsValues(Wrong):
    """Gives an older value of one channel with all else as it is."""

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        found = await super().aget_tuple(config)
        if found is not None and found.parent_config is not None and self.now():
            parent = await super().aget_tuple(found.parent_config)
            assert parent is not None
            for name, value in parent.checkpoint["channel_values"].items():
                found.checkpoint["channel_values"][name] = value
        return found


class TearsMetadata(Wrong):
    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        found = await super().aget_tuple(config)
        if found is not None and self.now():
            found.metadata["step"] += 1
        return found


class TearsBatches(Wrong):
    """Stores a value of a batch as another."""

    async def aput_writes(self, config: Any, writes: Any, task_id: str, path: str = "") -> None:
        first, *rest = writes
        if self.now():
            first = (first[0], "something else")
        await super().aput_writes(config, [first, *rest], task_id, path)


class IsStale(Wrong):
    """Reads of the newest checkpoint give the one before it, as a lagging replica would."""

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        found = await super().aget_tuple(config)
        asked = config["configurable"].get("checkpoint_id")
        if asked is None and found is not None and found.parent_config is not None and self.now():
            return await super().aget_tuple(found.parent_config)
        return found


class DoublesCheckpoints(Wrong):
    every = 1

    async def alist(self, config: Any, **options: Any) -> AsyncIterator[CheckpointTuple]:
        async for one in super().alist(config, **options):
            yield one
            if self.now():
                yield one


class DoublesWrites(Wrong):
    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        found = await super().aget_tuple(config)
        if found is not None and found.pending_writes and self.now():
            found.pending_writes.append(found.pending_writes[0])
        return found


class Stalling(lgckpt.MemorySaver):
    """Every call waits while it is stalled."""

    def __init__(self) -> None:
        super().__init__()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.held = 0

    async def flow(self) -> None:
        self.held += not self.flowing.is_set()
        await self.flowing.wait()

    async def aput(self, *args: Any) -> Any:
        await self.flow()
        return await super().aput(*args)

    async def aput_writes(self, *args: Any) -> None:
        await self.flow()
        await super().aput_writes(*args)

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        await self.flow()
        return await super().aget_tuple(config)

    async def stall(self, after: float, seconds: float) -> None:
        await asyncio.sleep(after)
        self.flowing.clear()
        await asyncio.sleep(seconds)
        self.flowing.set()


def client_of(
    saver: BaseCheckpointSaver[Any],
    recorder: Recorder,
    workload: str = "mixed",
    *,
    patience: float = 0.05,
    timeout: float = 20,
) -> Client:
    numbers = itertools.count()
    dealer = Dealer(parse(workload).script, 5, "t", numbers)
    return Client(saver, dealer, recorder, patience=patience, timeout=timeout)


async def played(
    saver: BaseCheckpointSaver[Any], workload: str, steps: int, **options: Any
) -> Snapshot:
    """So many supersteps, then a look at all that is open."""
    recorder = Recorder()
    client = client_of(saver, recorder, workload, **options)
    for _ in range(steps):
        await client.superstep(client.ready())
    await client.settle()
    return recorder.snapshot()


Make = Callable[[], BaseCheckpointSaver[Any]]
