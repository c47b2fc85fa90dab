"""Bytes from an enemy, and values that change or do not end."""

import contextlib
import random
import struct
import sys
import threading

import ormsgpack
import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from lgckpt.errors import DecodeError, EncodeError
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t
from .compare import same
from .corpus import MESSAGES, NOW
from .test_differential import outcome


def ext(code, *parts):
    return ormsgpack.packb(ormsgpack.Ext(code, ormsgpack.packb(parts)))


def load(serde, data):
    return serde.loads_typed(("msgpack", data))


CLAIMS = {
    "array": b"\xdd\xff\xff\xff\xff",
    "map": b"\xdf\xff\xff\xff\xff",
    "str": b"\xdb\xff\xff\xff\xff",
    "bin": b"\xc6\xff\xff\xff\xff",
    "ext": b"\xc9\xff\xff\xff\xff\x05",
    "array in array": b"\x91" * 100 + b"\xdd\xff\xff\xff\xff" + b"\x01" * 50,
    "arrays that share what is left": (b"\xdd" + struct.pack(">I", 50_000)) * 1000
    + b"\x01" * 60_000,
    "key": b"\x81\xdb\xff\xff\xff\xff",
    "tuple key": b"\x81\xdd\xff\xff\xff\xff\x01",
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claimed_length_is_not_allocated(name, ours):
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DecodeError):
        load(ours, CLAIMS[name])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024


NESTED = {
    "lists": b"\x91" * 10_000 + b"\xc0",
    "dicts": b"\x81\xa1a" * 10_000 + b"\xc0",
    "tuple keys": b"\x81" + b"\x91" * 10_000 + b"\xc0\xc0",
    "lists with no end": b"\x91" * 10_000,
}


def nested_objects(count):
    data = ormsgpack.packb(1)
    for _ in range(count):
        inner = ormsgpack.packb(("builtins", "set", [0]))[:-2] + b"\x91" + data
        data = ormsgpack.packb(ormsgpack.Ext(0, inner))
    return data


@pytest.mark.parametrize("name", [*NESTED, "objects"])
def test_ten_thousand_levels(name, ours):
    data = nested_objects(10_000) if name == "objects" else NESTED[name]
    with pytest.raises(DecodeError):
        load(ours, data)


@pytest.mark.parametrize("name", [*NESTED, "objects"])
def test_ten_thousand_levels_on_a_small_stack(name, compiled):
    data = nested_objects(10_000) if name == "objects" else NESTED[name]
    serde = Serializer()
    in_thread(load, serde, data, refused=DecodeError)


@pytest.mark.parametrize("make", ["list", "dataclass"])
def test_writing_ten_thousand_levels_on_a_small_stack(make, compiled):
    value = deep_list() if make == "list" else deep_dataclass()
    in_thread(Serializer().dumps_typed, value, refused=EncodeError)
    take_apart(value)


def in_thread(work, *args, refused):
    """Run on a small stack, and expect an error."""
    raised = []

    def run():
        try:
            work(*args)
        except Exception as error:
            raised.append(type(error))

    old = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(old)
    thread.join()
    assert raised == [refused]


def deep_list():
    value = 1
    for _ in range(10_000):
        value = [value]
    return value


def deep_dataclass():
    value = 1
    for _ in range(10_000):
        value = t.Plain(1, "x", value)
    return value


def take_apart(value):
    """Free a deep value level by level."""
    while not isinstance(value, int):
        value = value[0] if isinstance(value, list) else value.c


@pytest.mark.parametrize("make", [deep_list, deep_dataclass])
def test_writing_ten_thousand_levels(make, ours):
    value = make()
    with pytest.raises(EncodeError):
        ours.dumps_typed(value)
    take_apart(value)


def test_objects_within_the_limit(compiled):
    value = 1
    for _ in range(400):
        value = t.Plain(1, "x", [{"k": value}])
    serde = Serializer()
    written = serde.dumps_typed(value)
    assert written == deep_reference(value)
    loaded = serde.loads_typed(written)
    for _ in range(400):
        loaded = loaded.c[0]["k"]
    assert loaded == 1


def deep_reference(value):
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        return JsonPlusSerializer().dumps_typed(value)
    finally:
        sys.setrecursionlimit(limit)


TRAILING = {
    "after a number": b"\x01\x02",
    "after a list": b"\x91\x01\xc0",
    "in an object": ormsgpack.packb(
        ormsgpack.Ext(0, ormsgpack.packb(("builtins", "set", [1])) + b"\x01")
    ),
    "in a message": ormsgpack.packb(
        ormsgpack.Ext(7, ormsgpack.packb([1]) + b"\x01"),
    ),
    "deep": b"\x91" * 600 + b"\xc0\xc0",
}


