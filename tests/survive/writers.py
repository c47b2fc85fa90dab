"""Many processes in one new place: `python -m tests.survive.writers SCENARIO PLACE COUNT`."""

from __future__ import annotations

import asyncio
import sys
from functools import partial

import lgckpt.backends.postgres  # noqa: F401 - before the fork, so that they do start at once
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.crowd import threads, together
from tests.survive.harness import guard
from tests.survive.places import is_postgres, open_place
from tests.survive.states import WRITERS, Conversation

PROCESSES = 8
THREADS = 4
AT_ONCE = 20


def names(process: int) -> list[str]:
    """The LangGraph threads that a process writes, one for each of its threads."""
    return [f"{'large' if i % 2 else 'small'}-{process}-{i}" for i in range(THREADS)]


def write(path: str, process: int, steps: int) -> None:
    """Write with one saver: three threads in the sync colour, one in asyncio."""
    with open_place(path) as saver:
        first, *rest = names(process)
        threads(
            [
                *(partial(_write, saver, name, steps) for name in rest),
                lambda: asyncio.run(_awrite(saver, first, steps)),
            ]
        )


def _write(saver: Saver, name: str, steps: int) -> None:
    conversation = Conversation(name)
    for _ in range(steps):
        stored = conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
        found = saver.get_tuple(config(name))
        if found is None or found.checkpoint["id"] != stored:
            raise AssertionError(f"{name} does not read what it has just written")


async def _awrite(saver: Saver, name: str, steps: int) -> None:
    conversation = Conversation(name)
    for _ in range(steps):
        await conversation.aput(saver)
        for task in WRITERS:
            await saver.aput_writes(*conversation.writes(task))


def new_place(path: str, number: int) -> str:
    """A file in a directory, or a schema of a database."""
    return f"{path} {number}" if is_postgres(path) else f"{path}/{number}.db"


def first_use(path: str, number: int) -> None:
    """What a new worker does first: half of them set up, half simply write."""
    with open_place(path) as saver:
        if number % 2:
            saver.setup()
        Conversation(f"small-{number}").put(saver)


def main(scenario: str, path: str, count: int) -> None:
    guard()
    if scenario == "write":
        together([partial(write, path, process, count) for process in range(PROCESSES)])
    for i in range(count if scenario == "setup" else 0):
        together([partial(first_use, new_place(path, i), n) for n in range(AT_ONCE)])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
