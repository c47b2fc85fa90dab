"""Forks with savers in use: `python -m tests.survive.forked SCENARIO BACKEND DIR COUNT`."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import lgckpt
from lgckpt.errors import LgckptError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.checker import check_file, check_memory
from tests.survive.crowd import CHILD_LIMIT, fork, fork_child, join, reap, threads
from tests.survive.harness import guard, run
from tests.survive.places import check_place, open_place
from tests.survive.states import WRITERS, Conversation, assert_whole

SHARED = ("sqlite", "postgres", "redis")
"""Backends whose data is outside of the process."""

CHILDREN = 4
PUTS = 5


def open_saver(backend: str, path: Path | str) -> Saver:
    if backend == "memory":
        return lgckpt.MemorySaver()
    return open_place(":memory:" if backend == "sqlite-memory" else str(path))


def assert_there(saver: Saver, name: str) -> None:
    """Exactly what `work` wrote under this name."""
    for i in range(PUTS):
        found = list(saver.list(config(f"{name}-{i}")))
        assert [one.metadata["step"] for one in found] == [2, 1, 0], f"{name}-{i}"
        for one in found:
            assert_whole(one)


def work(saver: Saver, name: str) -> None:
    """Write and read in both colours, beginning with several threads at once."""

    def one(number: int) -> None:
        conversation = Conversation(f"{name}-{number}")
        conversation.put(saver)
        asyncio.run(conversation.aput(saver))
        conversation.put(saver)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
        asyncio.run(saver.aget_tuple(config(conversation.thread_id)))

    threads([partial(one, i) for i in range(PUTS)])
    assert_there(saver, name)


def guarded(saver: Saver, name: str) -> None:
    guard(CHILD_LIMIT)
    work(saver, name)


def check(saver: Saver, backend: str, path: Path | str) -> None:
    if backend in SHARED:
        check_place(str(path))
    if backend == "memory":
        check_memory(saver)


def family(saver: Saver, backend: str, path: Path | str) -> None:
    """Parent and children write and read at once; half of the children end softly."""
    names = [f"large-child-{i}" for i in range(CHILDREN)]
    pids = [
        fork_child(partial(work, saver, name), soft=bool(i % 2)) for i, name in enumerate(names)
    ]
    work(saver, "large-parent")
    reap(pids)
    work(saver, "large-parent-afterwards")
    for name in names if backend in SHARED else ():
        assert_there(saver, name)
    assert_there(saver, "large-parent")
    check(saver, backend, path)


def after_construction(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    family(saver, backend, path)


def after_use(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    work(saver, "large-before")
    family(saver, backend, path)
    assert_there(saver, "large-before")


def generations(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """A child forks in its turn, after use."""
    work(saver, "large-1")

    def child() -> None:
        work(saver, "large-2")
        reap([fork_child(partial(work, saver, "large-3"))])
        work(saver, "large-4")

    reap([fork_child(child)])
    for name in ("large-1", *(("large-2", "large-3", "large-4") if backend in SHARED else ())):
        assert_there(saver, name)
    check(saver, backend, path)


def by_multiprocessing(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    work(saver, "large-before")
    names = [f"large-child-{i}" for i in range(CHILDREN)]
    processes = [fork.Process(target=guarded, args=(saver, name)) for name in names]
    for process in processes:
        process.start()
    work(saver, "large-parent")
    join(processes)
    for name in names if backend in SHARED else ():
        assert_there(saver, name)
    check(saver, backend, path)


def in_the_middle(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """Fork while other threads are anywhere within the saver, its locks in their hands."""
    stop = threading.Event()
    use = [_repeat(saver, f"large-busy-{i}", stop) for i in range(3)]
    busy = [threading.Thread(target=each, daemon=True) for each in use]
    for thread in busy:
        thread.start()
    try:
        for i in range(count):
            name = f"large-child-{i}"
            reap([fork_child(partial(_use_and_check, saver, name, backend), soft=i % 4 == 0)])
    finally:
        stop.set()
        for thread in busy:
            thread.join()
    work(saver, "large-afterwards")
    check(saver, backend, path)


def _repeat(saver: Saver, name: str, stop: threading.Event) -> Callable[[], None]:
    def use() -> None:
        conversation = Conversation(name)
        while not stop.is_set():
            conversation.put(saver)
            saver.put_writes(*conversation.writes("task-a"))
            assert_whole(saver.get_tuple(config(name)))
            if conversation.step % 5 == 4:
                saver.prune([name])
            if conversation.step == 12:
                conversation.resume(None)

    return use


def _use_and_check(saver: Saver, name: str, backend: str) -> None:
    """What the parent's threads were at is whole here too, and this process goes on."""
    for one in saver.list(None, limit=8):
        assert_whole(one)
    conversation = Conversation(name)
    conversation.put(saver)
    asyncio.run(conversation.aput(saver))
    assert_whole(saver.get_tuple(config(name)))
    saver.prune(["large-busy-0", name])
    if backend == "memory":
        check_memory(saver)
    saver.delete_thread(name)


