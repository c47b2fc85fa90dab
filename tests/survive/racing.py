"""Races on one LangGraph thread: `python -m tests.survive.racing SCENARIO HOW PATH ROUNDS SEED`.

HOW is "memory" or "threads" (one saver) or "processes" (a saver each, in one place).
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import lgckpt
from lgckpt.saver import Saver
from lgckpt.storage import run_sync
from tests.checkpoints import config
from tests.survive import delta_chain
from tests.survive.checker import check_memory
from tests.survive.crowd import threads, together
from tests.survive.harness import guard
from tests.survive.places import check_place, open_place
from tests.survive.states import SENDER, WRITERS, Conversation, assert_whole

THREAD, COPY = "race", "copy"
NAMESPACES = ("", "inner", "call:1")
LONGEST = 12
"""Steps after which a conversation starts anew, so that states stay small."""

PAUSE = 0.004
"""Longest pause before a round, in seconds: all then last about as long as the writers."""

Actor = Callable[[Saver, random.Random], None]


def put(ns: str, version: int) -> Actor:
    """Put the next step after the latest, or after the one put last, which may be gone."""
    conversation = Conversation(THREAD, f"large-race-{ns}", ns)

    def act(saver: Saver, rng: random.Random) -> None:
        if rng.random() < 0.3:
            conversation.resume(saver.get_tuple(config(THREAD, ns=ns)))
        if conversation.step >= LONGEST:
            conversation.resume(None)
        args = conversation.next()
        args[1]["v"] = version
        saver.put(*args)
        conversation.stored(args)
        for task in WRITERS if version == 4 else (SENDER,):
            saver.put_writes(*conversation.writes(task))

    return act


def prune(saver: Saver, rng: random.Random) -> None:
    saver.prune(rng.choice([[THREAD], [COPY], [THREAD, COPY]]))


def copy(saver: Saver, rng: random.Random) -> None:
    if rng.random() < 0.8:
        saver.copy_thread(THREAD, COPY)
    else:
        saver.copy_thread(COPY, THREAD)


class Carry:
    """Copies in bulk, never sending a chunk again that it takes to be there, and reclaims."""

    def __init__(self) -> None:
        self._sent: dict[str, set[bytes]] = {THREAD: set(), COPY: set()}

    def __call__(self, saver: Saver, rng: random.Random) -> None:
        driver = saver._handle.driver(sync=True)
        source, target = (THREAD, COPY) if rng.random() < 0.8 else (COPY, THREAD)
        sent = self._sent[target]
        while True:
            places = [mark.place for mark in run_sync(driver("marks", source, None, 10_000))]
            batch = run_sync(driver("fetch", source, places, sent.__contains__))
            if run_sync(driver("load", target, batch)):
                break
            sent.clear()
        sent.update(chunk.hash for chunk in batch.chunks)
        if rng.random() < 0.3:
            run_sync(driver("reclaim", target))


def delete(saver: Saver, rng: random.Random) -> None:
    saver.delete_thread(COPY if rng.random() < 0.7 else THREAD)


def read(saver: Saver, rng: random.Random) -> None:
    """Every read succeeds, and what it gives is whole."""
    thread_id = rng.choice([THREAD, COPY])
    found = saver.get_tuple(config(thread_id, ns=rng.choice(NAMESPACES)))
    if found is not None:
        assert_whole(found)
    query: Any = rng.choice([None, {"configurable": {"thread_id": thread_id}}])
    for one in saver.list(query, limit=6):
        assert_whole(one)


def actors(version: int) -> list[Actor]:
    """Everyone in a race: a writer for each namespace, and who cleans up behind them."""
    return [*(put(ns, version) for ns in NAMESPACES), prune, copy, Carry(), delete, read, read]


def repeat(saver: Saver, actor: Actor, rounds: int, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(rounds):
        time.sleep(rng.uniform(0, PAUSE))
        actor(saver, rng)


def one_saver(saver: Saver, acting: list[Actor], rounds: int, seed: int) -> None:
    """All actors as threads of this process."""
    threads([partial(repeat, saver, a, rounds, seed + i) for i, a in enumerate(acting)])
    idle = [a for a in acting if isinstance(a, delta_chain.Reader) and not a.replayed]
    if idle and rounds >= 100:
        raise AssertionError("a reader never found anything to replay")


def own_saver(path: str, acting: list[Actor], rounds: int, seed: int) -> None:
    with open_place(path, synchronous="NORMAL") as saver:
        one_saver(saver, acting, rounds, seed)


def check(path: str, rounds: int) -> None:
    """Walk the references while the others go on."""
    with open_place(path) as saver:
        saver.setup()
    for _ in range(max(1, rounds // 10)):
        check_place(path)


def check_now_and_then(saver: Saver, rng: random.Random) -> None:
    if rng.random() < 0.1:
        check_memory(saver)


def race(acting: list[Actor], how: str, path: str, rounds: int, seed: int) -> None:
    """Let them race, and walk the references meanwhile and at the end."""
    if how == "memory":
        with lgckpt.MemorySaver() as saver:
            one_saver(saver, [*acting, check_now_and_then], rounds, seed)
            saver.prune([THREAD, COPY])
            check_memory(saver, exact=True)
        return
    groups = [acting] if how == "threads" else [acting[i::3] for i in range(3)]
    jobs = [partial(own_saver, path, g, rounds, seed + 100 * i) for i, g in enumerate(groups)]
    together([*jobs, partial(check, path, rounds)])
    with open_place(path) as saver:
        saver.prune([THREAD, COPY])
    check_place(path, exact=True)


def main(scenario: str, how: str, path: str, rounds: int, seed: int) -> None:
    guard()
    if scenario == "delta":
        race(delta_chain.actors(THREAD, NAMESPACES), how, path, rounds, seed)
    else:
        race(actors(int(scenario)), how, path, rounds, seed)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
