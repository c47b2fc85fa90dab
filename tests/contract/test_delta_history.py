"""`get_delta_channel_history`: each channel's seed and writes on the way to a checkpoint."""

from __future__ import annotations

import random
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from lgckpt.errors import CorruptCheckpointError
from tests.backends import Backend
from tests.checkpoints import Config, Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


async def _history(coloured: Coloured, at: Config, *channels: str) -> Any:
    return await coloured.get_delta_channel_history(config=at, channels=channels)


async def _step(coloured: Coloured, parent: Config, n: int, values: dict[str, Any]) -> Config:
    """A child whose parent has one write of each of two tasks to channel `d`."""
    if "checkpoint_id" in parent["configurable"]:
        await coloured.put_writes(parent, [("d", f"{n} b"), ("other", n)], "b", "~b")
        await coloured.put_writes(parent, [("d", f"{n} a")], "z", "~a")
    made = checkpoint(values, {"d": n})
    return await coloured.put(parent, made, {"step": n}, {"d": n})


async def _chain(coloured: Coloured, count: int, seeds: tuple[int, ...] = ()) -> list[Config]:
    at = [config("t")]
    for n in range(count):
        at.append(await _step(coloured, at[-1], n, {"d": f"seed {n}"} if n in seeds else {}))
    return at[1:]


def _writes(*steps: int) -> list[tuple[str, str, str]]:
    return [(task, "d", f"{n} {name}") for n in steps for task, name in (("z", "a"), ("b", "b"))]


async def test_writes_come_oldest_first_without_those_of_the_checkpoint_itself(
    coloured: Coloured,
) -> None:
    at = await _chain(coloured, 5)
    assert await _history(coloured, at[3], "d") == {"d": {"writes": _writes(1, 2, 3)}}


async def test_without_an_id_the_latest_checkpoint_is_meant(coloured: Coloured) -> None:
    at = await _chain(coloured, 3)
    latest = await _history(coloured, config("t"), "d")
    assert latest == await _history(coloured, at[-1], "d") != {"d": {"writes": []}}


async def test_the_nearest_value_above_is_the_seed(coloured: Coloured) -> None:
    at = await _chain(coloured, 8, seeds=(1, 4, 7))
    expected = {"d": {"seed": "seed 4", "writes": _writes(5, 6)}}
    assert await _history(coloured, at[6], "d") == expected
    assert await _history(coloured, at[7], "d") == {
        "d": {"seed": "seed 4", "writes": _writes(5, 6, 7)}
    }
    assert await _history(coloured, at[4], "d") == {
        "d": {"seed": "seed 1", "writes": _writes(2, 3, 4)}
    }


async def test_channels_walk_to_seeds_of_their_own(coloured: Coloured) -> None:
    first = await coloured.put(config("t"), checkpoint({"a": "A", "b": None}), {}, {"a": 1, "b": 1})
    await coloured.put_writes(first, [("a", 1), ("b", 1)], "task")
    second = await coloured.put(
        first, checkpoint({"b": "B"}, {"a": 2, "b": 2}), {}, {"a": 2, "b": 2}
    )
    await coloured.put_writes(second, [("a", 2), ("b", 2)], "task")
    third = await coloured.put(second, checkpoint({}, {"a": 3, "b": 3}), {}, {"a": 3, "b": 3})
    assert await _history(coloured, third, "a", "b", "c", "a") == {
        "a": {"seed": "A", "writes": [("task", "a", 1), ("task", "a", 2)]},
        "b": {"seed": "B", "writes": [("task", "b", 2)]},
        "c": {"writes": []},
    }
    assert await _history(coloured, second, "b") == {
        "b": {"seed": None, "writes": [("task", "b", 1)]}
    }


async def test_a_fork_has_only_what_is_on_its_path(coloured: Coloured) -> None:
    at = await _chain(coloured, 3)
    fork = await coloured.put(at[0], checkpoint({}, {"d": 9}), {}, {"d": 9})
    below = await _step(coloured, fork, 10, {})
    assert await _history(coloured, below, "d") == {"d": {"writes": _writes(1, 10)}}


