"""Values as people read them: nothing imported, nothing obeyed, nothing unbounded."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage

from lgckpt import Serializer
from lgckpt.core import core
from lgckpt.errors import DecodeError, EncodeError
from lgckpt.inspection.jsonable import jsonable
from lgckpt.inspection.messages import Message, ToolCall, conversation, message
from lgckpt.inspection.text import compact, folded, lines, one_line, safe, scalar
from lgckpt.inspection.views import VIEWS, Opaque, Typed, decode
from tests.inspection.conversations import OBJECTS, messages


def view(value: Any, **options: Any) -> Any:
    return decode(*Serializer(**options).dumps_typed(value))


def unimportable(kind: int = 2) -> tuple[str, bytes]:
    """An object of a module that would fail a test that imports it."""
    packed = core.encode(["tests.inspection.not_to_be_imported", "Thing", {"a": 1}])
    return "msgpack", core.encode({"x": core.PackedExt(kind, packed)}, lambda ext: ext)


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_objects_are_named_and_their_fields_shown(compression: Any) -> None:
    found = view(OBJECTS, compression=compression)
    assert found["plan"] == Typed(
        "tests.inspection.conversations", "Plan", {"goal": "find out", "parts": [1, {"a": "b"}]}
    )
    shown = {name: scalar(value, 60) for name, value in found.items()}
    assert shown["plan"] == (
        "<tests.inspection.conversations.Plan {goal: 'find out', parts: [1, {a: 'b'}]}>"
    )
    assert shown["mood"] == "<tests.inspection.conversations.Mood good>"
    assert shown["when"] == "2024-01-02T03:04:05"
    assert shown["id"] == "00000000-0000-0000-0000-000000000007"
    assert shown["price"] == "1.50"
    assert shown["raw"] == "<2 bytes: 00 ff>"
    assert shown["nothing"] == "null"
    assert shown["document"] == OBJECTS["document"][:60].rstrip() + "… (9,830 more characters)"


@pytest.mark.parametrize("kind", range(6))
def test_no_class_is_imported(kind: int) -> None:
    before = set(sys.modules)
    data = core.encode(["tests.inspection.not_to_be_imported", "Thing", {"a": 1}, "method"])
    packed = b"\xc7" + bytes([len(data), kind]) + data
    found = decode("msgpack", packed)
    assert found == Typed("tests.inspection.not_to_be_imported", "Thing", {"a": 1})
    assert set(sys.modules) == before


def test_the_json_of_older_releases_is_read() -> None:
    data = json.dumps({"messages": [dumpd(HumanMessage("hello", id="1"))]}).encode()
    found = decode("json", data)
    assert message(found["messages"][0]) == Message("human", "1", None, "hello")


@pytest.mark.parametrize(
    ("tag", "data", "shown"),
    [
        ("msgpack+aes", b"12345", "<encrypted, 5 bytes>"),
        ("pickle", b"12345", "<pickled, 5 bytes>"),
        ("other", b"12345", "<serialized as 'other', 5 bytes>"),
        ("msgpack", b"\xc7\x02\x63ab", "<msgpack extension 99, 2 bytes>"),
        ("null", b"", "null"),
        ("bytes", b"", "<0 bytes>"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_so(tag: str, data: bytes, shown: str) -> None:
    assert scalar(decode(tag, data), None) == shown


@pytest.mark.parametrize("data", [b"\xc1", b"\x92\x01", b"\x01\x02"])
def test_damage_is_an_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        decode("msgpack", data)


def test_nesting_has_a_bound() -> None:
    data = b"\x01"
    for _ in range(3000):
        data = b"\xc9" + len(data).to_bytes(4, "big") + b"\x07" + data
    with pytest.raises(DecodeError):
        decode("msgpack", data)


def test_it_writes_nothing() -> None:
    with pytest.raises(EncodeError):
        VIEWS.dumps_typed(1)


def test_json_loses_nothing() -> None:
    found = jsonable(view(OBJECTS))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["raw"] == {"$type": "bytes", "base64": "AP8="}
    assert found["by_number"] == {"$type": "dict", "items": [[1, "one"]]}
    assert found["tags"] == {"$type": "builtins.set", "value": ["x"]}
    assert jsonable([float("nan"), 0.5]) == [{"$type": "float", "value": "nan"}, 0.5]
    assert jsonable(Opaque("encrypted", 9)) == {"$type": "encrypted", "bytes": 9}
    assert jsonable({"$type": "mine"}) == {"$type": "dict", "items": [["$type", "mine"]]}


def test_messages_are_recognised() -> None:
    found = conversation(view(messages(4)))
    assert found is not None
    assert [(one.role, one.id, one.text) for one in found] == [
        ("human", "h1", "What is the weather in Paris?"),
        ("ai", "a1", "Let me look."),
        ("tool", "t1", "21 degrees"),
        ("ai", "a2", "It is 21 degrees."),
    ]
    call = ToolCall("call-1", "search", '{"query": "weather [bold]Paris[/bold]"}')
    assert found[1].tool_calls == (call,)
    assert (found[2].name, found[2].about) == ("search", "call-1")


def test_messages_as_dicts_and_in_blocks_are_recognised() -> None:
    blocks = [{"type": "text", "text": "Look:"}, {"type": "image", "url": "http://x"}]
    found = conversation(view([{"role": "user", "content": "hi"}, AIMessage(blocks)]))
    assert found is not None
    assert (found[0].role, found[0].text) == ("user", "hi")
    assert found[1].text == 'Look:\n{"type": "image", "url": "http://x"}'
    call = {"id": "1", "function": {"name": "f", "arguments": "{}"}}
    as_openai = message({"role": "assistant", "content": None, "tool_calls": [call]})
    assert as_openai is not None
    assert as_openai.tool_calls == (ToolCall("1", "f", "{}"),)


@pytest.mark.parametrize("value", [[], [1], [{"a": 1}], "text", {"content": "x"}, [{"content": 1}]])
def test_other_values_are_no_conversation(value: Any) -> None:
    assert conversation(value) is None


def test_nothing_that_a_terminal_would_obey_passes() -> None:
    shown = safe(OBJECTS["hostile"])
    assert shown == "\\x1b[31mred\\x1b[0m \\x9b2J \\u202eturned [red]markup[/red]"
    assert safe("tab\tand\nline é 日本 👍") == "tab\tand\nline é 日本 👍"
    assert one_line("two\nlines\r\x07") == "two lines \\x07".replace(" \\", " \\")
    for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0xD800]:
        if chr(code) not in "\t\n":
            assert chr(code) not in safe(f"a{chr(code)}b")


def test_values_are_laid_out_and_folded() -> None:
    value = {"a": {"b": [1, {"c": "two\nlines"}]}, "empty": {}, "long": list(range(40))}
    shown = list(lines(value, 20))
    assert shown[:9] == [
        "a:", "  b:", "    [0]: 1", "    [1]:", "      c:", "        two", "        lines",
        "empty: {}", "long:",
    ]  # fmt: skip
    assert "  … (20 more elements)" in shown
    assert len(list(lines(value["long"], None))) == 40
    assert folded("x" * 30, 10) == "x" * 10 + "… (20 more characters)"
    assert compact({"a": [1, "b"]}, None) == "{a: [1, 'b']}"
    assert len(compact(list(range(10_000)), 50)) == 51
