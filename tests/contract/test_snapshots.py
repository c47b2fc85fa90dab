"""A snapshot is stored as it was taken, by the saver that took it; elsewhere it is a checkpoint."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import create_checkpoint, empty_checkpoint
from langgraph.checkpoint.memory import InMemorySaver

import lgckpt
from lgckpt.core import core
from tests.checkpoints import checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

LOOP = {"source": "loop", "step": 1, "parents": {}}


def values(size: int) -> dict[str, Any]:
    """Channels that can all be changed in place; large ones are chunk trees."""
    return {
        "list": [HumanMessage(f"message {i * 7919 % 1000} " * 3, id=str(i)) for i in range(size)],
        "dict": {"a": {"b": [1, 2]}, "text": "x" * size},
        "message": AIMessage("as it was", id="m", additional_kwargs={"k": [1]}),
        "set": {1, 2},
    }


def tear(found: dict[str, Any]) -> None:
    """Change every value in place, as the next superstep's nodes might."""
    found["list"].append(HumanMessage("torn", id="torn"))
    if len(found["list"]) > 1:
        found["list"][0].content = "torn"
    found["dict"]["a"]["b"].append("torn")
    found["message"].content = "torn"
    found["message"].additional_kwargs["k"].append("torn")
    found["set"].add("torn")


@pytest.mark.parametrize("size", [0, 3, 400])
@pytest.mark.parametrize("steps", [1, 3])
async def test_what_changes_after_it_was_taken_does_not_tear_it(
    coloured: Coloured, size: int, steps: int
) -> None:
    asked, step = config("t"), 0
    for step in range(steps):
        given, kept = values(size + step), values(size + step)
        versions = dict.fromkeys(given, step + 1)
        made = checkpoint(given, versions, id=f"{step:036}")
        taken = coloured.saver.snapshot(asked, made, LOOP, versions)
        tear(given)
        asked = await coloured.put(asked, taken, LOOP, versions)
        found = await coloured.get_tuple(asked)
        assert found.checkpoint == {**made, "channel_values": kept}


@pytest.mark.parametrize("size", [0, 400])
async def test_what_is_carried_on_does_not_tear_either(coloured: Coloured, size: int) -> None:
    """Without a parent to carry it on from: it was never stored, or is deleted meanwhile."""
    for deleted in (False, True):
        given, kept, asked = values(size), values(size), config("t", "0" * 36)
        versions = dict.fromkeys(given, 1)
        if deleted:
            parent = checkpoint(copy.deepcopy(given), versions, id="0" * 36)
            await coloured.put(config("t"), parent, LOOP, versions)
        made = checkpoint({**given, "n": 1}, {**versions, "n": 1}, id="1" * 36)
        taken = coloured.saver.snapshot(asked, made, LOOP, {"n": 1})
        if deleted:
            await coloured.delete_thread("t")
        else:
            tear(given)
        stored = await coloured.put(asked, taken, LOOP, {"n": 1})
        found = await coloured.get_tuple(stored)
        assert found.checkpoint["channel_values"] == {**kept, "n": 1}
        await coloured.delete_thread("t")


async def test_a_chain_of_snapshots_taken_before_any_is_stored(coloured: Coloured) -> None:
    """LangGraph puts in order, in the background: the parent may be on its way."""
    puts, asked, messages = [], config("t"), []
    for step in range(5):
        messages.append(HumanMessage(f"{step} " * 400, id=str(step)))
        versions = {"messages": step + 1, "kept": 1}
        new = versions if step == 0 else {"messages": step + 1}
        made = checkpoint({"messages": messages, "kept": "k" * 200}, versions, id=f"{step:036}")
        puts.append((asked, coloured.saver.snapshot(asked, made, LOOP, new), LOOP, new))
        asked = config("t", made["id"])
    for put in puts:
        await coloured.put(*put)
    for step in range(5):
        found = await coloured.get_tuple(config("t", f"{step:036}"))
        assert found.checkpoint["channel_values"] == {
            "messages": messages[: step + 1],
            "kept": "k" * 200,
        }


