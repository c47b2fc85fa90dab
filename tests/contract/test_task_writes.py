"""Writes of several tasks put together: stored as `put_writes` of each would store them."""

from __future__ import annotations

import random
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from langgraph.checkpoint.base import ERROR, INTERRUPT, RESUME

import lgckpt
from lgckpt.drafting import alike, draft_writes
from lgckpt.errors import EncodeError
from lgckpt.packing import Packer
from tests.checkpoints import Config, Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

LARGE = [{"id": n, "content": f"message {n} " * 9} for n in range(200)]


@pytest.fixture
async def at(coloured: Coloured) -> Config:
    return await Thread(coloured).put({"a": 1})


def some_tasks(rng: random.Random) -> list[lgckpt.TaskWrites]:
    def write(n: int) -> tuple[str, Any]:
        channel = rng.choice(["a", "b", ERROR, INTERRUPT, RESUME])
        return channel, rng.choice([n, None, f"text {n}", LARGE[: rng.randrange(200)]])

    return [
        lgckpt.TaskWrites(
            [write(n) for n in range(rng.randrange(4))],
            f"task {rng.randrange(5)}",
            rng.choice(["", "~path"]),
        )
        for _ in range(rng.randrange(1, 9))
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_they_are_what_one_by_one_gives(coloured: Coloured, seed: int) -> None:
    rng = random.Random(seed)
    together, alone = config("together", "1"), config("alone", "1")
    for _ in range(3):
        tasks = some_tasks(rng)
        await coloured.put_task_writes(together, tasks)
        for writes, task_id, path, _ in tasks:
            await coloured.put_writes(alone, writes, task_id, path)
    found = []
    for place in (together, alone):
        thread = place["configurable"]["thread_id"]
        await coloured.put(config(thread), checkpoint({}, {}, id="1"), {"source": "loop"}, {})
        found.append((await coloured.get_tuple(place)).pending_writes)
    assert found[0] == found[1]


def test_what_is_stored_at_once() -> None:
    packer = Packer(lgckpt.Serializer(), "lz4")

    def runs(*tasks: tuple[str, str, Any]) -> list[list[str]]:
        drafted = [
            draft_writes(packer, lgckpt.TaskWrites([(channel, value)], task))
            for task, channel, value in tasks
        ]
        return [[one.task_id for one in run] for run in alike(drafted)]

    assert runs() == []
    assert runs(("a", "c", 1), ("b", "c", 1), ("d", "e", 1)) == [["a", "b", "d"]]
    assert runs(("a", "c", 1), ("b", "c", 1), ("a", "c", 2)) == [["a", "b"], ["a"]]
    assert runs(("a", "c", 1), ("b", ERROR, 1), ("d", RESUME, 1)) == [["a"], ["b", "d"]]
    assert runs(("a", "c", 1), ("b", "c", LARGE), ("d", "c", 1)) == [["a"], ["b"], ["d"]]


async def test_many_tasks_at_once(coloured: Coloured, at: Config) -> None:
    tasks = [lgckpt.TaskWrites([("c", n), ("d", [n])], f"task {n:04}") for n in range(500)]
    await coloured.put_task_writes(at, tasks)
    expected = [(f"task {n:04}", c, v) for n in range(500) for c, v in (("c", n), ("d", [n]))]
    assert (await coloured.get_tuple(at)).pending_writes == expected


async def test_no_tasks_and_no_writes_are_nothing(coloured: Coloured, at: Config) -> None:
    await coloured.put_task_writes(at, [])
    await coloured.put_task_writes(at, [lgckpt.TaskWrites([], "task")])
    assert (await coloured.get_tuple(at)).pending_writes == []


async def test_a_value_that_cannot_be_stored_leaves_nothing(coloured: Coloured, at: Config) -> None:
    tasks = [lgckpt.TaskWrites([("c", 1)], "one"), lgckpt.TaskWrites([("c", object)], "two")]
    with pytest.raises(EncodeError):
        await coloured.put_task_writes(at, [*tasks, lgckpt.TaskWrites([("c", lambda: 0)], "three")])
    assert (await coloured.get_tuple(at)).pending_writes == []


async def test_each_is_serialized_in_its_own_context(coloured: Coloured, at: Config) -> None:
    who: ContextVar[str] = ContextVar("who", default="nobody")
    seen: list[str] = []

    class Telling:
        def __reduce__(self) -> tuple[Any, ...]:
            seen.append(who.get())
            return (str, ("told",))

    def context_of(name: str) -> Any:
        context = copy_context()
        context.run(who.set, name)
        return context

    plain = coloured.saver.serde
    coloured.saver.serde = type(plain)(pickle_fallback=True)
    tasks = [
        lgckpt.TaskWrites([("c", Telling())], name, "", context_of(name)) for name in ("a", "b")
    ]
    await coloured.put_task_writes(at, [*tasks, lgckpt.TaskWrites([("c", Telling())], "c")])
    assert seen == ["a", "b", "nobody"]
