"""What a Redis holds, seen from outside."""

from __future__ import annotations

import time

import redis

_SETTLING = 50
"""Looks at the used memory, at most, until two in a row agree."""


def flush(url: str) -> None:
    """Empty the server."""
    with redis.Redis.from_url(url) as client:
        client.flushall(asynchronous=False)


def used_memory(url: str) -> int:
    """What the data takes, once the buffers of clients that went are freed.

    Raises:
        RuntimeError: It does not settle.
    """
    with redis.Redis.from_url(url) as client:
        last = -1
        for _ in range(_SETTLING):
            client.memory_purge()
            used = int(client.info("memory")["used_memory"])
            if used == last:
                return used
            last = used
            time.sleep(0.1)
    raise RuntimeError("the server's used_memory does not settle")


def held_memory(url: str) -> int:
    """The same without what the server's interpreter of Lua has not collected yet."""
    with redis.Redis.from_url(url) as client:
        client.script_flush("SYNC")
    return used_memory(url)
