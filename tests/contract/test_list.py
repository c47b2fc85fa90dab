"""`list`: newest first, bounded by `before` and `limit`, over one thread or all of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkpoints import Config, Thread, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


def _names(found: list[Any]) -> list[Config]:
    return [one.config for one in found]


async def _thread(
    coloured: Coloured, name: str = "t", ns: str = "", count: int = 5
) -> list[Config]:
    """A thread's configs, newest first."""
    thread = Thread(coloured, name, ns)
    return [await thread.put({"n": n}) for n in range(count)][::-1]


async def test_a_thread_is_listed_newest_first(coloured: Coloured) -> None:
    stored = await _thread(coloured)
    found = await coloured.list(config("t"))
    assert _names(found) == stored
    assert [one.checkpoint["channel_values"]["n"] for one in found] == [4, 3, 2, 1, 0]
    assert [one.parent_config for one in found] == [*stored[1:], None]


async def test_what_is_listed_is_what_get_gives(coloured: Coloured) -> None:
    for at in await _thread(coloured):
        await coloured.put_writes(at, [("n", 1)], "t2")
        await coloured.put_writes(at, [("n", "large" * 2000)], "t1")
    found = await coloured.list(config("t"))
    assert found == [await coloured.get_tuple(one.config) for one in found]


async def test_threads_are_merged_newest_first(coloured: Coloured) -> None:
    threads = [Thread(coloured, "b"), Thread(coloured, "a"), Thread(coloured, "b", ns="sub")]
    stored = [await thread.put({"n": 1}) for _ in range(3) for thread in threads]
    assert _names(await coloured.list(None)) == stored[::-1]


@pytest.mark.parametrize("ns", ["", "sub", "sub:1|deep:2"])
async def test_a_namespace_that_is_given_is_the_only_one(coloured: Coloured, ns: str) -> None:
    stored = {
        name: await _thread(coloured, ns=name, count=2) for name in ("", "sub", "sub:1|deep:2")
    }
    await _thread(coloured, "other", ns=ns)
    assert _names(await coloured.list(config("t", ns=ns))) == stored[ns]


async def test_without_a_namespace_all_of_the_thread_are_listed(coloured: Coloured) -> None:
    first, second = await _thread(coloured, count=2), await _thread(coloured, ns="sub", count=2)
    await _thread(coloured, "other")
    assert _names(await coloured.list({"configurable": {"thread_id": "t"}})) == [*second, *first]


async def test_a_checkpoint_that_is_given_is_the_only_one(coloured: Coloured) -> None:
    stored = await _thread(coloured)
    assert _names(await coloured.list(stored[2])) == [stored[2]]
    assert _names(await coloured.list(config("t", "unknown"))) == []


async def test_before_leaves_out_its_checkpoint_and_newer_ones(coloured: Coloured) -> None:
    stored = await _thread(coloured)
    for n in range(5):
        assert _names(await coloured.list(config("t"), before=stored[n])) == stored[n + 1 :]
    elsewhere = config("another thread", stored[2]["configurable"]["checkpoint_id"])
    assert _names(await coloured.list(config("t"), before=elsewhere)) == stored[3:]


async def test_a_before_without_a_checkpoint_bounds_nothing(coloured: Coloured) -> None:
    stored = await _thread(coloured)
    assert _names(await coloured.list(config("t"), before=config("t"))) == stored


@pytest.mark.parametrize("limit", [0, 1, 4, 5, 6, 1000, None])
async def test_a_limit_is_how_many_at_most(coloured: Coloured, limit: int | None) -> None:
    stored = await _thread(coloured)
    assert _names(await coloured.list(config("t"), limit=limit)) == stored[:limit]


async def test_a_limit_counts_what_matches(coloured: Coloured) -> None:
    thread = Thread(coloured)
    stored = [await thread.put({}, even=n % 2 == 0) for n in range(60)][::-1]
    found = await coloured.list(config("t"), filter={"even": True}, limit=20)
    assert _names(found) == stored[1::2][:20]


async def test_all_bounds_work_together(coloured: Coloured) -> None:
    thread = Thread(coloured, ns="sub")
    stored = [await thread.put({}, even=n % 2 == 0) for n in range(12)][::-1]
    await _thread(coloured, ns="")
    found = await coloured.list(
        config("t", ns="sub"), filter={"even": True}, before=stored[3], limit=2
    )
    assert _names(found) == [stored[5], stored[7]]


async def test_an_unknown_thread_lists_nothing(coloured: Coloured) -> None:
    await _thread(coloured)
    assert await coloured.list(config("unknown")) == []
