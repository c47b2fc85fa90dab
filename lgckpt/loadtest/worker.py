"""A process of clients: a crew behind a pipe, so that showing the run costs them nothing."""

from __future__ import annotations

import asyncio
import itertools
import logging
import pickle
import signal
import threading
from collections.abc import Awaitable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from lgckpt.errors import StorageError
from lgckpt.loadtest.agents import Dealer, MakeScript
from lgckpt.loadtest.crew import Crew
from lgckpt.loadtest.load import Load
from lgckpt.loadtest.targets import open_saver
from lgckpt.loadtest.workloads import parse


@dataclass(frozen=True)
class Order:
    """What a crew is made of; it goes through a pipe.

    Attributes:
        url: The target's.
        workload: Its name, if there is no recording.
        replay: A recording.
        pace: See `Settings`.
        seed: Of the run.
        prefix: What the ids of threads begin with.
        number: Which of the processes this is, from 0.
        processes: How many there are.
        connections: See `Settings`.
        patience: See `Client`.
        timeout: See `Client`.
    """

    url: str
    workload: str
    replay: Path | None
    pace: float | None
    seed: int
    prefix: str
    number: int
    processes: int
    connections: int
    patience: float
    timeout: float


def dealer_of(order: Order) -> Dealer:
    """Where the agents of an order come from."""
    numbers = itertools.count(order.number, order.processes)
    return Dealer(_scripts(order), order.seed, order.prefix, numbers)


def _scripts(order: Order) -> MakeScript:
    if order.replay is None:
        return parse(order.workload).script
    from lgckpt.loadtest.replaying import Replay  # noqa: PLC0415

    return Replay.of(order.replay, order.pace).script


def work(order: Order, pipe: Connection) -> None:
    """Be the process: do what comes through the pipe until it ends."""
    # Ctrl-C is for the parent, which tells us what to do about it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What drivers log of a server that is down is counted, and would tear the picture.
    logging.getLogger().addHandler(logging.NullHandler())
    asyncio.run(_serve(order, pipe))


async def _serve(order: Order, pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    asked: asyncio.Queue[tuple[int, str, tuple[Any, ...]] | None] = asyncio.Queue()

    def listen() -> None:
        while True:
            try:
                got = pipe.recv()
            except (EOFError, OSError):
                got = None
            loop.call_soon_threadsafe(asked.put_nowait, got)
            if got is None:
                return

    try:
        async with open_saver(order.url, order.connections) as saver:
            crew = Crew(saver, dealer_of(order), patience=order.patience, timeout=order.timeout)
            pipe.send((0, True, None))
            threading.Thread(target=listen, daemon=True).start()
            await _answer(crew, asked, pipe)
    except Exception as exc:
        pipe.send((0, False, _portable(exc)))


async def _answer(
    crew: Crew, asked: asyncio.Queue[tuple[int, str, tuple[Any, ...]] | None], pipe: Connection
) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def do(number: int, what: str, args: tuple[Any, ...]) -> None:
        try:
            found = getattr(crew, what)(*args)
            answer = await found if isinstance(found, Awaitable) else found
        except Exception as exc:
            pipe.send((number, False, _portable(exc)))
        else:
            pipe.send((number, True, answer))

    while (got := await asked.get()) is not None:
        task = asyncio.ensure_future(do(*got))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _portable(exc: Exception) -> Exception:
    """The exception, or if it does not survive a pipe another that says the same."""
    try:
        pickle.loads(pickle.dumps(exc))
    except Exception:
        return StorageError(f"{type(exc).__name__}: {exc}")
    return exc


def share(load: Load, number: int, processes: int) -> Load | None:
    """The part of a load that one of several processes has; None if there is nothing for it."""
    clients = load.clients // processes + (number < load.clients % processes)
    if not clients:
        return None
    busy = min(processes, load.clients)
    return Load(clients, None if load.rate is None else load.rate / busy)
