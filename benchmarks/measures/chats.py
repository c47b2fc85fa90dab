"""Many async clients at once, each with a chat of its own: supersteps a second.

A superstep is a put, and then the put_writes of the task that runs on what was put.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import Any

from benchmarks.savers import Saver
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.thread import PutArguments, Thread

CLIENTS = 64
MESSAGES = 20

_PATH = "~__pregel_pull, agent"


@dataclass(frozen=True)
class Superstep:
    """What LangGraph hands to a saver in one superstep.

    Attributes:
        put: The arguments of `put`.
        writes: What the task then writes: the next message, and whom it triggers.
        task_id: The task.
    """

    put: PutArguments
    writes: list[tuple[str, Any]]
    task_id: str


class Chat:
    """One client's chat, made before anything is timed.

    Args:
        saver: Where it is stored.
        thread_id: Of no other chat on that saver.
        seed: Of the conversation.
        length: In messages, and so supersteps.
    """

    def __init__(self, saver: Saver, thread_id: str, seed: int, length: int = MESSAGES) -> None:
        self.thread = Thread(saver, thread_id)
        messages = conversation(length + 1, seed)
        self.supersteps = [
            Superstep(
                put=self.thread.append(message),
                writes=[("messages", [following]), (f"branch:to:{following.type}", None)],
                task_id=f"{thread_id}-task-{position}",
            )
            for position, (message, following) in enumerate(pairwise(messages))
        ]

    async def run(self) -> None:
        """Store all of it, one call after another."""
        saver = self.thread.saver
        for superstep in self.supersteps:
            config = await saver.aput(*superstep.put)
            await saver.aput_writes(config, superstep.writes, superstep.task_id, _PATH)

    async def check(self) -> None:
        """Read the newest checkpoint and its pending writes back.

        Raises:
            AssertionError: They are not what was stored.
        """
        found = await self.thread.saver.aget_tuple(self.thread.latest)
        self.thread.verify(found)
        last = self.supersteps[-1]
        expected = [(last.task_id, channel, value) for channel, value in last.writes]
        if found is None or found.pending_writes != expected:
            raise AssertionError(f"{self.thread.saver!r} returned other writes than were put")

    async def check_all(self) -> None:
        """Read every checkpoint and all pending writes back.

        Raises:
            AssertionError: They are not what was stored.
        """
        found = [each async for each in self.thread.saver.alist(self.thread.latest)]
        for superstep, stored in zip(reversed(self.supersteps), found, strict=True):
            if stored.checkpoint["channel_values"] != superstep.put[1]["channel_values"]:
                raise AssertionError(f"{self.thread.saver!r} lists other values than were put")
            writes = [(channel, value) for _, channel, value in stored.pending_writes or ()]
            if writes != superstep.writes:
                raise AssertionError(f"{self.thread.saver!r} lists other writes than were put")


class Clients:
    """A side of the comparison: clients that share a saver, or have one each.

    Args:
        name: Of its threads, which no other side in the same database uses.
        savers: Dealt out to the clients in turn.
        count: Of clients.
    """

    def __init__(self, name: str, savers: Sequence[Saver], count: int = CLIENTS) -> None:
        self._name = name
        self._savers = savers
        self._count = count

    async def rate(self, number: int, length: int = MESSAGES) -> float:
        """Run all chats at once, and read them back.

        Args:
            number: Of the round: threads and conversations are others in each.
            length: Of each client's chat, in messages.

        Returns:
            Supersteps a second.

        Raises:
            AssertionError: What is stored is not what was put.
        """
        chats = [
            Chat(
                self._savers[client % len(self._savers)],
                f"{self._name}-{number}-{client}",
                seed=number * self._count + client,
                length=length,
            )
            for client in range(self._count)
        ]
        start = perf_counter()
        await asyncio.gather(*(chat.run() for chat in chats))
        seconds = perf_counter() - start
        for chat in chats:
            await chat.check()
        await chats[0].check_all()
        return self._count * length / seconds
