"""What a change costs depends on the change, not on the state around it."""

from __future__ import annotations

import random
from typing import Any

import pytest

from lgckpt.saver import Saver
from tests.checkpoints import Thread
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, stored

pytestmark = pytest.mark.anyio

KIB = 1024
LEAF = 16 * KIB
"""The largest leaf of a chunk tree, which is also the most that a row holds of a large value."""


def _message(number: int) -> dict[str, Any]:
    """About 600 bytes that hardly compress, of any shape a message may have."""
    words = random.Random(number)
    text = "".join(words.choices("abcdefghijklmnopqrstuvwxyz     ", k=words.randint(200, 900)))
    kind = words.choice(["human", "ai", "tool"])
    extra = {"usage": {"in": words.randint(1, 9999)}} if kind == "ai" else {}
    return {"type": kind, "id": f"{words.getrandbits(64):x}", "content": text, **extra}


class Meter:
    """Measures what each put adds to the storage, in bytes of payload."""

    def __init__(self, saver: Saver) -> None:
        self.saver = saver
        self.thread = Thread(Coloured(saver, "sync"))

    async def put(self, **changed: Any) -> int:
        before = stored(self.saver).payload
        await self.thread.put(changed)
        return stored(self.saver).payload - before

    async def check(self) -> None:
        """What was put last reads back without help of what is remembered."""
        self.saver._handle.hints.reset()
        assert await self.thread.state() == self.thread.values
        assert_nothing_missing(self.saver)


@pytest.fixture
def meter(saver: Saver) -> Meter:
    return Meter(saver)


@pytest.fixture(scope="module")
def messages() -> list[dict[str, Any]]:
    return [_message(number) for number in range(1000)]