@pytest.mark.parametrize("other", ["config", "metadata", "versions", "serde", "compression"])
async def test_any_other_put_packs_it_anew(coloured: Coloured, other: str) -> None:
    """It is the plain checkpoint then, with its values as they are."""
    saver, asked, given = coloured.saver, config("t"), {"a": [1], "b": [2]}
    made = checkpoint(given, {"a": 1, "b": 1})
    metadata, new = {**LOOP}, {"a": 1, "b": 1}
    taken = saver.snapshot(asked, made, metadata, new)
    given["a"].append("later")
    if other == "config":
        asked = config("another thread")
    elif other == "metadata":
        metadata = {**LOOP, "step": 7}
    elif other == "versions":
        new = {"a": 1}
    elif other == "serde":
        saver = saver.with_allowlist([])
        saver.serde = lgckpt.Serializer()
    else:
        saver = lgckpt.MemorySaver(compression="zstd", serde=saver.serde)
    to = Coloured(saver, coloured.colour)
    stored = await to.put(asked, taken, metadata, new)
    found = await to.get_tuple(stored)
    assert found.checkpoint["channel_values"] == {"a": [1, "later"], "b": [2]}
    assert found.metadata == metadata
    assert found.config["configurable"]["thread_id"] == asked["configurable"]["thread_id"]


async def test_elsewhere_it_is_a_plain_checkpoint(saver: lgckpt.Saver) -> None:
    made = checkpoint({"a": [1]}, {"a": 1})
    taken = saver.snapshot(config("t"), made, LOOP, {"a": 1})
    assert taken == made
    assert type(pickle.loads(pickle.dumps(taken))) is dict
    assert copy.deepcopy(taken) == made
    assert create_checkpoint(taken, None, 1)["channel_values"] == {"a": [1]}
    official = InMemorySaver()
    stored = official.put(config("t"), taken, LOOP, {"a": 1})
    assert official.get_tuple(stored).checkpoint["channel_values"] == {"a": [1]}


async def test_taking_one_stores_nothing(coloured: Coloured) -> None:
    made = checkpoint(values(400))
    coloured.saver.snapshot(config("t"), made, LOOP, made["channel_versions"])
    assert await coloured.get_tuple(config("t")) is None
    assert await coloured.list(None) == []


async def test_what_cannot_be_packed_is_refused(saver: lgckpt.Saver) -> None:
    made = checkpoint({"a": lambda: None}, {"a": 1})
    with pytest.raises(lgckpt.EncodeError):
        saver.snapshot(config("t"), made, LOOP, {"a": 1})
    with pytest.raises(lgckpt.ConfigurationError):
        saver.snapshot({"configurable": {}}, {**empty_checkpoint()}, LOOP, {})


def test_one_taken_in_memory_is_a_plain_checkpoint_to_a_database() -> None:
    """In memory, the state of a wide row may be told by its parent's."""
    serde, given = lgckpt.Serializer(), {f"channel {n}": n for n in range(50)}
    versions = dict.fromkeys(given, "1")
    later = checkpoint({**given, "channel 7": "new"}, {**versions, "channel 7": "2"})
    database = lgckpt.SqliteSaver(":memory:", serde=serde)
    with lgckpt.MemorySaver(serde=serde) as memory, database:
        first = checkpoint(given, versions)
        memory.put(config("t"), first, LOOP, versions)
        asked: Any = database.put(config("t"), first, LOOP, versions)
        taken: Any = memory.snapshot(asked, later, LOOP, {"channel 7": "2"})
        if core.BUILD_PROFILE != "pure":
            assert type(taken.taken.rows.put.row.state) is not bytes
        found = database.get_tuple(database.put(asked, taken, LOOP, {"channel 7": "2"}))
    assert found is not None
    assert found.checkpoint == later