def under_a_lock(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """Fork while another thread is within a write transaction for a second."""
    work(saver, "large-before")
    inside = threading.Event()
    loads = saver.serde.loads_typed

    class Slow(type(saver.serde)):  # type: ignore[misc]
        def loads_typed(self, data: Any) -> Any:
            if not inside.is_set():
                inside.set()
                time.sleep(1)
            return loads(data)

    clone = saver.with_allowlist([])
    clone.serde = Slow()
    pruning = threading.Thread(target=clone.prune, args=(["large-before-0"],), daemon=True)
    pruning.start()
    assert inside.wait(10)
    reap([fork_child(partial(work, saver, "large-child"))])
    pruning.join()
    work(saver, "large-parent")
    assert len(list(saver.list(config("large-before-0")))) == 1
    check(saver, backend, path)


def stale_child(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """A child ends long after: the parent closed, and others made new files beside the database."""
    work(saver, "large-before")
    gate = Path(path).with_suffix(".gate")

    def child() -> None:
        while not gate.exists():
            time.sleep(0.01)

    pid = fork_child(child, soft=True)
    saver.close()
    run("forked", "work", backend, path, 1)
    with lgckpt.SqliteSaver(path) as again:
        work(again, "large-parent")
        gate.touch()
        reap([pid])
        assert_there(again, "large-parent")
        work(again, "large-afterwards")
    check_file(path)
    with lgckpt.SqliteSaver(path) as once_more:
        for name in ("large-before", "large-parent", "large-afterwards", "large-visitor"):
            assert_there(once_more, name)


def outlived(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """The parent closes, and visitors come and go, while a child goes on writing."""
    work(saver, "large-before")
    turn, done = Path(path).with_suffix(".turn"), Path(path).with_suffix(".done")

    def child() -> None:
        work(saver, "large-child-before")
        done.touch()
        while not turn.exists():
            time.sleep(0.01)
        work(saver, "large-child-after")

    pid = fork_child(child)
    while not done.exists():
        time.sleep(0.01)
    saver.close()
    run("forked", "work", backend, path, 1)
    turn.touch()
    reap([pid])
    check_file(path)
    with lgckpt.SqliteSaver(path) as again:
        for name in ("before", "child-before", "visitor", "child-after"):
            assert_there(again, f"large-{name}")


def visit(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    work(saver, "large-visitor")


def closed_in_the_child(saver: Saver, backend: str, path: Path | str, count: int) -> None:
    """What a child closes is its own: the parent goes on."""
    work(saver, "large-before")

    def child() -> None:
        saver.close()
        with suppress(LgckptError):
            saver.get_tuple(config("large-before-0"))
            raise AssertionError("a closed saver answers")

    reap([fork_child(child, soft=True), fork_child(child)])
    work(saver, "large-parent")
    assert_there(saver, "large-before")
    check(saver, backend, path)


SCENARIOS = {
    "after-construction": after_construction,
    "after-use": after_use,
    "generations": generations,
    "multiprocessing": by_multiprocessing,
    "in-the-middle": in_the_middle,
    "under-a-lock": under_a_lock,
    "stale-child": stale_child,
    "outlived": outlived,
    "closed-in-the-child": closed_in_the_child,
    "work": visit,
}


def main(scenario: str, backend: str, path: Path | str, count: int) -> None:
    guard()
    with open_saver(backend, path) as saver:
        SCENARIOS[scenario](saver, backend, path, count)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
