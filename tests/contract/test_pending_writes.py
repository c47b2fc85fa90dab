"""Pending writes: their order on replay, and which of two writes to one place stays."""

from __future__ import annotations

import itertools
import random

import pytest
from langgraph.checkpoint.base import WRITES_IDX_MAP, writes_sort_key

from tests.checkpoints import Config, Thread, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at(coloured: Coloured) -> Config:
    return await Thread(coloured).put({"a": 1})


async def _pending(coloured: Coloured, at: Config) -> list:
    return (await coloured.get_tuple(at)).pending_writes


async def test_they_come_by_task_path_then_task_then_position(
    coloured: Coloured, at: Config
) -> None:
    tasks = list(itertools.product(["", "~a", "~b", "~b, 10", "~b, 2"], ["t1", "t2", "T3"]))
    random.Random(5).shuffle(tasks)
    for path, task in tasks:
        await coloured.put_writes(
            at, [("c", f"{path}{task}0"), ("d", f"{path}{task}1")], path + task, path
        )
    expected = sorted(
        (writes_sort_key(path, path + task, idx), channel, f"{path}{task}{idx}")
        for path, task in tasks
        for idx, channel in enumerate("cd")
    )
    assert await _pending(coloured, at) == [(key[1], c, value) for key, c, value in expected]
    (listed,) = await coloured.list(config("t"))
    assert listed.pending_writes == [(key[1], c, value) for key, c, value in expected]


async def test_one_task_of_many_writes_keeps_their_positions(
    coloured: Coloured, at: Config
) -> None:
    await coloured.put_writes(at, [("c", n) for n in range(120)], "task")
    assert await _pending(coloured, at) == [("task", "c", n) for n in range(120)]


async def test_special_writes_come_before_the_others_of_their_task(
    coloured: Coloured, at: Config
) -> None:
    await coloured.put_writes(at, [("c", 1)], "task")
    for name in WRITES_IDX_MAP:
        await coloured.put_writes(at, [(name, name)], "task")
    names = sorted(WRITES_IDX_MAP, key=WRITES_IDX_MAP.__getitem__)
    assert await _pending(coloured, at) == [
        *(("task", name, name) for name in names),
        ("task", "c", 1),
    ]


@pytest.mark.parametrize("name", WRITES_IDX_MAP)
async def test_a_batch_of_special_writes_replaces(
    coloured: Coloured, at: Config, name: str
) -> None:
    for value in ("first", "second" * 1000, "third"):
        await coloured.put_writes(at, [(name, value)], "task")
        assert await _pending(coloured, at) == [("task", name, value)]


async def test_a_batch_of_several_special_writes_replaces_each(
    coloured: Coloured, at: Config
) -> None:
    await coloured.put_writes(at, [("__error__", 1), ("__resume__", 1)], "task")
    await coloured.put_writes(at, [("__resume__", 2), ("__interrupt__", 2)], "task")
    assert await _pending(coloured, at) == [
        ("task", "__resume__", 2),
        ("task", "__interrupt__", 2),
        ("task", "__error__", 1),
    ]


async def test_a_batch_of_plain_writes_leaves_what_is_there(coloured: Coloured, at: Config) -> None:
    await coloured.put_writes(at, [("c", 1), ("d", 1)], "task")
    await coloured.put_writes(at, [("e", 2), ("d", 2), ("f", 2)], "task")
    assert await _pending(coloured, at) == [("task", "c", 1), ("task", "d", 1), ("task", "f", 2)]


async def test_a_mixed_batch_leaves_what_is_there(coloured: Coloured, at: Config) -> None:
    await coloured.put_writes(at, [("c", 1), ("__error__", 1)], "task")
    await coloured.put_writes(at, [("c", 2), ("__error__", 2), ("__resume__", 2)], "task")
    assert await _pending(coloured, at) == [
        ("task", "__resume__", 2),
        ("task", "__error__", 1),
        ("task", "c", 1),
    ]


async def test_a_replaced_write_takes_the_new_path(coloured: Coloured, at: Config) -> None:
    await coloured.put_writes(at, [("__resume__", 1)], "task", "~z")
    await coloured.put_writes(at, [("c", 1)], "another", "~m")
    await coloured.put_writes(at, [("__resume__", 2)], "task", "~a")
    assert await _pending(coloured, at) == [("task", "__resume__", 2), ("another", "c", 1)]


async def test_tasks_do_not_share_positions(coloured: Coloured, at: Config) -> None:
    for task in ("t2", "t1"):
        await coloured.put_writes(at, [("c", task), ("__error__", task)], task)
    assert await _pending(coloured, at) == [
        ("t1", "__error__", "t1"),
        ("t1", "c", "t1"),
        ("t2", "__error__", "t2"),
        ("t2", "c", "t2"),
    ]


async def test_a_batch_of_none_stores_nothing(coloured: Coloured, at: Config) -> None:
    await coloured.put_writes(at, [], "task")
    assert await _pending(coloured, at) == []


async def test_they_belong_to_one_checkpoint_of_one_namespace(coloured: Coloured) -> None:
    root, sub = Thread(coloured), Thread(coloured, ns="sub")
    first, second, other = await root.put({}), await root.put({}), await sub.put({})
    for at in (first, second, other):
        await coloured.put_writes(at, [("c", at["configurable"])], "task")
    for at in (first, second, other):
        assert await _pending(coloured, at) == [("task", "c", at["configurable"])]


@pytest.mark.parametrize("size", [10, 3000, 200_000], ids=["small", "medium", "large"])
async def test_values_of_any_size_come_back(coloured: Coloured, at: Config, size: int) -> None:
    value = {"text": "word " * (size // 5), "raw": b"\0" * size}
    await coloured.put_writes(at, [("c", value), ("d", None), ("c", value)], "task")
    coloured.saver._handle.hints.reset()
    expected = [("task", "c", value), ("task", "d", None), ("task", "c", value)]
    assert await _pending(coloured, at) == expected


async def test_a_copied_thread_replays_them_in_the_same_order(
    coloured: Coloured, at: Config
) -> None:
    for path, task in (("~b", "t1"), ("~a", "t2"), ("", "t3")):
        await coloured.put_writes(at, [("c", path)], task, path)
    await coloured.copy_thread("t", "copy")
    expected = [("t3", "c", ""), ("t2", "c", "~a"), ("t1", "c", "~b")]
    assert await _pending(coloured, at) == expected
    assert (await coloured.get_tuple(config("copy"))).pending_writes == expected