@pytest.mark.parametrize("name", TRAILING)
def test_trailing_bytes_are_not_ignored(name, ours):
    with pytest.raises(DecodeError):
        load(ours, TRAILING[name])


SILENT = {
    "unknown code": ext(9, "a", "b", 1),
    "negative code": b"\xd4\xff\x01",
    "largest code": b"\xd4\x7f\x01",
    "no parts": ext(0),
    "two parts": ext(2, "builtins", "dict"),
    "method missing": ext(3, "datetime", "datetime", "2020-01-01"),
    "not an array": ormsgpack.packb(ormsgpack.Ext(0, b"\x01")),
    "a map": ormsgpack.packb(ormsgpack.Ext(5, b"\x80")),
    "empty": ormsgpack.packb(ormsgpack.Ext(5, b"")),
    "truncated inside": ormsgpack.packb(ormsgpack.Ext(0, b"\x93\xa1a")),
    "bad array": ext(6, "<i4", [3], "C", b"\0" * 5),
    "bad dtype": ext(6, "nonsense", [1], "C", b""),
    "model truncated": ormsgpack.packb(ormsgpack.Ext(5, b"\x94\xa1a\xa1b")),
}


@pytest.mark.parametrize("name", SILENT)
def test_no_object_becomes_none(name, ours):
    with pytest.raises(DecodeError):
        load(ours, SILENT[name])
    with pytest.raises(DecodeError):
        load(ours, b"\x91" + SILENT[name])


REBUILT = {
    "no such module": ext(0, "no.such.module", "X", [1]),
    "no such class": ext(2, "builtins", "nothing", {"a": 1}),
    "not hashable": ext(0, "builtins", "set", [[1]]),
    "wrong arguments": ext(2, t.__name__, "Plain", {"zzz": 1}),
    "missing arguments": ext(2, t.__name__, "Plain", {"a": 1}),
    "extra arguments": ext(2, t.__name__, "Plain", {"a": 1, "b": "x", "c": 2, "d": 3}),
    "other order": ext(2, t.__name__, "Plain", {"b": "x", "a": 1}),
    "two of three repeated": b"\xc7\x32\x02\x93"
    + ormsgpack.packb(t.__name__)[:1]
    + t.__name__.encode()[:0],
    "not a map": ext(2, t.__name__, "Plain", [1, 2]),
    "model of a list": ext(5, m.__name__, "Flat", [1], "m"),
    "model invalid": ext(5, m.__name__, "Flat", {"a": "x", "b": "x"}, "m"),
    "model missing": ext(5, m.__name__, "Flat", {"b": "x"}, "m"),
    "model coerced": ext(
        5, m.__name__, "Flat", {"a": "1", "b": "x", "c": 1, "d": 0, "e": None}, "m"
    ),
    "model extra": ext(5, m.__name__, "Flat", {"a": 1, "b": "x", "zzz": 1}, "m"),
    "model order": ext(
        5, m.__name__, "Flat", {"b": "x", "a": 1, "c": 1.5, "d": True, "e": None}, "m"
    ),
    "model without method": ext(5, m.__name__, "Flat", {"a": 1, "b": "x"}),
    "model with more": ext(5, m.__name__, "Flat", {"a": 1, "b": "x"}, "m", 1, 2),
    "v1": ext(4, t.__name__, "V1Like", {"a": 1}),
    "method": ext(3, "datetime", "datetime", "2020-01-01T00:00:00", "fromisoformat"),
    "method short": ext(3, "datetime", "datetime", "2020-01-01", "fromisoformat"),
    "method invalid": ext(3, "datetime", "datetime", "2020-13-01T00:00:00", "fromisoformat"),
    "method fraction": ext(3, "datetime", "datetime", "2020-01-01T00:00:00.123", "fromisoformat"),
    "method other": ext(3, "datetime", "datetime", "2020", "strptime"),
    "method class": ext(3, "os", "system", "true", "__call__"),
    "date invalid": ext(1, "datetime", "date", [2020, 2, 30]),
    "date large": ext(1, "datetime", "date", [2**40, 2, 3]),
    "date bools": ext(1, "datetime", "date", [True, True, True]),
    "date of text": ext(1, "datetime", "date", "abc"),
    "send of three": ext(1, "langgraph.types", "Send", ["n", 1, None]),
    "args of a dict": ext(1, "builtins", "dict", {"a": 1}),
    "function": ext(0, "builtins", "len", [1, 2]),
    "none payload": ext(0, "no.module", "X", None),
    "module not text": ext(0, 1, "X", 5),
    "name not text": ext(2, "builtins", ["x"], {"a": 1}),
    "unhashable key": ext(0, ["a"], "X", 5),
    "old ai message": ext(
        5,
        "langchain_core.messages.ai",
        "AIMessage",
        {"content": "x", "type": "ai", "example": False},
        "m",
    ),
    "ai call order": ext(
        5,
        "langchain_core.messages.ai",
        "AIMessage",
        {
            **AIMessage("x").__dict__,
            "tool_calls": [{"args": {}, "name": "a", "id": None, "type": "tool_call"}],
        },
        "m",
    ),
    "ai call untyped": ext(
        5,
        "langchain_core.messages.ai",
        "AIMessage",
        {**AIMessage("x").__dict__, "tool_calls": [{"name": "a", "args": {}, "id": None}]},
        "m",
    ),
    "ai calls of a provider": ext(
        5,
        "langchain_core.messages.ai",
        "AIMessage",
        {
            **AIMessage("x").__dict__,
            "additional_kwargs": {
                "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
            },
        },
        "m",
    ),
    "ai int keys": ext(
        5,
        "langchain_core.messages.ai",
        "AIMessage",
        {**AIMessage("x").__dict__, "content": None},
        "m",
    ),
    "tool coerced": ext(
        5,
        "langchain_core.messages.tool",
        "ToolMessage",
        {**MESSAGES["tool"].__dict__, "content": 5, "tool_call_id": 7},
        "m",
    ),
}
del REBUILT["two of three repeated"]


