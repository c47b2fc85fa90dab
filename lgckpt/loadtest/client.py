"""One client: plays agents' calls one after another, times them, and checks what it reads."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable
from time import perf_counter
from typing import Any, TypeVar

from langgraph.checkpoint.base import BaseCheckpointSaver, CheckpointTuple

from lgckpt.loadtest.agents import Agent, Dealer
from lgckpt.loadtest.calls import Call, Get, History, Pause, Put, PutWrites, Together
from lgckpt.loadtest.checking import LOST, STALE, Fault, check_get, check_history
from lgckpt.loadtest.limits import Limit
from lgckpt.loadtest.recorder import Recorder

T = TypeVar("T")

PARKED = 1_000
"""Threads that one client may have waiting for people; beyond, the first goes on early."""

RETRY_FIRST, RETRY_MOST = 0.02, 0.5
"""Seconds between attempts, growing from one to the other."""


class Client:
    """Plays one agent after another.

    Args:
        saver: What is called.
        dealer: Where agents come from.
        recorder: Where to note what happens.
        patience: Seconds for which a call that fails is made again.
        timeout: Seconds that one attempt may take.
    """

    def __init__(
        self,
        saver: BaseCheckpointSaver[Any],
        dealer: Dealer,
        recorder: Recorder,
        *,
        patience: float,
        timeout: float,
    ) -> None:
        self._saver = saver
        self._dealer = dealer
        self._recorder = recorder
        self._patience = patience
        self._timeout = timeout
        self._agent: Agent | None = None
        self._parked: list[tuple[float, int, Agent]] = []
        self._parkings = 0

    def ready(self) -> tuple[Agent, Call | Together]:
        """The next call, of an agent that does not wait for anybody."""
        while True:
            agent = self._agent or self._next_agent()
            self._agent = agent
            call = agent.next()
            if call is None:
                self._agent = None
            elif isinstance(call, Pause):
                self._park(agent, call.seconds)
            else:
                return agent, call

    def _next_agent(self) -> Agent:
        full = len(self._parked) > PARKED
        if self._parked and (full or self._parked[0][0] <= perf_counter()):
            return heapq.heappop(self._parked)[2]
        self._recorder.thread()
        return self._dealer.deal()

    def _park(self, agent: Agent, seconds: float) -> None:
        self._parkings += 1
        heapq.heappush(self._parked, (perf_counter() + seconds, self._parkings, agent))
        self._agent = None

    async def superstep(
        self, first: tuple[Agent, Call | Together], due: float | None = None
    ) -> None:
        """Make all calls up to the next checkpoint put, on other threads if need be.

        Args:
            first: What `ready` gave.
            due: When the first should have been made; None for now. So late are all calls of this
                superstep: had it begun in time, each would have been made that much earlier.
        """
        agent, call = first
        lag = 0.0 if due is None else max(perf_counter() - due, 0.0)
        while True:
            if not await self.play(agent, call, lag):
                self._agent = None
                self._recorder.give_up()
                return
            if isinstance(call, Put):
                return
            agent, call = self.ready()

    async def settle(self) -> None:
        """Read all of the threads that are not at their end, and compare."""
        agents = [one for _, _, one in self._parked] + ([self._agent] if self._agent else [])
        self._parked, self._agent = [], None
        for agent in agents:
            for ns in sorted({ns for ns, _ in agent.ledger.entries}):
                named: Any = {"configurable": {"thread_id": agent.thread_id, "checkpoint_ns": ns}}
                for call in (Get(named), History(named)):
                    await self._until_done(agent, call, 0.0)

    async def play(self, agent: Agent, call: Call | Together, lag: float) -> bool:
        """Make a call until it comes back; gives whether it did."""
        if isinstance(call, Together):
            done = await asyncio.gather(*(self._until_done(agent, one, lag) for one in call.calls))
            return all(done)
        return await self._until_done(agent, call, lag)

    async def _until_done(self, agent: Agent, call: Call, lag: float) -> bool:
        size = _noted(agent, call)
        if call.at is not None:
            lag = await self._paced(agent, call.at)
        began = perf_counter() - lag
        limit = perf_counter() + self._patience
        wait = RETRY_FIRST
        while True:
            try:
                answer = await self._limited(self._made(call))
            except Exception as exc:
                self._recorder.error(call.operation, type(exc).__name__)
            else:
                self._recorder.call(call.operation, began, perf_counter(), size)
                await self._compare(agent, call, answer)
                return True
            if perf_counter() + wait > limit:
                return False
            await asyncio.sleep(wait)
            wait = min(wait * 2, RETRY_MOST)

    @staticmethod
    async def _paced(agent: Agent, at: float) -> float:
        """Wait until a call of a recording is due; gives by how much that is late."""
        if agent.began is None:
            agent.began = perf_counter()
        due = agent.began + at
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        return max(perf_counter() - due, 0.0)

    async def _limited(self, call: Awaitable[T]) -> T:
        with Limit(self._timeout):
            return await call

    def _made(self, call: Call) -> Awaitable[Any]:
        saver = self._saver
        if isinstance(call, Put):
            return saver.aput(call.config, call.checkpoint, call.metadata, call.versions)
        if isinstance(call, PutWrites):
            return saver.aput_writes(call.config, call.writes, call.task_id, call.task_path)
        if isinstance(call, Get):
            return saver.aget_tuple(call.config)
        return self._listed(call)

    async def _listed(self, call: History) -> list[CheckpointTuple]:
        pages = self._saver.alist(
            call.config, filter=call.filter, before=call.before, limit=call.limit
        )
        return [one async for one in pages]

    async def _compare(self, agent: Agent, call: Call, answer: Any) -> None:
        ledger = agent.ledger
        if isinstance(call, Put):
            ledger.put_done(call)
        elif isinstance(call, PutWrites):
            ledger.writes_done(call)
        elif isinstance(call, Get):
            faults = check_get(ledger, call, answer)
            if faults and faults[0].kind == STALE:
                faults = await self._late_or_lost(agent, call, faults)
            self._recorder.read(faults)
        else:
            self._recorder.read(check_history(ledger, call, answer))

    async def _late_or_lost(self, agent: Agent, call: Get, faults: list[Fault]) -> list[Fault]:
        """Whether the checkpoint that was not read is there for who asks for it by its id."""
        named = call.config["configurable"]
        newest = agent.ledger.newest(named.get("checkpoint_ns", ""))
        config: Any = {"configurable": {**named, "checkpoint_id": newest}}
        try:
            found = await self._limited(self._saver.aget_tuple(config))
        except Exception as exc:
            self._recorder.error(call.operation, type(exc).__name__)
            return faults
        if found is not None and found.checkpoint["id"] == newest:
            return faults
        return [Fault(LOST, f"checkpoint {newest} had been put, and is not there"), *faults[1:]]


def _noted(agent: Agent, call: Call) -> int:
    """Note what is about to be written; gives its bytes."""
    if isinstance(call, Put):
        return agent.ledger.begin_put(call)
    if isinstance(call, PutWrites):
        return agent.ledger.begin_writes(call)
    return 0
