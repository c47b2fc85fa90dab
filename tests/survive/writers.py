"""Many processes on one new file: `python -m tests.survive.writers SCENARIO PATH COUNT`."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

import lgckpt
from tests.checkpoints import config
from tests.survive.crowd import threads, together
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation

PROCESSES = 8
THREADS = 4
AT_ONCE = 20


def names(process: int) -> list[str]:
    """The LangGraph threads that a process writes, one for each of its threads."""
    return [f"{'large' if i % 2 else 'small'}-{process}-{i}" for i in range(THREADS)]


def write(path: str, process: int, steps: int) -> None:
    """Write with one saver: three threads in the sync colour, one in asyncio."""
    with lgckpt.SqliteSaver(path) as saver:
        first, *rest = names(process)
        threads(
            [
                *(partial(_write, saver, name, steps) for name in rest),
                lambda: asyncio.run(_awrite(saver, first, steps)),
            ]
        )


def _write(saver: lgckpt.SqliteSaver, name: str, steps: int) -> None:
    conversation = Conversation(name)
    for _ in range(steps):
        stored = conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
        found = saver.get_tuple(config(name))
        if found is None or found.checkpoint["id"] != stored:
            raise AssertionError(f"{name} does not read what it has just written")


async def _awrite(saver: lgckpt.SqliteSaver, name: str, steps: int) -> None:
    conversation = Conversation(name)
    for _ in range(steps):
        await conversation.aput(saver)
        for task in WRITERS:
            await saver.aput_writes(*conversation.writes(task))


def first_use(path: Path, number: int) -> None:
    """What a new worker does first: half of them set up, half simply write."""
    with lgckpt.SqliteSaver(path) as saver:
        if number % 2:
            saver.setup()
        Conversation(f"small-{number}").put(saver)


def main(scenario: str, path: str, count: int) -> None:
    guard()
    if scenario == "write":
        together([partial(write, path, process, count) for process in range(PROCESSES)])
    for i in range(count if scenario == "setup" else 0):
        together([partial(first_use, Path(path) / f"{i}.db", n) for n in range(AT_ONCE)])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
