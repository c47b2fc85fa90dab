"""`list` over many pages: nothing twice, nothing left out, and nothing held in between."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.neighbours import neighbour_of

pytestmark = pytest.mark.anyio

MANY = 150
"""More than two pages."""


async def _stream(coloured: Coloured, *args: Any, **options: Any) -> AsyncIterator[Any]:
    """`list` or `alist`, one checkpoint at a time."""
    if coloured.colour == "sync":
        for found in coloured.saver.list(*args, **options):
            yield found
    else:
        async for found in coloured.saver.alist(*args, **options):
            yield found


def _ids(found: list[Any]) -> list[str]:
    return [one.config["configurable"]["checkpoint_id"] for one in found]


async def _fill(coloured: Coloured, count: int = MANY) -> list[str]:
    """Checkpoint ids of two namespaces and two threads in turn, newest first."""
    sync = Coloured(coloured.saver, "sync")
    threads = [Thread(sync, "a"), Thread(sync, "b"), Thread(sync, "a", ns="sub")]
    stored = [await threads[n % 3].put({"n": n}, third=n % 3) for n in range(count)]
    return [one["configurable"]["checkpoint_id"] for one in stored][::-1]


async def test_hundreds_come_once_each_in_order(coloured: Coloured) -> None:
    stored = await _fill(coloured)
    assert _ids(await coloured.list(None)) == stored
    assert _ids(await coloured.list(None, limit=120)) == stored[:120]
    assert _ids(await coloured.list(None, filter={"third": 1})) == stored[1::3]
    assert _ids(await coloured.list(config("a", ns="sub"))) == stored[::3]


async def test_ids_that_threads_have_in_common_come_once_each(coloured: Coloured) -> None:
    thread = Thread(coloured, "t0")
    for n in range(20):
        await thread.put({"n": n})
    for n in (3, 1, 5, 2, 4):
        await coloured.copy_thread("t0", f"t{n}")
    found = await coloured.list(None)
    names = [one.config["configurable"] for one in found]
    assert len({(name["thread_id"], name["checkpoint_id"]) for name in names}) == 120
    assert len(names) == 120
    assert _ids(found) == sorted(_ids(found), reverse=True)


async def test_what_is_put_between_pages_moves_nothing(coloured: Coloured) -> None:
    stored = await _fill(coloured)
    found = []
    with neighbour_of(coloured) as other:
        newcomer = Thread(other, "new")
        async for one in _stream(coloured, None):
            found.append(one)
            if len(found) % 10 == 0:
                await newcomer.put({"n": 0})
    assert _ids(found) == stored
    assert len(await coloured.list(config("new"))) == MANY / 10


async def test_what_is_pruned_between_pages_is_left_out(coloured: Coloured) -> None:
    stored = await _fill(coloured)
    found = []
    with neighbour_of(coloured) as other:
        async for one in _stream(coloured, None):
            found.append(one)
            if len(found) == 20:
                await other.prune(["b"])
    of_a = [one for n, one in enumerate(stored) if (MANY - 1 - n) % 3 != 1]
    found_a = [one for one in found if one.config["configurable"]["thread_id"] == "a"]
    assert _ids(found_a) == of_a
    assert len(found) < MANY
    assert set(_ids(found)) <= set(stored)
    assert len(set(_ids(found))) == len(found)


async def test_a_thread_deleted_between_pages_ends_the_list(coloured: Coloured) -> None:
    await _fill(coloured)
    found = []
    async for one in _stream(coloured, config("a", ns="")):
        found.append(one)
        await coloured.delete_thread("a")
    assert 0 < len(found) < MANY / 3


async def test_a_list_left_half_way_leaves_the_saver_usable(coloured: Coloured) -> None:
    stored = await _fill(coloured, 60)
    stream = _stream(coloured, None)
    first = [await anext(stream) for _ in range(3)]
    assert _ids(first) == stored[:3]
    await Thread(coloured, "new").put({"n": 1})
    await coloured.delete_thread("b")
    second = _stream(coloured, None)
    await anext(second)
    await stream.aclose()
    assert len(await coloured.list(None)) == 41
    coloured.saver.close()
    del stream, second
    gc.collect()


async def test_lists_may_be_interleaved(coloured: Coloured) -> None:
    stored = await _fill(coloured, 60)
    streams = [_stream(coloured, None) for _ in range(5)]
    found: list[list[Any]] = [[] for _ in streams]
    for _ in range(60):
        for n, stream in enumerate(streams):
            found[n].append(await anext(stream))
    assert [_ids(one) for one in found] == [stored] * 5


async def test_lists_run_beside_puts(coloured: Coloured) -> None:
    stored = await _fill(coloured, 60)

    async def write(n: int) -> None:
        thread = Thread(coloured, f"new {n}")
        for _ in range(5):
            await thread.put({"n": n})

    async def read() -> list[str]:
        return _ids(await coloured.list(config("a")))

    results = await asyncio.gather(*(job for n in range(4) for job in (write(n), read())))
    of_a = [one for n, one in enumerate(stored) if (59 - n) % 3 == 0]
    assert results[1::2] == [of_a] * 4
    assert len(await coloured.list(None)) == 80
