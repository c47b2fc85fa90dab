"""Threads, histories, states and differences, of every layout."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

import lgckpt
from lgckpt import inspection
from lgckpt.errors import ConfigurationError, NotFoundError, StorageError
from lgckpt.inspection import Change, Message, Typed
from lgckpt.saver import Saver
from tests.backends import damage_memory
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.inspection.conversations import OBJECTS, messages, talk

STEPS = 5


@pytest.fixture
def memory() -> Iterator[lgckpt.MemorySaver]:
    with lgckpt.MemorySaver() as saver:
        yield saver


@pytest.fixture
def ids(memory: Saver) -> list[str]:
    return asyncio.run(talk(memory))


def hurt(cell: bytes) -> bytes:
    return cell[:-1] + bytes([cell[-1] ^ 1])


def test_threads_of_every_backend(saver: Saver) -> None:
    for name in ("b", "a", "other"):
        asyncio.run(talk(saver, name))
    found = {one.thread_id: one for one in inspection.list_threads(saver)}
    assert set(found) == {"a", "b", "other"}
    assert (found["a"].checkpoints, found["a"].namespaces, found["a"].writes) == (STEPS, 1, 4)
    head = inspection.show_checkpoint(saver, "a")
    assert found["a"].updated is not None
    assert head.time is not None
    assert found["a"].updated[:19] == head.time[:19]
    assert [one.thread_id for one in inspection.list_threads(saver, prefix="o")] == ["other"]
    assert len(list(inspection.list_threads(saver, limit=2))) == 2
    assert list(inspection.list_threads(saver, limit=0)) == []


def test_threads_are_given_as_they_are_read(memory: Saver) -> None:
    async def many() -> None:
        for number in range(600):
            made = checkpoint({"a": number})
            await memory.aput(config(f"{number:03}"), made, {"step": 0}, {"a": 1})

    asyncio.run(many())
    found = inspection.list_threads(memory)
    assert next(found).checkpoints == 1
    assert sum(1 for _ in found) == 599


def test_the_time_is_taken_from_the_checkpoint_where_its_id_says_none(memory: Saver) -> None:
    made = checkpoint({"a": 1}, id="mine", ts="2020-01-02T03:04:05+00:00")
    memory.put(config("t"), made, {"step": 0}, {"a": 1})
    (found,) = inspection.list_threads(memory)
    assert found.updated == "2020-01-02T03:04:05+00:00"


def test_a_history_is_newest_first_with_forks_and_pending_writes(
    memory: Saver, ids: list[str]
) -> None:
    steps = list(inspection.read_history(memory, "talk"))
    assert [one.checkpoint_id for one in steps] == ids[::-1]
    assert [one.parent_id for one in steps] == [ids[1], ids[2], ids[1], ids[0], None]
    assert [one.children for one in steps] == [0, 0, 1, 2, 1]
    assert [one.step for one in steps] == [0, 3, 2, 1, 0]
    assert {one.source for one in steps} == {"loop"}
    assert [one.run_id for one in steps] == [None, "run 4", "run 3", "run 2", "run 1"]
    assert steps[1].changed == ("messages",)
    assert set(steps[-1].changed) == {"messages", *OBJECTS}
    assert (steps[0].writes, steps[1].writes) == ({}, {"messages": 1})
    assert len(list(inspection.read_history(memory, "talk", limit=2))) == 2


def test_a_history_goes_namespace_by_namespace(memory: Saver, ids: list[str]) -> None:
    async def inner() -> None:
        await Thread(Coloured(memory, "async"), "talk", "child:1").put({"x": 1})

    asyncio.run(inner())
    found = list(inspection.read_history(memory, "talk"))
    assert [one.checkpoint_ns for one in found] == [""] * STEPS + ["child:1"]
    (only,) = inspection.read_history(memory, "talk", checkpoint_ns="child:1")
    assert only == found[-1]
    with pytest.raises(NotFoundError, match=r"namespace 'child'; it has some in '', 'child:1'$"):
        list(inspection.read_history(memory, "talk", checkpoint_ns="child"))
    assert inspection.show_checkpoint(memory, "talk", only.checkpoint_id).channels[0].value == 1


def test_the_nodes_that_are_due_are_named(memory: Saver) -> None:
    values = {"branch:to:ready": None, "branch:to:done": None, "join:a+b:both": {"a", "b"},
              "join:a+c:one": {"a"}, "branch:to:gone": None}  # fmt: skip
    made = checkpoint(
        values,
        dict.fromkeys(values, "2"),
        versions_seen={"done": {"branch:to:done": "2"}, "ready": {"branch:to:ready": "1"}},
    )
    made["channel_values"].pop("branch:to:gone")
    memory.put(config("t"), made, {"step": 1}, made["channel_versions"])
    assert next(inspection.read_history(memory, "t")).next == ("ready", "both")


def test_packets_that_were_sent_name_their_nodes(memory: Saver) -> None:
    from langgraph.types import Send  # noqa: PLC0415

    made = checkpoint({"__pregel_tasks": [Send("worker", {"n": 1}), Send("other", 2)]})
    memory.put(config("t"), made, {"step": 1}, made["channel_versions"])
    assert inspection.show_checkpoint(memory, "t").next == ("worker", "other")


def test_a_state_is_shown(memory: Saver, ids: list[str]) -> None:
    found = inspection.show_checkpoint(memory, "talk", ids[3])
    channels = {one.name: one for one in found.channels}
    assert set(channels) == {"messages", *OBJECTS}
    assert channels["document"].value == OBJECTS["document"]
    assert channels["document"].size > len(OBJECTS["document"])
    assert isinstance(channels["plan"].value, Typed)
    assert found.metadata["step"] == 3
    assert found.parent_id == ids[2]
    (write,) = found.writes
    assert (write.task_id, write.channel, len(write.value)) == ("task-4", "messages", 1)
    (only,) = inspection.show_checkpoint(memory, "talk", ids[3], channels=["plan"]).channels
    assert only.name == "plan"


def test_a_checkpoint_is_named_by_a_part_of_its_id(memory: Saver) -> None:
    for name in ("abc-1", "abc-2", "xyz-1"):
        memory.put(config("t"), checkpoint({"a": name}, id=name), {"step": 0}, {"a": 1})
    assert inspection.show_checkpoint(memory, "t").checkpoint_id == "xyz-1"
    assert inspection.show_checkpoint(memory, "t", "xyz").checkpoint_id == "xyz-1"
    assert inspection.show_checkpoint(memory, "t", "c-2").checkpoint_id == "abc-2"
    with pytest.raises(ConfigurationError, match=r"2 checkpoints .* match 'abc'"):
        inspection.show_checkpoint(memory, "t", "abc")
    with pytest.raises(NotFoundError, match="no checkpoint 'q'"):
        inspection.show_checkpoint(memory, "t", "q")
    with pytest.raises(NotFoundError, match="no channel 'b'; it has 'a'"):
        inspection.show_checkpoint(memory, "t", channels=["b"])
    with pytest.raises(NotFoundError, match="in namespace 'n'; it has some"):
        inspection.show_checkpoint(memory, "t", checkpoint_ns="n")


@pytest.mark.parametrize(
    "look",
    [
        lambda saver: list(inspection.read_history(saver, "nobody")),
        lambda saver: inspection.show_checkpoint(saver, "nobody"),
        lambda saver: inspection.compare_checkpoints(saver, "nobody", "a", "b"),
    ],
)
def test_a_thread_that_is_not_there_is_named(memory: Saver, look: Any) -> None:
    with pytest.raises(NotFoundError, match="no thread 'nobody'"):
        look(memory)


def test_what_changed_is_told_message_by_message(memory: Saver, ids: list[str]) -> None:
    found = inspection.compare_checkpoints(memory, "talk", ids[0], ids[3])
    (channel,) = found.channels
    assert (channel.name, channel.kind, channel.messages) == ("messages", "changed", True)
    assert [(one.kind, one.path) for one in channel.changes] == [
        ("added", "a1"), ("added", "t1"), ("added", "a2"),
    ]  # fmt: skip
    assert channel.unchanged == 1
    assert set(found.unchanged) == set(OBJECTS)
    assert ("changed", "step", 0, 3) in [
        (one.kind, one.path, one.before, one.after) for one in found.metadata
    ]


def test_edited_and_removed_messages_are_told_by_id(memory: Saver, ids: list[str]) -> None:
    found = inspection.compare_checkpoints(memory, "talk", ids[2], ids[4])
    changes = {c.name: c for c in found.channels}["messages"].changes
    assert [(one.kind, one.path) for one in changes] == [("removed", "t1"), ("changed", "a1")]
    edited = changes[1]
    assert isinstance(edited.before, Message)
    assert (edited.before.text, edited.after.text) == ("Let me look.", "Let me look!")
    assert [c.name for c in found.channels if c.kind == "removed"] == sorted(OBJECTS)


def compared(memory: Saver, before: Any, after: Any) -> list[Change]:
    for name, value in (("1", before), ("2", after)):
        memory.put(config("t"), checkpoint({"c": value}, id=name), {"step": 0}, {"c": name})
    found = inspection.compare_checkpoints(memory, "t", "1", "2")
    return [change for channel in found.channels for change in channel.changes]


def test_values_are_compared_part_by_part(memory: Saver) -> None:
    old = {"same": [1, 2], "gone": 1, "deep": {"x": [1, 2, 3], "y": 1}, "kind": 1}
    new = {"same": [1, 2], "new": 1, "deep": {"x": [0, 1, 3, 4], "y": 1}, "kind": True}
    assert compared(memory, old, new) == [
        Change("removed", "gone", 1),
        Change("added", "deep.x[0]", None, 0),
        Change("removed", "deep.x[1]", 2),
        Change("added", "deep.x[3]", None, 4),
        Change("changed", "kind", 1, True),
        Change("added", "new", None, 1),
    ]
    assert compared(memory, old, dict(old)) == []


def test_messages_without_ids_and_in_other_order_are_compared(memory: Saver) -> None:
    one, two = HumanMessage("one"), HumanMessage("two")
    assert [(c.kind, c.path) for c in compared(memory, [one], [one, two])] == [("added", "[1]")]
    first, second = (AIMessage(text, id=text) for text in ("first", "second"))
    assert compared(memory, [first, second], [second, first])
    told = AIMessage("first", id="first", response_metadata={"tokens": 3})
    (change,) = compared(memory, [first], [told])
    assert (change.kind, change.path) == ("added", "first.response_metadata.tokens")
    assert [c.kind for c in compared(memory, [first], [])] == ["removed"]
    assert [c.kind for c in compared(memory, [], [RemoveMessage("x")])] == ["added"]


def test_a_long_list_is_compared_in_bounded_time(memory: Saver) -> None:
    changes = compared(memory, list(range(50_000)), [-1, *range(1, 50_000), 7])
    assert [(c.kind, c.path) for c in changes] == [("changed", "[0]"), ("added", "[50000]")]


def test_damage_is_named_and_the_rest_is_shown(memory: Saver, ids: list[str]) -> None:
    damage_memory(memory, "chunks", "frame", hurt)
    found = inspection.show_checkpoint(memory, "talk", ids[3])
    assert {one.channel for one in found.damage} == {"document"}
    assert "messages" in {one.name for one in found.channels}
    compared = inspection.compare_checkpoints(memory, "talk", ids[0], ids[3])
    assert [one.name for one in compared.channels] == ["messages"]
    assert {one.channel for one in compared.damage} == {"document"}
    assert all(one.damage is None for one in inspection.read_history(memory, "talk"))


def test_a_damaged_row_is_named_and_the_others_are_shown(memory: Any, ids: list[str]) -> None:
    rows = memory._handle.storage._all["talk"].rows
    rows["", ids[2]] = rows["", ids[2]]._replace(state=hurt(rows["", ids[2]].state))
    steps = list(inspection.read_history(memory, "talk"))
    assert [one.checkpoint_id for one in steps if one.damage] == [ids[2]]
    assert len(steps) == STEPS
    found = inspection.show_checkpoint(memory, "talk", ids[2])
    assert found.damage[0].checkpoint_id == ids[2]
    assert inspection.compare_checkpoints(memory, "talk", ids[2], ids[3]).damage


def test_what_is_encrypted_stays_so() -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=b"sixteen byte key")
    with lgckpt.MemorySaver(serde=serde) as saver:
        ids = asyncio.run(talk(saver))
        found = inspection.show_checkpoint(saver, "talk", ids[3])
        assert found.encrypted
        assert found.time is not None
        assert {type(one.value).__name__ for one in found.channels} == {"Opaque"}
        steps = list(inspection.read_history(saver, "talk"))
        assert all(one.encrypted and one.damage is None for one in steps)
        assert [one.checkpoint_id for one in steps] == ids[::-1]


def test_every_layout_is_looked_into(tmp_path: Path, memory: Saver, ids: list[str]) -> None:
    from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415

    path = tmp_path / "x.lgckpt"
    lgckpt.dump(memory, path)
    lgckpt.migrate(memory, f"sqlite:///{tmp_path}/ours.db")
    with SqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as theirs:
        for one in reversed(list(memory.list(config("talk")))):
            versions = one.checkpoint["channel_versions"]
            theirs.put(one.parent_config or config("talk"), one.checkpoint, one.metadata, versions)
    urls = [
        path.as_uri(),
        f"sqlite:///{tmp_path}/ours.db",
        f"langgraph+sqlite:///{tmp_path}/theirs.db",
    ]
    for url in urls:
        assert [one.checkpoint_id for one in inspection.read_history(url, "talk")] == ids[::-1]
        found = inspection.compare_checkpoints(url, "talk", ids[0], ids[3])
        assert [c.path for c in found.channels[0].changes] == ["a1", "t1", "a2"]
        assert any(inspection.search(url, "21 degrees"))
        (sizes,) = inspection.measure(url)
        assert sizes.checkpoints == STEPS


@pytest.mark.parametrize("url", ["sqlite:///{}/absent.db", "file://{}/absent.lgckpt"])
def test_looking_makes_nothing(tmp_path: Path, url: str) -> None:
    with pytest.raises(StorageError, match="absent"):
        list(inspection.list_threads(url.format(tmp_path)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_there_are_async_twins() -> None:
    async with lgckpt.MemorySaver() as saver:
        ids = await talk(saver)
        assert len([one async for one in inspection.alist_threads(saver)]) == 1
        assert len([one async for one in inspection.aread_history(saver, "talk")]) == STEPS
        assert (await inspection.ashow_checkpoint(saver, "talk")).checkpoint_id == ids[-1]
        found = await inspection.acompare_checkpoints(saver, "talk", ids[0], ids[1])
        assert found.channels
        assert [one async for one in inspection.asearch(saver, "degrees")]
        assert [one async for one in inspection.ameasure(saver)]
        with pytest.raises(ConfigurationError, match="await"):
            list(inspection.list_threads(saver))
        assert messages(1)