@pytest.mark.parametrize("at", [config("t", "unknown"), config("unknown"), config("t", ns="sub")])
async def test_what_is_not_there_has_no_history(coloured: Coloured, at: Config) -> None:
    await _chain(coloured, 2)
    assert await _history(coloured, at, "d") == {"d": {"writes": []}}


async def test_no_channels_are_no_history(coloured: Coloured) -> None:
    at = await _chain(coloured, 2)
    assert await _history(coloured, at[-1]) == {}


async def test_large_seeds_and_writes_come_back(coloured: Coloured) -> None:
    large = [{"id": i, "content": f"message {i} " * 8} for i in range(200)]
    thread = Thread(coloured)
    first = await thread.put({"d": large})
    await coloured.put_writes(first, [("d", large[50:])], "task")
    made = checkpoint({}, {"d": 2})
    second = await coloured.put(first, made, {}, {"d": 2})
    coloured.saver._handle.hints.reset()
    expected = {"d": {"seed": large, "writes": [("task", "d", large[50:])]}}
    assert await _history(coloured, second, "d") == expected


async def test_a_chain_of_many_pages_is_walked_to_its_end(coloured: Coloured) -> None:
    sync = Coloured(coloured.saver, "sync")
    thread = Thread(sync)
    first = await thread.put({"d": "seed"})
    at = first
    for n in range(120):
        coloured.saver.put_writes(at, [("d", n)], "task")
        at = await sync.put(at, checkpoint({}, {"d": n + 2}), {}, {"d": n + 2})
    expected = [("task", "d", n) for n in range(120)]
    assert await _history(coloured, at, "d") == {"d": {"seed": "seed", "writes": expected}}
    assert await _history(coloured, at, "e") == {"e": {"writes": []}}


async def test_parents_that_go_in_a_circle_end_the_walk(coloured: Coloured) -> None:
    made = [checkpoint({}, {"d": n}) for n in range(3)]
    for n, one in enumerate(made):
        parent = config("t", made[n - 1]["id"])
        await coloured.put(parent, one, {}, {"d": n})
        await coloured.put_writes(config("t", one["id"]), [("d", n)], "task")
    found = await _history(coloured, config("t", made[2]["id"]), "d")
    assert found == {"d": {"writes": [("task", "d", 0), ("task", "d", 1)]}}


@pytest.mark.parametrize("seed", range(3))
async def test_it_equals_the_walk_that_langgraph_makes_without_it(
    coloured: Coloured, seed: int
) -> None:
    rng = random.Random(seed)
    at = [config("t")]
    for n in range(30):
        values = {c: f"{c} {n}" for c in "de" if rng.random() < 0.1}
        parent = rng.choice(at[-3:])
        at.append(
            await coloured.put(parent, checkpoint(values, {"d": n, "e": n}), {}, {"d": n, "e": n})
        )
        for task in rng.sample(["x", "y", "z"], rng.randint(0, 3)):
            writes = [(rng.choice("def"), rng.random()) for _ in range(3)]
            await coloured.put_writes(at[-1], writes, task, rng.choice(["", "~a", "~b"]))
    walk = BaseCheckpointSaver.get_delta_channel_history
    for one in at[1:]:
        asked = {"config": one, "channels": ["d", "e", "f"]}
        assert await coloured.get_delta_channel_history(**asked) == walk(coloured.saver, **asked)


async def test_damage_on_the_way_is_named(coloured: Coloured, backend: Backend) -> None:
    at = await _chain(coloured, 4)
    backend.damage(coloured.saver, "writes", "value", lambda value: value[:-1])
    with pytest.raises(CorruptCheckpointError) as caught:
        await _history(coloured, at[-1], "d")
    assert caught.value.thread_id == "t"
    assert caught.value.channel == "d"
    assert caught.value.checkpoint_id in {one["configurable"]["checkpoint_id"] for one in at}
