"""Ends as a careless program does: `python -m tests.survive.exits SCENARIO PATH`.

Nothing may hang, print, or warn; what was acknowledged is said, for the test to look for.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import lgckpt
from lgckpt.saver import Saver
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation

kept: list[Any] = []
"""Survives until the interpreter's end."""


def say(conversation: Conversation) -> None:
    print(conversation.name, conversation.step, flush=True)


def use(saver: Saver, name: str = "large-1") -> None:
    """Use every worker thread and connection there is."""
    conversation = Conversation(name)
    for _ in range(3):
        conversation.put(saver)
        asyncio.run(conversation.aput(saver))
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))

    async def read() -> None:
        await asyncio.gather(*(saver.aget_tuple(conversation.config) for _ in range(16)))

    asyncio.run(read())
    say(conversation)


def never_closed(path: str) -> None:
    """A global saver that nobody closes."""
    saver = lgckpt.SqliteSaver(path)
    use(saver)
    kept.append(saver)


def collected(path: str) -> None:
    """Savers that go out of use one after another, by count and in cycles."""
    for i in range(20):
        saver = lgckpt.SqliteSaver(path)
        use(saver, f"large-{i}")
        if i % 2:
            cycle: list[Any] = [saver]
            cycle.append(cycle)
            del cycle
        del saver
        gc.collect()
    descriptors = os.listdir("/proc/self/fd") if sys.platform == "linux" else []
    open_files = [os.readlink(f"/proc/self/fd/{d}") for d in descriptors[:-1]]
    if any(name.startswith(path) for name in open_files):
        raise AssertionError(f"collected savers left files open: {open_files}")
    left = [t.name for t in threading.enumerate() if t.name.startswith("lgckpt")]
    for thread in [t for t in threading.enumerate() if t.name.startswith("lgckpt")]:
        thread.join(10)
        if thread.is_alive():
            raise AssertionError(f"collected savers left threads running: {left}")


def collected_in_threads(path: str) -> None:
    """Savers dropped within callbacks and worker threads, while others are in use."""

    def one(number: int) -> None:
        for _ in range(5):
            saver = lgckpt.SqliteSaver(path)
            Conversation(f"small-{number}").put(saver)
            asyncio.run(Conversation(f"small-{number}").aput(saver))
            kept[:] = [saver]
            gc.collect()

    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def pending(path: str, *, close: bool, cancel: bool) -> None:
    """`asyncio.run` ends while puts are under way and queued."""
    saver = lgckpt.SqliteSaver(path)
    use(saver)

    async def main() -> None:
        tasks = [asyncio.ensure_future(Conversation(f"small-{i}").aput(saver)) for i in range(200)]
        await asyncio.sleep(0.001)
        if cancel:
            for task in tasks:
                task.cancel()
        kept.extend(tasks)

    asyncio.run(main())
    if close:
        saver.close()


def pending_without_run(path: str) -> None:
    """A loop that is closed by hand, its tasks cancelled, while a worker still writes."""
    saver = lgckpt.SqliteSaver(path)
    loop = asyncio.new_event_loop()
    use(saver)

    async def main() -> None:
        tasks = [asyncio.ensure_future(Conversation(f"small-{i}").aput(saver)) for i in range(50)]
        await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    loop.run_until_complete(main())
    loop.close()
    kept.append(saver)


def half_listed(path: str) -> None:
    """Iterators over `list` and `alist` that are never run to their ends."""
    saver = lgckpt.SqliteSaver(path)
    use(saver)
    iterator = saver.list(None)
    next(iterator)

    async def main() -> None:
        async for _ in saver.alist(None):
            break

    asyncio.run(main())
    kept.extend([iterator, saver])


def from_a_daemon(path: str) -> None:
    """The interpreter ends while a daemon thread is writing."""
    saver = lgckpt.SqliteSaver(path)
    use(saver)
    going = threading.Event()

    def write() -> None:
        conversation = Conversation("large-daemon")
        with suppress(lgckpt.ClosedError):  # by the interpreter's end
            while True:
                conversation.put(saver)
                going.set()

    threading.Thread(target=write, daemon=True).start()
    going.wait(10)


def in_memory(path: str) -> None:
    """The same for savers without a file."""
    for saver in (lgckpt.SqliteSaver(":memory:"), lgckpt.MemorySaver()):
        use(saver)
        asyncio.run(_leave(saver))
        kept.append(saver)


async def _leave(saver: Saver) -> None:
    kept.append(asyncio.ensure_future(Conversation("small-1").aput(saver)))


def failing(path: str) -> None:
    """Savers of what is no database leave nothing open either."""
    with open(path + ".txt", "wb") as file:
        file.write(b"not a database\n" * 1000)
    for database in (path + ".txt", path + "/absent/agents.db"):
        saver = lgckpt.SqliteSaver(database)
        for call in (saver.setup, partial(saver.get_tuple, Conversation("small").config)):
            try:
                call()
            except lgckpt.LgckptError:
                continue
            raise AssertionError(f"{database} is no database")
    gc.collect()


def raising(path: str) -> None:
    """An exception ends the program; the saver is still referred to by its traceback."""
    saver = lgckpt.SqliteSaver(path)
    use(saver)
    sys.exit(0)


SCENARIOS: dict[str, Callable[[str], None]] = {
    "never-closed": never_closed,
    "collected": collected,
    "collected-in-threads": collected_in_threads,
    "pending": partial(pending, close=False, cancel=False),
    "pending-then-close": partial(pending, close=True, cancel=False),
    "cancelled": partial(pending, close=False, cancel=True),
    "cancelled-then-close": partial(pending, close=True, cancel=True),
    "loop-closed-by-hand": pending_without_run,
    "half-listed": half_listed,
    "daemon": from_a_daemon,
    "in-memory": in_memory,
    "failing": failing,
    "raising": raising,
}


if __name__ == "__main__":
    guard()
    SCENARIOS[sys.argv[1]](sys.argv[2])
