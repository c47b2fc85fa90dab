"""Objects that change after or between puts: each checkpoint has them as they were at its put."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


class Note(pydantic.BaseModel):
    text: str
    tags: list[str] = []


class Change(NamedTuple):
    make: Callable[[], Any]
    mutate: Callable[[Any], Any]


def _messages() -> list[Any]:
    return [HumanMessage(f"message {i}", id=str(i)) for i in range(5)]


CHANGES = {
    "list": Change(lambda: [1, 2], lambda v: v.append(3)),
    "list of lists": Change(lambda: [[1], [2]], lambda v: v[0].clear()),
    "messages": Change(_messages, lambda v: v.append(AIMessage("new", id="new"))),
    "message content": Change(_messages, lambda v: setattr(v[1], "content", "changed")),
    "message content part": Change(
        lambda: [HumanMessage([{"type": "text", "text": "old"}], id="1")],
        lambda v: v[0].content[0].update(text="new"),
    ),
    "additional_kwargs": Change(
        _messages, lambda v: v[2].additional_kwargs.update(reason={"deep": 1})
    ),
    "nested dict": Change(lambda: {"a": {"b": {"c": 1}}}, lambda v: v["a"]["b"].update(c=2)),
    "dict key order": Change(lambda: {"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    "pydantic field": Change(lambda: Note(text="old"), lambda v: setattr(v, "text", "new")),
    "pydantic list": Change(lambda: [Note(text="n")], lambda v: v[0].tags.append("new")),
    "same length": Change(lambda: {"text": "aaaa" * 20}, lambda v: v.update(text="aaab" * 20)),
    "set": Change(lambda: {1, 2}, lambda v: v.add(3)),
}
every_change = pytest.mark.parametrize("name", CHANGES)


@every_change
@pytest.mark.parametrize("size", [0, 20_000], ids=["small", "large"])
async def test_the_next_checkpoint_has_it_and_the_older_one_does_not(
    coloured: Coloured, name: str, size: int
) -> None:
    change = CHANGES[name]
    value = {"padding": ["x" * 100] * (size // 100), "value": change.make()}
    thread = Thread(coloured)
    before = copy.deepcopy(value)
    first = await thread.put({"a": value})
    change.mutate(value["value"])
    assert list(map(repr, value.items())) != list(map(repr, before.items()))
    second = await thread.put({"a": value})
    for stored, expected in ((first, before), (second, value)):
        found = (await thread.state(stored))["a"]
        assert found == expected
        assert repr(found) == repr(expected)


@every_change
async def test_it_is_in_the_next_pending_writes_and_not_in_the_older_ones(
    coloured: Coloured, name: str
) -> None:
    change = CHANGES[name]
    value = change.make()
    before = copy.deepcopy(value)
    stored = await Thread(coloured).put({"n": 1})
    await coloured.put_writes(stored, [("a", value)], "task 1")
    change.mutate(value)
    await coloured.put_writes(stored, [("a", value)], "task 2")
    found = (await coloured.get_tuple(stored)).pending_writes
    assert found == [("task 1", "a", before), ("task 2", "a", value)]
    assert [repr(one[2]) for one in found] == [repr(before), repr(value)]


@pytest.mark.parametrize("size", [1, 2000], ids=["small", "large"])
async def test_changes_after_put_returned_are_not_in_it(coloured: Coloured, size: int) -> None:
    value, metadata, versions = ["old"] * size, {"step": 1, "deep": {"k": [1]}}, {"a": 1}
    made = checkpoint({"a": value}, versions, versions_seen={"node": {"a": 1}})
    expected, kept = copy.deepcopy((made, metadata))
    stored = await coloured.put(config("t"), made, metadata, {"a": 1})
    _spoil(made, metadata)
    child = await coloured.put(stored, {**expected, "id": expected["id"] + "x"}, {}, {})
    found = await coloured.get_tuple(stored)
    assert (found.checkpoint, found.metadata) == (expected, kept)
    assert (await coloured.get_tuple(child)).checkpoint["channel_values"] == {"a": ["old"] * size}


def _spoil(made: dict[str, Any], metadata: dict[str, Any]) -> None:
    for value in made["channel_values"].values():
        value.append("spoiled")
    made["channel_versions"]["a"] = 99
    made["versions_seen"]["node"]["a"] = 99
    made["ts"] = "spoiled"
    metadata["deep"]["k"].append("spoiled")
    metadata["step"] = 99


@pytest.fixture(params=["remembered", "forgotten", "parent absent"])
def parent(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.mark.parametrize("size", [1, 2000], ids=["small", "large"])
async def test_changes_while_a_put_waits_do_not_tear_it(saver, parent: str, size: int) -> None:
    """Everything is encoded before the first await, so another task comes too late."""
    stored = config("t", "absent")
    if parent != "parent absent":
        earlier = checkpoint({"carried": ["old"] * size})
        stored = await saver.aput(config("t"), earlier, {}, {"carried": 1})
    if parent != "remembered":
        saver._handle.hints.reset()
    made = checkpoint(
        {"a": ["old"] * size, "carried": ["old"] * size},
        {"a": 1, "carried": 1},
        versions_seen={"node": {"a": 1}},
    )
    metadata = {"step": 1, "deep": {"k": [1]}}
    expected, kept = copy.deepcopy((made, metadata))
    task = asyncio.create_task(saver.aput(stored, made, metadata, {"a": 1}))
    await asyncio.sleep(0)
    _spoil(made, metadata)
    found = await saver.aget_tuple(await task)
    assert found.metadata == kept
    assert found.checkpoint == expected


@pytest.mark.parametrize("size", [1, 2000], ids=["small", "large"])
async def test_changes_while_writes_wait_do_not_tear_them(saver, size: int) -> None:
    stored = await saver.aput(config("t"), checkpoint({}), {}, {})
    value = ["old"] * size
    task = asyncio.create_task(saver.aput_writes(stored, [("a", value)], "task"))
    await asyncio.sleep(0)
    value.append("spoiled")
    await task
    found = await saver.aget_tuple(stored)
    assert found.pending_writes == [("task", "a", ["old"] * size)]
