"""Races on one LangGraph thread in Redis.

`python -m tests.survive.redis_racing SCENARIO HOW URL PREFIX ROUNDS SEED`, where HOW is
"threads" (one saver), "processes" (a saver each), or "killed" (the pruning and copying
processes die by SIGKILL now and then, and are started anew).
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from functools import partial

import redis

import lgckpt
from lgckpt.backends.redis_keys import thread_keys
from tests.survive import delta_chain, racing
from tests.survive.checker import Row, walk
from tests.survive.crowd import fork, together
from tests.survive.harness import guard
from tests.survive.racing import COPY, NAMESPACES, THREAD, Actor

LIFE = 0.25
"""Longest life of a process that is to be killed, in seconds."""


def own_saver(url: str, prefix: str, acting: list[Actor], rounds: int, seed: int) -> None:
    with lgckpt.RedisSaver(url, prefix=prefix) as saver:
        racing.one_saver(saver, acting, rounds, seed)


def check_once(client: redis.Redis, prefix: str, *, exact: bool = False) -> int:
    """Walk all references of both threads, each as of one moment."""
    walked = 0
    for thread_id in (THREAD, COPY):
        keys = thread_keys(prefix, thread_id)
        with client.pipeline(transaction=True) as pipe:
            pipe.hgetall(keys.data)
            pipe.hgetall(keys.chunks)
            pipe.smembers(keys.doomed)
            data, chunks, doomed = pipe.execute()
        chunks.pop(b"e", None)
        rows = [(f"{thread_id}/{field!r}", refs_of(field, value)) for field, value in data.items()]
        walked += walk(list[Row](rows), chunks, exact=exact)
        for name, refs in rows:
            assert not {refs[i + 1 : i + 21] for i in range(0, len(refs), 21)} & doomed, name
    return walked


def refs_of(field: bytes, value: bytes) -> bytes:
    """The references of a head or a write; nothing for other fields."""

    def part(at: int, less: int = 0) -> tuple[bytes, int]:
        size = max(0, int.from_bytes(value[at : at + 4], "big") - less)
        return value[at + 4 : at + 4 + size], at + 4 + size

    if field[:1] == b"h":
        _, at = part(10, 1)
        _, at = part(at, 1)
        return part(at)[0]
    if field[:1] == b"w":
        _, at = part(1)
        return part(at)[0]
    return b""


def check(url: str, prefix: str, rounds: int) -> None:
    """Walk the references while the others go on."""
    with redis.Redis.from_url(url) as client:
        for _ in range(max(1, rounds // 5)):
            check_once(client, prefix)
            time.sleep(0.005)


def killed(url: str, prefix: str, acting: list[Actor], rounds: int, seed: int) -> None:
    """A process that does these things, killed and started anew."""
    rng = random.Random(seed)
    for life in range(max(2, rounds // 20)):
        job = partial(own_saver, url, prefix, acting, 10**6, seed + life)
        process = fork.Process(target=job, daemon=True)
        process.start()
        time.sleep(rng.uniform(0.05, LIFE))
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL


def main(scenario: str, how: str, url: str, prefix: str, rounds: int, seed: int) -> None:
    guard()
    if scenario == "delta":
        acting = delta_chain.actors(THREAD, NAMESPACES)
    else:
        acting = racing.actors(int(scenario))
    if how == "killed":
        writers = len(NAMESPACES)
        groups = [acting[:writers] + acting[-2:]]
        retaining = [racing.prune, racing.copy, racing.prune]
        others = [partial(killed, url, prefix, retaining, rounds, seed + i) for i in (1000, 2000)]
    else:
        groups = [acting] if how == "threads" else [acting[i::3] for i in range(3)]
        others = []
    jobs = [
        partial(own_saver, url, prefix, g, rounds, seed + 100 * i) for i, g in enumerate(groups)
    ]
    together([*jobs, *others, partial(check, url, prefix, rounds)])
    with lgckpt.RedisSaver(url, prefix=prefix) as saver:
        saver.prune([THREAD, COPY])
    with redis.Redis.from_url(url) as client:
        check_once(client, prefix, exact=True)
        assert not client.exists(*(thread_keys(prefix, t).doomed for t in (THREAD, COPY)))


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]), int(sys.argv[6]))
