"""What a process remembers saves work and decides nothing."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.neighbours import neighbour_of
from tests.contract.sequences import Sequence
from tests.contract.stored import assert_nothing_missing

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(300)]


@pytest.mark.parametrize("seed", range(3))
async def test_the_same_calls_read_the_same_without_a_memory(
    coloured: Coloured, backend: Backend, seed: int
) -> None:
    with backend.open() as saver:
        forgetful = Coloured(saver, coloured.colour)
        sequence = Sequence(seed)
        for call in sequence.calls(50):
            saver._handle.hints.reset()
            assert await call.of(forgetful) == await call.of(coloured), call
        saver._handle.hints.reset()
        for call in sequence.readings():
            assert await call.of(forgetful) == await call.of(coloured), call


@pytest.mark.parametrize("seed", range(3))
async def test_two_savers_taking_turns_read_like_one(
    coloured: Coloured, backend: Backend, seed: int
) -> None:
    with ExitStack() as stack:
        single = Coloured(stack.enter_context(backend.open()), coloured.colour)
        other = stack.enter_context(neighbour_of(coloured))
        sequence = Sequence(seed)
        for number, call in enumerate(sequence.calls(50)):
            turn = (coloured, other)[number % 2]
            assert await call.of(turn) == await call.of(single), call
        for call in sequence.readings():
            assert await call.of(other) == await call.of(single), call
        assert_nothing_missing(coloured.saver)


async def _continue_after(coloured: Coloured, elsewhere) -> dict:
    """Append to a thread whose last checkpoint was changed elsewhere in the meantime."""
    thread = Thread(coloured)
    await thread.put({"large": LARGE, "kept": LARGE[:100], "n": 0})
    await thread.put({"n": 1})
    with neighbour_of(coloured) as other:
        await elsewhere(other)
    stored = await thread.put({"large": [*LARGE, {"id": "new"}], "n": 2})
    assert_nothing_missing(coloured.saver)
    coloured.saver._handle.hints.reset()
    return (await coloured.get_tuple(stored)).checkpoint["channel_values"]


EXPECTED = {"large": [*LARGE, {"id": "new"}], "kept": LARGE[:100], "n": 2}


async def test_a_put_outlives_its_thread_deleted_elsewhere(coloured: Coloured) -> None:
    found = await _continue_after(coloured, lambda other: other.delete_thread("t"))
    assert found == EXPECTED


async def test_a_put_outlives_its_parent_deleted_elsewhere(coloured: Coloured) -> None:
    async def delete(other: Coloured) -> None:
        await Thread(other, "t").put({"large": "newer"})
        await other.prune(["t"])

    assert await _continue_after(coloured, delete) == EXPECTED


async def test_a_put_outlives_its_parent_replaced_elsewhere(coloured: Coloured) -> None:
    async def replace(other: Coloured) -> None:
        for found in await other.list(config("t")):
            bare = {**found.checkpoint, "channel_values": {}, "channel_versions": {}}
            await other.put(config("t"), bare, {}, {})
        await other.prune(["t"])

    assert await _continue_after(coloured, replace) == EXPECTED


async def test_writes_outlive_their_thread_deleted_elsewhere(coloured: Coloured) -> None:
    thread = Thread(coloured)
    stored = await thread.put({"large": LARGE})
    await coloured.put_writes(stored, [("large", LARGE)], "task")
    with neighbour_of(coloured) as other:
        await other.delete_thread("t")
    await coloured.put_writes(stored, [("large", LARGE)], "task")
    again = checkpoint({}, id=stored["configurable"]["checkpoint_id"])
    await coloured.put(config("t"), again, {}, {})
    assert_nothing_missing(coloured.saver)
    assert (await coloured.get_tuple(stored)).pending_writes == [("task", "large", LARGE)]


async def test_a_stale_memory_of_writes_leaves_nothing_dangling(coloured: Coloured) -> None:
    thread = Thread(coloured)
    stored = await thread.put({"n": 1})
    await coloured.put_writes(stored, [("large", LARGE)], "task")
    with neighbour_of(coloured) as other:
        same = await other.get_tuple(stored)
        await other.delete_thread("t")
        await other.put(config("t"), same.checkpoint, same.metadata, {"n": 1})
    await thread.put({"large": LARGE})
    assert_nothing_missing(coloured.saver)
    coloured.saver._handle.hints.reset()
    assert await thread.state() == {"n": 1, "large": LARGE}
