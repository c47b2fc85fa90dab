"""Migration: against a loop over the public saver API, and against plain inserts."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

import redis

import lgckpt
from benchmarks import servers
from benchmarks.measures import moving
from benchmarks.relations import fresh_database
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings, timed

GROUP = "migration"
LENGTH = 20
_LOOP, _BARE = Goal(Kind.MORE, 3), Goal(Kind.MORE, 0.5)

Target = Callable[[], str]
"""Makes an empty database; gives its URL."""


def run(settings: Settings) -> list[Result]:
    """Measure checkpoints a second from SQLite to each backend."""
    threads = 100 if settings.quick else 400
    with tempfile.TemporaryDirectory(dir=settings.directory) as made:
        directory = Path(made)
        source = directory / "source.db"
        with lgckpt.SqliteSaver(source, synchronous="NORMAL") as saver:
            asyncio.run(moving.fill(saver, threads, LENGTH))
            items = asyncio.run(moving.rows_of(saver, threads))
        results: list[Result] = []
        for name, target, bare in _targets(settings, directory, items):
            results += _measure(settings, name, source, threads, target, bare)
    return results


def _targets(
    settings: Settings, directory: Path, items: list[list[moving.Item]]
) -> list[tuple[str, Target, Callable[[str], None]]]:
    """Name, what makes an empty target, and plain inserts into one."""
    numbers = count()
    postgres = servers.postgres(settings.directory).url
    redis_url = servers.redis_server().url
    source = f"sqlite:///{directory / 'source.db'}"

    def file() -> str:
        return f"sqlite:///{directory / f'{next(numbers)}.db'}"

    def database() -> str:
        return fresh_database(postgres, "migrated")

    def flushed() -> str:
        with redis.Redis.from_url(redis_url) as client:
            client.flushdb()
        return redis_url

    def path_of(url: str) -> Path:
        return Path(url.removeprefix("sqlite:///"))

    moving.migrate(source, copy := file())
    in_sqlite = moving.from_sqlite(path_of(copy))
    moving.migrate(source, copy := database())
    in_postgres = asyncio.run(moving.from_postgres(copy))
    return [
        ("sqlite", file, lambda url: moving.into_sqlite(path_of(url), in_sqlite)),
        ("postgres", database, lambda url: asyncio.run(moving.into_postgres(url, in_postgres))),
        ("redis", flushed, lambda url: moving.into_redis(url, items)),
    ]


def _measure(
    settings: Settings,
    name: str,
    source: Path,
    threads: int,
    target: Target,
    bare: Callable[[str], None],
) -> list[Result]:
    def loop(url: str) -> None:
        with lgckpt.SqliteSaver(source) as ours, lgckpt.from_url(url) as theirs:
            moving.loop(ours, theirs, threads)

    competing: Mapping[str, Callable[[str], None]] = {
        "ours": lambda url: moving.migrate(f"sqlite:///{source}", url),
        "loop": loop,
        "bare": bare,
    }
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(3 if settings.quick else 7):
        for side, work in competing.items():
            url = target()
            gc.collect()
            rates[side].append(threads * LENGTH / timed(lambda work=work, url=url: work(url)))
    stats = {side: Stat.of(found) for side, found in rates.items()}
    row = f"checkpoints/s: sqlite to {name}, {threads} chats of {LENGTH} messages"
    note = "list, put and put_writes, oldest first"
    plain = "the same rows into the same tables (Redis: as many HSETs), a transaction a thread"
    return [
        Result(GROUP, row, "/s", stats["ours"], stats["loop"], "public API", _LOOP, note),
        Result(GROUP, row, "/s", stats["ours"], stats["bare"], "plain inserts", _BARE, plain),
    ]