@pytest.mark.slow
async def test_an_append_to_a_thousand_messages_costs_as_much_as_to_a_hundred(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    early = [await meter.put(messages=messages[:n]) for n in range(100, 160)]
    await meter.put(messages=messages[:940])
    late = [await meter.put(messages=messages[:n]) for n in range(941, 1001)]
    assert sum(late) / len(late) < 8 * KIB
    assert max(late) < 2 * LEAF
    assert sum(late) < 2 * sum(early[1:])
    await meter.check()


async def test_a_thread_of_appended_messages_is_hardly_larger_than_its_state(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    total = sum([await meter.put(messages=messages[:n]) for n in range(1, 200)])
    whole = sum(len(str(message)) for message in messages[:199])
    assert total < 199 * 8 * KIB
    assert total < whole * 199 / 2 / 6
    await meter.check()


def _edit_middle(values: list[Any]) -> list[Any]:
    middle = {**values[500], "content": values[500]["content"] + " edited"}
    return [*values[:500], middle, *values[501:]]


CHANGES = {
    "edit in the middle": _edit_middle,
    "drop at the head": lambda values: values[1:],
    "drop of ten at the head": lambda values: values[10:],
    "insert in the middle": lambda values: [*values[:400], _message(-1), *values[400:]],
    "remove in the middle": lambda values: [*values[:300], *values[301:]],
    "drop at the tail": lambda values: values[:-1],
}


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_of_one_message_in_a_thousand_is_small(
    meter: Meter, messages: list[dict[str, Any]], name: str
) -> None:
    whole = await meter.put(messages=messages)
    assert whole > 200 * KIB
    cost = await meter.put(messages=CHANGES[name](messages))
    assert cost < 4 * LEAF
    await meter.check()


async def test_an_edit_inside_a_long_document_is_small(meter: Meter) -> None:
    words = random.Random(1)
    text = "".join(words.choices("abcdefghijklmnop ", k=600_000))
    await meter.put(document={"title": "t", "text": text})
    inserted = text[:300_000] + "an inserted sentence" + text[300_000:]
    assert await meter.put(document={"title": "t", "text": inserted}) < 5 * LEAF
    assert await meter.put(document={"title": "t", "text": inserted[1:]}) < 5 * LEAF
    await meter.check()


async def test_an_edit_deep_inside_nested_values_is_small(meter: Meter) -> None:
    def state(edit: str) -> dict[str, Any]:
        files = {
            f"file {i}": {"lines": [_message(i * 50 + j) for j in range(20)]} for i in range(30)
        }
        files["file 15"]["lines"][10]["content"] += edit
        return {"workspace": {"files": files}}

    assert await meter.put(state=state("")) > 150 * KIB
    assert await meter.put(state=state("edited")) < 4 * LEAF
    await meter.check()


async def test_a_megabyte_that_does_not_change_costs_nothing(meter: Meter) -> None:
    words = random.Random(2)
    big = "".join(words.choices("abcdefghijklmnopqrstuvwxyz", k=1_000_000))
    await meter.put(big=big, counter=0)
    first = await meter.put(counter=1)
    later = [await meter.put(counter=n) for n in range(2, 12)]
    assert first < 2 * LEAF
    assert max(later) < 2 * KIB
    await meter.check()


@pytest.mark.parametrize("size", [200, 1500, 2500, 9000])
async def test_a_value_of_any_size_that_does_not_change_costs_a_reference(
    meter: Meter, size: int
) -> None:
    noise = random.Random(size).randbytes(size // 3).hex()
    await meter.put(value=noise, other=[noise, noise[::-1]], counter=0)
    await meter.put(counter=1)
    for n in range(2, 8):
        assert await meter.put(counter=n) < 450
    await meter.check()


async def test_the_same_is_so_when_the_process_remembers_nothing(meter: Meter) -> None:
    big = [_message(number) for number in range(500)]
    await meter.put(big=big, counter=0)
    await meter.put(counter=1)
    for n in range(2, 5):
        meter.saver._handle.hints.reset()
        assert await meter.put(counter=n) < 2 * KIB
    meter.saver._handle.hints.reset()
    assert await meter.put(big=[*big, _message(-1)]) < 2 * LEAF
    await meter.check()


async def test_a_fork_shares_what_it_did_not_change(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    await meter.put(messages=messages[:500])
    root = meter.thread.config
    await meter.put(messages=[*messages[:500], _message(-1)])
    meter.thread.config = root
    assert await meter.put(messages=[*messages[:500], _message(-2)]) < 2 * LEAF
    await meter.check()


async def test_a_value_that_comes_back_is_not_stored_again(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    await meter.put(messages=messages[:500])
    await meter.put(messages=[])
    assert await meter.put(messages=messages[:500]) < 2 * LEAF
    await meter.check()


async def test_a_large_write_is_shared_with_the_checkpoint_that_takes_it_in(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    await meter.put(n=0)
    saver = meter.saver
    before = stored(saver).payload
    saver.put_writes(meter.thread.config, [("messages", messages[:500])], "task")
    written = stored(saver).payload - before
    assert written > 100 * KIB
    assert await meter.put(messages=messages[:500]) < 2 * LEAF
    await meter.check()


async def test_a_large_write_repeated_by_another_task_is_stored_once(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    await meter.put(n=0)
    saver = meter.saver
    saver.put_writes(meter.thread.config, [("messages", messages[:500])], "task 1")
    before = stored(saver)
    saver.put_writes(meter.thread.config, [("messages", messages[:500])], "task 2")
    after = stored(saver)
    assert after.count == before.count
    assert after.payload - before.payload < 1 * KIB
    found = saver.get_tuple(meter.thread.config)
    assert [value for _, _, value in found.pending_writes] == [messages[:500]] * 2


async def test_two_channels_with_one_value_store_it_once(
    meter: Meter, messages: list[dict[str, Any]]
) -> None:
    whole = await meter.put(left=messages[:500])
    assert await meter.put(right=messages[:500]) < 2 * LEAF < whole
    await meter.check()


async def test_a_small_state_is_one_row_without_chunks(meter: Meter) -> None:
    for n in range(20):
        assert await meter.put(a=n, b=f"step {n}", c=[n], d=None, e=True) < 1 * KIB
    assert stored(meter.saver).count == 0
