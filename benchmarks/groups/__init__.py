"""The groups of rows, by name: each is a function from the settings to its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.groups import (
    channels,
    clients,
    graph,
    growth,
    long_thread,
    memory,
    messages,
    migration,
    payload,
    postgres,
    redis,
    serializer,
    small_state,
    step,
    threads,
)
from benchmarks.rows import Result
from benchmarks.runner import Settings

GROUPS: dict[str, Callable[[Settings], Sequence[Result]]] = {
    "serializer": serializer.run,
    "growth": growth.run,
    "memory": memory.run,
    "long-thread": long_thread.run,
    "payload": payload.run,
    "small-state": small_state.run,
    "channels": channels.run,
    "step": step.run,
    "graph": graph.run,
    "postgres": postgres.run,
    "redis": redis.run,
    "migration": migration.run,
    "messages": messages.run,
    "clients": clients.run,
    "threads": threads.run,
}
