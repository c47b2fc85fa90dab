"""Lists across many threads: in order, complete, and in bounded memory."""

from __future__ import annotations

import asyncio
import random
import tracemalloc
from collections.abc import Iterator

import pytest

import lgckpt
from lgckpt.saver import Saver
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.services.valkey import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.remove()


async def _fill(saver: Saver, counts: dict[str, int]) -> list[tuple[str, str]]:
    """(checkpoint id, thread) of all that was put, newest first."""
    made: list[tuple[str, str]] = []
    gate = asyncio.Semaphore(16)

    async def one(name: str, count: int) -> None:
        thread = Thread(Coloured(saver, "async"), name)
        for n in range(count):
            async with gate:
                at = await thread.put({"n": n}, mark=n % 10)
            made.append((at["configurable"]["checkpoint_id"], name))

    await asyncio.gather(*(one(name, count) for name, count in counts.items()))
    return sorted(made, reverse=True)


def _named(found) -> tuple[str, str]:
    named = found.config["configurable"]
    return named["checkpoint_id"], named["thread_id"]


def _peak(saver: Saver, limit: int) -> int:
    """Bytes of Python's memory that a list of all threads takes at most."""
    tracemalloc.start()
    found = [*saver.list(None, limit=limit)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == limit
    return peak


@pytest.mark.slow
def test_many_threads_are_merged_in_order_and_in_bounded_memory(server: Server) -> None:
    rng = random.Random(5)
    with lgckpt.RedisSaver(server.url) as saver:
        made = asyncio.run(_fill(saver, {f"few {n}": rng.randrange(1, 4) for n in range(300)}))
        assert [_named(one) for one in saver.list(None)] == made
        small = _peak(saver, 20)
        more = {f"many {n}": 1 for n in range(1200)} | {"long": 600}
        made = sorted(made + asyncio.run(_fill(saver, more)), reverse=True)
        assert [_named(one) for one in saver.list(None, limit=700)] == made[:700]
        before = config("few 1", made[1500][0])
        found = [_named(one) for one in saver.list(None, before=before, limit=300)]
        assert found == made[1501:1801]
        marked = [_named(one) for one in saver.list(None, filter={"mark": 7}, limit=40)]
        assert len(marked) == 40
        assert all(name == "long" for _, name in marked)
        assert _peak(saver, 20) < small * 2 + 1_000_000


def test_a_thread_that_goes_between_two_pages_does_not_end_the_list(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, prefix="going") as saver:
        made = asyncio.run(_fill(saver, {f"t{n:02}": 2 for n in range(60)}))
        pages = saver.list(None)
        found = [_named(next(pages)) for _ in range(5)]
        gone = {name for _, name in made[40:60]}
        for name in gone:
            saver.delete_thread(name)
        found += [_named(one) for one in pages]
        left = [one for one in made if one[1] not in gone]
        assert [one for one in found if one[1] not in gone] == left


def test_no_command_that_walks_the_whole_key_space_is_sent(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, prefix="commands") as saver:
        server.client.config_resetstat()
        asyncio.run(_fill(saver, {f"t{n}": 2 for n in range(5)}))
        saver.copy_thread("t0", "copy")
        saver.prune(["t0"])
        saver.delete_for_runs(["none"])
        assert len([*saver.list(None)]) == 11
        saver.delete_thread("t1")
        sent = set(server.client.info("commandstats"))
    assert not {name for name in sent if name in ("cmdstat_keys", "cmdstat_scan")}
    assert {"cmdstat_evalsha", "cmdstat_unlink"} <= sent


def test_a_page_of_a_long_thread_takes_no_more_calls_than_of_a_short_one(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, prefix="long") as saver:
        asyncio.run(_fill(saver, {"short": 50, "long": 2000}))
        calls = {}
        for name in ("short", "long"):
            server.client.config_resetstat()
            assert len([*saver.list(config(name), limit=20)]) == 20
            stats = server.client.info("commandstats")
            scripts = ("cmdstat_evalsha", "cmdstat_zrevrangebylex", "cmdstat_hmget")
            calls[name] = [stats[command]["calls"] for command in scripts]
        assert calls["short"] == calls["long"]
