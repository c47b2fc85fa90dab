"""What a put hands to its storage is what may not be there yet, not the whole state again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lgckpt.rows import PutCheckpoint, PutWrites
from tests.checkpoints import Thread
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i * 7919 % 1000} " * 9} for i in range(600)]


@pytest.fixture
def sent(coloured: Coloured, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Gives how many bytes of chunks were handed over since it was asked last."""
    storage = coloured.saver._handle.storage
    counted = [0]

    def counting(verb: Callable[[Any], bool]) -> Callable[[Any], bool]:
        def call(put: PutCheckpoint | PutWrites) -> bool:
            counted[0] += sum(len(chunk.frame) for chunk in put.chunks)
            return verb(put)

        return call

    def since() -> int:
        found, counted[0] = counted[0], 0
        return found

    for name in ("put", "put_writes"):
        monkeypatch.setattr(storage, name, counting(getattr(storage, name)))
    return since


async def test_an_append_hands_over_its_end(coloured: Coloured, sent: Callable[[], int]) -> None:
    thread = Thread(coloured)
    await thread.put({"large": LARGE})
    whole = sent()
    for n in range(10):
        await thread.put({"large": [*LARGE, *range(n)]})
        assert sent() < whole / 4
    assert_nothing_missing(coloured.saver)


async def test_without_a_memory_it_may_hand_over_more_and_stores_the_same(
    coloured: Coloured, sent: Callable[[], int]
) -> None:
    thread = Thread(coloured)
    await thread.put({"large": LARGE})
    whole = sent()
    coloured.saver._handle.hints.reset()
    await thread.put({"large": [*LARGE, 1]})
    assert sent() < whole
    assert await thread.state() == {"large": [*LARGE, 1]}


async def test_a_step_takes_over_what_its_tasks_wrote(
    coloured: Coloured, sent: Callable[[], int]
) -> None:
    thread = Thread(coloured)
    at = await thread.put({"n": 1})
    await coloured.put_writes(at, [("large", LARGE)], "task")
    whole = sent()
    await coloured.put_writes(at, [("large", LARGE)], "task 2")
    assert sent() < whole / 4
    await thread.put({"large": LARGE})
    assert sent() < whole / 4
    assert_nothing_missing(coloured.saver)


async def test_a_value_that_did_not_change_is_not_handed_over(
    coloured: Coloured, sent: Callable[[], int]
) -> None:
    thread = Thread(coloured)
    await thread.put({"large": LARGE, "n": 0})
    await thread.put({"n": 1})
    sent()
    for n in range(2, 5):
        coloured.saver._handle.hints.reset()
        await thread.put({"n": n})
        assert sent() == 0