@pytest.mark.parametrize("name", REBUILT)
@pytest.mark.parametrize("strict", [False, True])
def test_odd_objects_are_read_as_jsonplus_reads_them(name, strict, core):
    allowed = None if strict else True
    mine = Serializer(allowed_msgpack_modules=allowed)
    their = JsonPlusSerializer(allowed_msgpack_modules=allowed)
    for _ in range(3):
        one, other = outcome(load, mine, REBUILT[name]), outcome(load, their, REBUILT[name])
        if isinstance(other[0], type) and issubclass(other[0], ValueError):
            assert one[0] is DecodeError
        else:
            assert same(one[0], other[0]), (one, other)


def test_repeated_keys(ours, theirs):
    plain = {"a": 1, "b": "x", "c": 2}
    packed = ormsgpack.packb(("a", t.__name__, "Plain"))[3:]
    for pairs in (
        [("a", 1), ("a", 2), ("b", "x")],
        [("a", 1), ("b", "x"), ("b", "y")],
        [("c", 1)] * 3,
    ):
        inner = b"\x93" + packed + bytes([0x83])
        inner += b"".join(ormsgpack.packb(key) + ormsgpack.packb(value) for key, value in pairs)
        inner += b""
        data = ormsgpack.packb(ormsgpack.Ext(2, inner))
        assert load(ours, b"\x92" + data + b"\x07") == load(theirs, b"\x92" + data + b"\x07")
    assert plain


def samples():
    serde = JsonPlusSerializer()
    for value in (
        {"m": list(MESSAGES.values())[:12]},
        [t.Plain(1, "x", {1, 2}), NOW, m.Flat(a=1, b="x")],
    ):
        yield serde.dumps_typed(value)[1]


def test_truncated(ours):
    for data in samples():
        for end in range(0, len(data), 7):
            with pytest.raises(DecodeError):
                load(ours, data[:end])


def test_flipped_bits(ours):
    rng = random.Random(5)
    for data in samples():
        for _ in range(1500):
            damaged = bytearray(data)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            with contextlib.suppress(DecodeError):
                load(ours, bytes(damaged))


@pytest.mark.parametrize("data", ["text", 5, None, [1]])
def test_input_of_another_type(data, ours):
    with pytest.raises(DecodeError):
        load(ours, data)


def test_other_buffers(ours):
    for data in (
        bytearray(b"\x91\x01"),
        memoryview(b"\x91\x01"),
        memoryview(bytearray(b"\x91\x01")),
    ):
        assert load(ours, data) == [1]
    with pytest.raises(DecodeError):
        load(ours, memoryview(b"\x91\x00\x01\x00")[::2])


def test_a_bytearray_cannot_shrink_under_the_reader(core):
    data = bytearray(ormsgpack.packb([ormsgpack.Ext(1, b"x"), "abc"]))

    def hook(code, content):
        try:
            data.clear()
        except BufferError:
            return "held"
        return "cleared"

    try:
        result = Serializer(__unpack_ext_hook__=hook).loads_typed(("msgpack", data))
    except DecodeError:
        return
    assert result[0] in ("held", "cleared")
