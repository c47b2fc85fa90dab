"""Postgres: many async clients at once, a thread of 1,000 messages, lists, and both colours.

Each side has a database of its own on one server.
"""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Protocol

import asyncpg

from benchmarks import servers
from benchmarks.measures import colours, listing
from benchmarks.measures.bare import Bare, stored_by
from benchmarks.measures.chats import CLIENTS, MESSAGES, Clients
from benchmarks.measures.growth import Growth, Samples, size
from benchmarks.relations import fresh_database, total_bytes
from benchmarks.rows import Goal, Kind, Result, Stat
from benchmarks.runner import Settings
from benchmarks.server_savers import (
    NATIVE,
    OFFICIAL,
    OURS,
    POOL,
    AsyncOpener,
    beside,
    hasty_postgres,
    keep,
    sides,
)
from benchmarks.workloads.chat import conversation

GROUP = "postgres"
LENGTH = 1_000
_OFFICIAL = "PostgresSaver"
_WINDOWS = {100: 20, LENGTH: 40}
_WARM_UP = 2
_APART = "AsyncPostgresSavers that share the pool but not the lock that each holds around it"


class Side(Protocol):
    """What takes turns."""

    async def rate(self, number: int, length: int = MESSAGES) -> float:
        """Run a round; gives supersteps a second."""


def run(settings: Settings) -> list[Result]:
    """Measure both savers, and asyncpg alone, on one server."""
    server = servers.postgres(settings.directory).url
    # First, since a server is at its housekeeping for a while after the many clients.
    thread = _long_thread(settings, server)
    results = asyncio.run(_supersteps(settings, server)) + thread
    if settings.self_check:
        return results
    filled = fresh_database(server, "listing")
    listing.fill(hasty_postgres(filled))
    results.append(listing.result(GROUP, settings, OURS[GROUP].open(filled)))
    small = fresh_database(server, "small")
    return results + colours.results(GROUP, settings, small, OURS[GROUP], NATIVE[GROUP])


async def _supersteps(settings: Settings, server: str) -> list[Result]:
    official = OFFICIAL[GROUP].aopen
    openers: dict[str, AsyncOpener] = {
        "ours": official if settings.self_check else NATIVE[GROUP],
        "official": official,
    }
    if not settings.self_check:
        openers["ours, by URL"] = OURS[GROUP].aopen
    urls = {name: fresh_database(server, name) for name in (*openers, "bare")}
    plan = await stored_by(openers["ours"], urls["ours"], MESSAGES)
    async with AsyncExitStack() as stack:
        savers = {
            name: await stack.enter_async_context(opener(urls[name]))
            for name, opener in openers.items()
        }
        pool = await stack.enter_async_context(
            asyncpg.create_pool(urls["bare"], min_size=POOL, max_size=POOL, reset=keep)
        )
        bare = Bare(pool, plan)
        await bare.setup()
        competing: dict[str, Side] = {
            name: Clients("shared", [saver]) for name, saver in savers.items()
        }
        apart = beside(savers["official"], CLIENTS)
        competing |= {"bare": bare, "official, one each": Clients("own", apart)}
        rates = await _take_turns(competing, rounds=2 if settings.quick else 6)
    put = sum(len(stored.put) for stored in plan) / len(plan)
    writes = sum(len(stored.writes) for stored in plan) / len(plan)
    return _rates(rates, f"{put:.0f} + {writes:.0f} bytes a superstep")


async def _take_turns(competing: Mapping[str, Side], rounds: int) -> Samples:
    rates: Samples = defaultdict(list)
    order = list(competing)
    for side in competing.values():
        # Connects, prepares statements and fills caches.
        await side.rate(0, _WARM_UP)
    for number in range(1, rounds + 1):
        for name in order:
            gc.collect()
            rates[name].append(await competing[name].rate(number))
        order.reverse()
    return rates


def _rates(rates: Samples, stored: str) -> list[Result]:
    rate = {name: Stat.of(values) for name, values in rates.items()}
    name = f"supersteps/s: {CLIENTS} async clients, pool of {POOL}, {MESSAGES}-message chats"
    own = f"{name}; by URL, a pool on a loop of its own"
    saver, bare = Goal(Kind.MORE, 4, 10), Goal(Kind.MORE, 0.8, 1.5)
    rows = [
        (name, "ours", "official", "AsyncPostgresSaver", saver, ""),
        (name, "ours", "official, one each", "one for each client", Goal(Kind.MORE), _APART),
        (name, "ours", "bare", "bare asyncpg, same bytes", bare, stored),
        (own, "ours, by URL", "official", "AsyncPostgresSaver", saver, ""),
        (own, "ours, by URL", "bare", "bare asyncpg, same bytes", Goal(Kind.MORE), stored),
    ]
    return [
        Result(GROUP, what, "/s", rate[ours], rate[other], other_name, goal, note)
        for what, ours, other, other_name, goal, note in rows
        if ours in rate
    ]


def _long_thread(settings: Settings, server: str) -> list[Result]:
    kinds = sides(GROUP, self_check=settings.self_check)
    growth = Growth(kinds, settings, _WINDOWS)
    messages = conversation(LENGTH)
    sizes: Samples = defaultdict(list)
    for _ in range(1 if settings.quick else 3):
        urls = {side: fresh_database(server, f"{side}, one thread") for side in kinds}
        growth.grow(urls, messages)
        for side, url in urls.items():
            sizes[side].append(total_bytes(url) / 1e6)
    goal = Goal(Kind.FASTER, 4, 10)
    rows = growth.results(GROUP, _OFFICIAL, put=Goal(Kind.FASTER, 8, 12), get=goal)
    name = "all tables after 1,000 messages"
    note = "pg_total_relation_size, as the puts left it: not vacuumed"
    return [*rows, size(GROUP, name, _OFFICIAL, sizes, Goal(Kind.SMALLER, 30, 60), note)]
