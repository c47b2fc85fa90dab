"""What is put comes back: by id, as the latest, with its config, parent and metadata."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.base import get_checkpoint_metadata

from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

LOOP = {"source": "loop", "step": 1, "parents": {}}


async def test_put_returns_the_config_that_names_the_checkpoint(coloured: Coloured) -> None:
    made = checkpoint({"a": 1})
    asked = config("t", "an-earlier-one", ns="sub")
    assert await coloured.put(asked, made, LOOP, {"a": 1}) == config("t", made["id"], ns="sub")


async def test_a_checkpoint_comes_back_whole_by_its_id(coloured: Coloured) -> None:
    made = checkpoint(
        {"a": [1, {"b": None}], "c": "text"},
        versions_seen={"__input__": {}, "node": {"a": 1}},
        updated_channels=["a", "c"],
    )
    stored = await coloured.put(config("t"), made, LOOP, {"a": 1, "c": 1})
    found = await coloured.get_tuple(stored)
    assert found.checkpoint == made
    assert found.metadata == LOOP
    assert found.config == stored
    assert found.pending_writes == []


async def test_without_an_id_the_checkpoint_with_the_highest_id_is_found(
    coloured: Coloured,
) -> None:
    older, newer = checkpoint({"a": "older"}), checkpoint({"a": "newer"})
    assert older["id"] < newer["id"]
    await coloured.put(config("t"), newer, LOOP, {"a": 1})
    await coloured.put(config("t"), older, LOOP, {"a": 1})
    found = await coloured.get_tuple(config("t"))
    assert found.checkpoint["channel_values"] == {"a": "newer"}
    assert found.config == config("t", newer["id"])


async def test_get_by_id_gives_back_the_config_it_was_asked_with(coloured: Coloured) -> None:
    stored = await Thread(coloured).put({"a": 1})
    asked = {"configurable": {**stored["configurable"], "user": "u"}, "tags": ["x"]}
    found = await coloured.get_tuple(asked)
    assert found.config == asked


async def test_get_needs_no_namespace_for_the_root(coloured: Coloured) -> None:
    await Thread(coloured).put({"a": 1})
    found = await coloured.get_tuple({"configurable": {"thread_id": "t"}})
    assert found.checkpoint["channel_values"] == {"a": 1}


async def test_get_gives_the_checkpoint_alone(coloured: Coloured) -> None:
    stored = await Thread(coloured).put({"a": 1})
    found = await coloured.get(stored)
    assert found["channel_values"] == {"a": 1}
    assert found["id"] == stored["configurable"]["checkpoint_id"]


@pytest.mark.parametrize(
    "asked",
    [config("another"), config("t", ns="another"), config("t", "another"), config("T")],
    ids=["thread", "namespace", "checkpoint", "case"],
)
async def test_what_was_never_put_is_none(coloured: Coloured, asked) -> None:
    await Thread(coloured).put({"a": 1})
    assert await coloured.get_tuple(asked) is None


async def test_nothing_is_found_in_an_empty_database(coloured: Coloured) -> None:
    assert await coloured.get_tuple(config("t")) is None
    assert await coloured.list(None) == []


async def test_the_parent_is_the_checkpoint_that_put_was_given(coloured: Coloured) -> None:
    thread = Thread(coloured)
    first = await thread.put({"a": 1})
    second = await thread.put({"a": 2})
    assert (await coloured.get_tuple(first)).parent_config is None
    assert (await coloured.get_tuple(second)).parent_config == first
    latest = await coloured.get_tuple(config("t"))
    assert latest.parent_config == first


async def test_a_parent_need_not_be_stored(coloured: Coloured) -> None:
    made = checkpoint({"a": 1})
    stored = await coloured.put(config("t", "unknown"), made, LOOP, {"a": 1})
    assert (await coloured.get_tuple(stored)).parent_config == config("t", "unknown")


async def test_metadata_takes_in_what_the_config_carries(coloured: Coloured) -> None:
    asked = {
        "configurable": {
            **config("t")["configurable"],
            "user": "u\0v",
            "__pregel_task_id": "hidden",
            "number": 3,
            "unsupported": object(),
        },
        "metadata": {"run_id": "r1", "step": 99, "langgraph_step": 4},
    }
    stored = await coloured.put(asked, checkpoint({}), {**LOOP, "note": "a\0b"}, {})
    found = await coloured.get_tuple(stored)
    assert found.metadata == get_checkpoint_metadata(asked, {**LOOP, "note": "a\0b"})
    assert found.metadata == {
        **LOOP, "note": "ab", "run_id": "r1", "user": "uv", "number": 3,
    }  # fmt: skip


async def test_metadata_of_any_shape_comes_back(coloured: Coloured) -> None:
    odd = {"none": None, "yes": True, "deep": {"list": [1, 2.5, {"k": "v"}]}, "": "empty key"}
    stored = await coloured.put(config("t"), checkpoint({}), odd, {})
    assert (await coloured.get_tuple(stored)).metadata == odd


async def test_a_checkpoint_without_values_comes_back(coloured: Coloured) -> None:
    made = checkpoint({})
    stored = await coloured.put(config("t"), made, LOOP, {})
    assert (await coloured.get_tuple(stored)).checkpoint == made


async def test_a_channel_with_a_version_and_no_value_is_empty(coloured: Coloured) -> None:
    made = checkpoint({"a": 1}, {"a": 1, "empty": 1})
    stored = await coloured.put(config("t"), made, LOOP, {"a": 1, "empty": 1})
    found = (await coloured.get_tuple(stored)).checkpoint
    assert found["channel_values"] == {"a": 1}
    assert found["channel_versions"] == {"a": 1, "empty": 1}


@pytest.mark.parametrize("value", ["small", ["large" * 1000] * 10])
async def test_a_channel_emptied_by_a_step_stays_empty(coloured: Coloured, value) -> None:
    first = checkpoint({"a": value, "b": 1})
    parent = await coloured.put(config("t"), first, LOOP, {"a": 1, "b": 1})
    second = checkpoint({"b": 1}, {"a": 2, "b": 1})
    child = await coloured.put(parent, second, LOOP, {"a": 2})
    third = checkpoint({"b": 1}, {"a": 2, "b": 1})
    grandchild = await coloured.put(child, third, LOOP, {})
    assert (await coloured.get_tuple(parent)).checkpoint["channel_values"] == {"a": value, "b": 1}
    assert (await coloured.get_tuple(child)).checkpoint["channel_values"] == {"b": 1}
    assert (await coloured.get_tuple(grandchild)).checkpoint["channel_values"] == {"b": 1}


async def test_namespaces_of_a_thread_are_apart(coloured: Coloured) -> None:
    root, sub = Thread(coloured), Thread(coloured, ns="sub:1|deep:2")
    await root.put({"a": "root"})
    await sub.put({"a": "sub"})
    assert await root.state() == {"a": "root"}
    assert await sub.state() == {"a": "sub"}


async def test_one_id_in_two_namespaces_is_two_checkpoints(coloured: Coloured) -> None:
    made = checkpoint({"a": "root"})
    twin = {**made, "channel_values": {"a": "sub"}}
    root = await coloured.put(config("t"), made, LOOP, {"a": 1})
    sub = await coloured.put(config("t", ns="sub"), twin, LOOP, {"a": 1})
    assert (await coloured.get_tuple(root)).checkpoint["channel_values"] == {"a": "root"}
    assert (await coloured.get_tuple(sub)).checkpoint["channel_values"] == {"a": "sub"}


async def test_a_put_with_the_same_id_replaces(coloured: Coloured) -> None:
    made = checkpoint({"a": "first" * 1000, "b": 1})
    again = {**made, "channel_values": {"a": "second" * 1000}, "channel_versions": {"a": 2}}
    await coloured.put(config("t", "one"), made, LOOP, {"a": 1, "b": 1})
    stored = await coloured.put(config("t", "two"), again, {**LOOP, "step": 2}, {"a": 2})
    found = await coloured.get_tuple(stored)
    assert found.checkpoint == again
    assert found.metadata["step"] == 2
    assert found.parent_config == config("t", "two")
    assert len(await coloured.list(config("t"))) == 1


async def test_a_replaced_checkpoint_keeps_its_pending_writes(coloured: Coloured) -> None:
    made = checkpoint({"a": 1})
    stored = await coloured.put(config("t"), made, LOOP, {"a": 1})
    await coloured.put_writes(stored, [("a", "pending")], "task")
    await coloured.put(config("t"), made, LOOP, {"a": 1})
    assert (await coloured.get_tuple(stored)).pending_writes == [("task", "a", "pending")]


async def test_writes_may_come_before_their_checkpoint(coloured: Coloured) -> None:
    made = checkpoint({"a": 1})
    await coloured.put_writes(config("t", made["id"]), [("a", "early")], "task")
    assert await coloured.get_tuple(config("t")) is None
    assert await coloured.get_tuple(config("t", made["id"])) is None
    stored = await coloured.put(config("t"), made, LOOP, {"a": 1})
    assert (await coloured.get_tuple(stored)).pending_writes == [("task", "a", "early")]
