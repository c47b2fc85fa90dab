"""A whole load test: warm-up, turns, levels, checks, and what came of it."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from time import perf_counter
from typing import Any

from lgckpt.errors import ConfigurationError
from lgckpt.loadtest import facts
from lgckpt.loadtest.chaos import Chaos
from lgckpt.loadtest.hands import Hands, engage
from lgckpt.loadtest.knee import with_knee
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.planning import Plan, plan_of
from lgckpt.loadtest.probing import probe, reach
from lgckpt.loadtest.results import Progress, Run, Side
from lgckpt.loadtest.settings import Settings
from lgckpt.loadtest.tally import Tally
from lgckpt.loadtest.targets import Target, is_embedded, start
from lgckpt.loadtest.worker import Order

Watch = Callable[[Run, Progress], None]
Engage = Callable[[Sequence[Order]], Awaitable[Hands]]

TURN = 5.0
"""Seconds of a turn, about, where two sides are compared."""

PATIENCE, PATIENCE_IN_CHAOS = 5.0, 60.0
"""Seconds for which a call that fails is made again."""

BRIEF = 0.05
"""Seconds of an interval that is too short for a sample of its own to say anything."""


@dataclass
class _Side:
    tally: Tally
    hands: Hands
    chaos: Chaos | None


class LoadTest:
    """One run.

    Args:
        settings: How it is done.
        watch: Told of the run as it is, each interval.
        stop: Set to end it early, with what was found.
        command: The command line, for the results.
        hire: Gets the clients.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        watch: Watch | None = None,
        stop: asyncio.Event | None = None,
        command: str = "",
        hire: Engage = engage,
    ) -> None:
        self._settings = settings
        self._plan: Plan = plan_of(settings)
        self._watch = watch
        self._stop = stop or asyncio.Event()
        self._command = command
        self._hire = hire
        self._sides: list[_Side] = []
        self._started = datetime.now(timezone.utc).astimezone().isoformat(timespec="seconds")
        self._prefix = f"loadtest-{secrets.token_hex(4)}"
        self._notes: list[str] = []
        self._begun = perf_counter()
        self._measuring: float | None = None

    async def run(self) -> Run:
        """Do it.

        Raises:
            ConfigurationError: The settings make no sense, or a package is missing.
            StorageError: A target cannot be used at all.
        """
        async with AsyncExitStack() as stack:
            for url in (self._settings.url, self._settings.vs):
                if url is not None:
                    self._sides.append(await self._open(url, stack))
            self._begun = perf_counter()
            await self._warm_up()
            self._measuring = perf_counter()
            for load in self._plan.levels:
                await self._level(load)
            await self._settle()
            await self._clean()
        return self._now()

    async def _open(self, url: str, stack: AsyncExitStack) -> _Side:
        settings = self._settings
        if settings.chaos and not is_embedded(url):
            raise ConfigurationError(
                "--chaos kills servers that lgckpt started itself, and no other: "
                "postgresql://embedded, redis://embedded"
            )
        target = await asyncio.to_thread(start, url, durable=settings.chaos)
        if target.server is not None:
            stack.push_async_callback(asyncio.to_thread, target.server.remove)
        if target.private and settings.processes > 1:
            raise ConfigurationError(f"{target.given} is within one process; --processes 1")
        await reach(target.url)
        number = len(self._sides)
        hands = await self._hire(
            [self._order(target, number, i) for i in range(settings.processes)]
        )
        stack.push_async_callback(hands.close)
        taken = {side.tally.name for side in self._sides}
        name = target.name if target.name not in taken else f"{target.name} ({number + 1})"
        tally = Tally(target, name)
        tally.server, stored = await probe(target.url)
        tally.turn(stored)
        chaos = Chaos(target.server, self._plan.seconds) if settings.chaos else None
        return _Side(tally, hands, chaos)

    def _order(self, target: Target, side: int, number: int) -> Order:
        settings = self._settings
        return Order(
            url=target.url,
            workload=settings.workload,
            replay=settings.replay,
            pace=settings.pace,
            seed=settings.seed,
            prefix=f"{self._prefix}-{side}",
            number=number,
            processes=settings.processes,
            connections=settings.connections,
            patience=PATIENCE_IN_CHAOS if settings.chaos else PATIENCE,
            timeout=settings.timeout,
        )

    async def _warm_up(self) -> None:
        for side in self._sides:
            if self._plan.warmup and not self._stop.is_set():
                await self._turn(side, self._plan.levels[0], self._plan.warmup, "warm-up")

    async def _level(self, load: Load) -> None:
        is_ramp = len(self._plan.levels) > 1
        amount = load.clients if load.rate is None else load.rate
        unit = "clients" if load.rate is None else "supersteps/s"
        phase = f"{amount:,.0f} {unit}" if is_ramp else "measuring"
        if is_ramp:
            for side in self._sides:
                side.tally.begin_level(amount)
        for side, seconds in self._turns():
            if not self._stop.is_set():
                await self._turn(side, load, seconds, phase)
        for side in self._sides:
            side.tally.end_level()

    def _turns(self) -> list[tuple[_Side, float]]:
        """Who comes when: each side as often as the other, first and second by turns."""
        seconds = self._plan.seconds
        if len(self._sides) == 1 or self._settings.pace is not None:
            return [(side, seconds) for side in self._sides]
        rounds = max(2, math.ceil(seconds / TURN))
        both = [self._sides if n % 2 == 0 else self._sides[::-1] for n in range(rounds)]
        return [(side, seconds / rounds) for sides in both for side in sides]

    async def _turn(self, side: _Side, load: Load, seconds: float, phase: str) -> None:
        tally = side.tally
        tally.turn((await probe(tally.target.url))[1])
        await side.hands.snapshot()
        last = perf_counter()
        end = last + seconds
        work = asyncio.ensure_future(side.hands.run(load, seconds))
        kills = None
        if side.chaos is not None and self._measuring is not None:
            kills = asyncio.ensure_future(side.chaos.run(tally.events, self._measuring))
        try:
            while not work.done():
                await self._wait(work, side, self._interval(end - perf_counter()))
                last = await self._sample(side, last, phase, ended=work.done())
            await work
        finally:
            for task in (kills, work):
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
            if side.chaos is not None:
                await side.chaos.mend()

    def _interval(self, left: float) -> float:
        """How long to wait for a sample, if so many seconds are left of a turn."""
        interval = self._settings.interval
        # Up to the end, if what would be left after it is too little for a sample of its own: the
        # few supersteps that end in it would look as if the database had stood still.
        return left + interval if 0 < left < 1.5 * interval else interval

    async def _wait(self, work: asyncio.Future[None], side: _Side, seconds: float) -> None:
        stopped = asyncio.ensure_future(self._stop.wait())
        waiting: list[asyncio.Future[Any]] = [work] if self._stop.is_set() else [work, stopped]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if self._stop.is_set() and not work.done():
            await side.hands.stop()

    async def _sample(self, side: _Side, last: float, phase: str, *, ended: bool) -> float:
        now = perf_counter()
        if now - last < BRIEF and not ended:
            return last
        found = await side.hands.snapshot()
        at = None if self._measuring is None else now - self._measuring
        side.tally.add(found, now - last, at)
        side.tally.grew((await probe(side.tally.target.url))[1])
        self._show(phase, side)
        return now

    def _show(self, phase: str, side: _Side | None) -> None:
        if self._watch is None:
            return
        name = side.tally.name if side is not None and len(self._sides) > 1 else ""
        elapsed = perf_counter() - self._begun
        total = self._plan.total(len(self._sides))
        self._watch(self._now(), Progress(phase, min(elapsed, total), total, name))

    async def _settle(self) -> None:
        """All that is open is read once more: what was acknowledged must be there at the end."""
        for side in self._sides:
            self._show("settling", side)
            side.tally.checked(await side.hands.settle())

    async def _clean(self) -> None:
        for side in self._sides:
            tally = side.tally
            if tally.late:
                self._notes.append(
                    f"{tally.name}: {tally.late:,} supersteps were due, and not begun in time"
                )
            if tally.given_up:
                self._notes.append(
                    f"{tally.name}: {tally.given_up:,} threads were left, after a call that failed "
                    "again and again"
                )
            if tally.target.server is None and not self._settings.keep:
                self._show("deleting its threads", side)
                await side.hands.clean()
        if self._settings.keep:
            self._notes.append(f"threads were left there; their ids begin with {self._prefix}")
        if self._stop.is_set():
            self._notes.append("it was ended early")

    def _now(self) -> Run:
        settings, plan = self._settings, self._plan
        rates = [load.rate for load in plan.levels if load.rate is not None]
        is_open = bool(rates)
        return Run(
            started=self._started,
            workload=plan.workload,
            seed=settings.seed,
            loop="open" if is_open else "closed",
            clients=max(load.clients for load in plan.levels),
            rate=max(rates) if is_open else None,
            duration=plan.seconds,
            warmup=plan.warmup,
            processes=settings.processes,
            versions=facts.versions(),
            machine=facts.machine(),
            sides=tuple(_told(side.tally, is_open=is_open) for side in self._sides),
            command=self._command,
            notes=tuple(self._notes),
        )


def _told(tally: Tally, *, is_open: bool) -> Side:
    side = tally.side()
    return replace(side, levels=with_knee(side.levels, is_open=is_open))


async def run(
    settings: Settings,
    *,
    watch: Watch | None = None,
    stop: asyncio.Event | None = None,
    command: str = "",
) -> Run:
    """Do a load test; see `LoadTest`."""
    return await LoadTest(settings, watch=watch, stop=stop, command=command).run()


def failed(found: Run, *, chaos: bool = False) -> bool:
    """Whether a run is to end with an error: a read was wrong, or a call failed.

    Args:
        found: The run.
        chaos: Whether servers were killed: then calls fail, and only what is given up counts.
    """
    if found.wrong:
        return True
    if any(side.given_up for side in found.sides):
        return True
    return not chaos and any(side.errors for side in found.sides)
