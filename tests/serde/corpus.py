"""Values by name: one of everything that JsonPlusSerializer takes, and of what it refuses."""

from __future__ import annotations

import array
import datetime as dt
import decimal
import ipaddress
import pathlib
import re
import uuid
import zoneinfo
from collections import Counter, defaultdict, deque
from typing import Any

import numpy as np
import ormsgpack
import pydantic
import pydantic.v1
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.store.base import Item
from langgraph.types import Command, Interrupt, Send

from . import models_of as m
from . import types_of as t

UTC = dt.timezone.utc
NOW = dt.datetime(2024, 2, 29, 12, 34, 56, 789)
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

SCALARS: dict[str, Any] = {
    **{f"int {n}": n for n in (0, 1, -1, 31, -32, -33, 127, 128, -128, -129, 255, 256, 32767)},
    **{f"int2 {n}": n for n in (-32768, -32769, 65535, 65536, 2**30, 2**30 - 1, -(2**30), 2**31)},
    **{f"int3 {n}": n for n in (-(2**31), -(2**31) - 1, 2**32 - 1, 2**32, 2**53, 2**60, 2**62)},
    **{f"int4 {n}": n for n in (2**63 - 1, 2**63, 2**64 - 1, -(2**63))},
    "true": True,
    "false": False,
    "float": 1.5,
    "nan": float("nan"),
    "inf": float("-inf"),
    "negative zero": -0.0,
    "empty str": "",
    **{f"str {n}": "x" * n for n in (1, 31, 32, 255, 256, 65535, 65536)},
    "latin": "\xe9" * 40,
    "latin highest": "\xff",
    "two bytes": "\u0100 \u20ac",
    "astral": "a\U0001f600" * 70,
    "null inside": "a\x00b",
    "surrogate": "a\ud800b",
    "surrogates": "\udcff" * 40,
    **{f"bytes {n}": [b"x" * n] for n in (0, 1, 255, 256, 65535, 65536)},
    "bytearray": [bytearray(b"abc"), bytearray()],
    "memoryview": [memoryview(b"abc"), memoryview(b"")],
    "memoryview of ints": [memoryview(array.array("i", [1, 2, 3]))],
}

CONTAINERS: dict[str, Any] = {
    "empty list": [],
    "empty dict": {},
    "empty tuple": (),
    **{f"list {n}": list(range(n)) for n in (15, 16, 65535, 65536)},
    **{f"dict {n}": {str(i): i for i in range(n)} for n in (15, 16, 65535, 65536)},
    "nested": {"a": [1, {"b": (2, [3])}]},
    "deep": __import__("functools").reduce(lambda inner, _: [inner], range(253), 1),
    "deepest": __import__("functools").reduce(lambda inner, _: {"k": inner}, range(254), 1),
    "ordered dict": t.ordered(),
    "defaultdict": defaultdict(list, a=[1]),
    "counter": Counter("aab"),
    "str subclass": t.Str("abc"),
    "str subclass surrogate": t.Str("\ud800"),
    "int subclass": t.Int(7),
    "list subclass": t.List([1]),
    "dict subclass": t.Dict(a=1),
    "set": {1, "a", (1, 2)},
    "frozenset": frozenset([1, 2]),
    "empty set": set(),
    "set subclass": t.Set([1]),
    "deque": deque([1, 2], maxlen=5),
    "same object twice": [[one := [1, 2]], one],
}

KEYS: dict[str, Any] = {
    "int key": {1: 2, -5: 1, 2**63: 0},
    "float key": {1.5: 1, float("nan"): 2},
    "bool key": {True: 1, False: 2},
    "none key": {None: 1},
    "bytes key": {b"a": 1},
    "tuple key": {(1, "a", (None, 2.5)): 1, (): 2},
    "tuple key with surrogate": {("\ud800",): 1},
    "str subclass key": {t.Str("k"): 1, t.Str("\ud800"): 2},
    "int subclass key": {t.Int(3): 1},
    "enum key": {t.Color.RED: 1, t.Color.PAIR: 2, t.Level.LOW: 3, t.Name.ANN: 4},
    "datetime key": {NOW: 1, dt.datetime(2020, 1, 1, tzinfo=UTC): 2},
    "date key": {dt.date(2020, 1, 1): 1},
    "time key": {dt.time(1, 2, 3, 4): 1},
    "uuid key": {ID: 1},
    "memoryview key": {memoryview(b"a"): 1},
    "mixed keys": {"a": 1, 2: {"b": {None: 1}}, (3,): 4},
    "long key": {"k" * 65: 1, "k" * 64: 2, "\xe9" * 20: 3},
}

OBJECTS: dict[str, Any] = {
    "datetime": NOW,
    "datetime whole": dt.datetime(1, 1, 1),
    "datetime utc": NOW.replace(tzinfo=UTC),
    "datetime utc-like": NOW.replace(tzinfo=dt.timezone(dt.timedelta(0), "x")),
    "datetime offset": NOW.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5, seconds=7))),
    "datetime zone": NOW.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Paris")),
    "datetime fold": NOW.replace(fold=1),
    "datetime max": dt.datetime.max,
    "date": dt.date(2024, 2, 29),
    "time": dt.time(1, 2, 3, 4, fold=1),
    "time zone": dt.time(1, tzinfo=UTC),
    "timedelta": dt.timedelta(days=-1, microseconds=5),
    "timezone": [UTC, dt.timezone(dt.timedelta(hours=2)), dt.timezone(dt.timedelta(hours=2), "X")],
    "zoneinfo": zoneinfo.ZoneInfo("UTC"),
    "uuid": ID,
    "decimal": [decimal.Decimal("1.50"), decimal.Decimal("NaN"), decimal.Decimal("-1E+5")],
    "path": [pathlib.Path("/a/b"), pathlib.PurePosixPath("x"), pathlib.Path()][:1],
    "pattern": [re.compile("a+", re.I), re.compile(b"x")],
    "ip": [
        ipaddress.ip_address("1.2.3.4"),
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_interface("10.0.0.1/8"),
        ipaddress.ip_address("::1"),
        ipaddress.ip_network("fe80::/10"),
        ipaddress.ip_interface("fe80::1/10"),
    ],
    "enum": [t.Color.RED, t.Color.PAIR, t.Flags.A | t.Flags.B],
    "int enum": t.Level.LOW,
    "str enum": t.Name.ANN,
    "enum with dict": t.DictEnum.ONE,
    "namedtuple": [t.Point(1, 2), t.Typed(1)],
    "send": [Send("node", {"a": 1}), Send("n", HumanMessage("hi"))],
    "interrupt": Interrupt(value={"q": 1}, id="abc"),
    "command": Command(update={"a": 1}, goto="x"),
    "item": Item(value={"a": 1}, key="k", namespace=("a", "b"), created_at=NOW, updated_at=NOW),
    "exceptions": [ValueError("x"), KeyError(1), Exception()],
    "delta snapshot": [_DeltaSnapshot([1, 2]), _DeltaSnapshot({"m": HumanMessage("x")})],
    "ext": ormsgpack.Ext(5, ormsgpack.packb(("builtins", "dict", {"a": 1}, "m"))),
    "secret": [pydantic.SecretStr("s"), pydantic.SecretBytes(b"s"), t.SecretLike(1)],
    "v1": t.V1Like(a=1, b=[2]),
    "document": Document(page_content="text", metadata={"a": 1}, id="x"),
    "set of objects": {ID, NOW, t.Frozen(1), t.Color.RED},
}

if hasattr(ormsgpack, "Fragment"):
    OBJECTS["fragment"] = [ormsgpack.Fragment(b"\x93\x01\x02\x03")]

ARRAYS: dict[str, Any] = {
    "array": np.arange(6, dtype="int32").reshape(2, 3),
    "array f": np.asfortranarray(np.ones((2, 3))),
    "array strided": np.arange(10)[::2],
    "array empty": np.zeros((0, 3)),
    "array scalar": np.array(5),
    "array strings": np.array(["a", "bc"]),
}

DATACLASSES: dict[str, Any] = {
    "plain": t.Plain(1, "b", [t.Plain(2, "c")]),
    "frozen": t.Frozen(1, (1, 2)),
    "slots": t.Slots(1, [1]),
    "frozen slots": t.FrozenSlots(1, {"a": 1}),
    "kw only": t.KwOnly(a=1, b=2),
    "mixed": t.Mixed(1, "b", e=[1]),
    "post init": t.PostInit(3),
    "init var": t.WithInitVar(3),
    "not init": t.NotInit(3),
    "class vars": t.ClassVars(3),
    "own init": t.OwnInit(3),
    "setattr": t.SetAttr(3),
    "getattr": t.GetAttr(3),
    "like send": t.LikeSend("a", 1),
    "like send hashable": t.LikeSendHashable("a", 1),
    "field named dict": t.FieldNamedDict(1),
    "property": t.Prop(1),
    "generic": t.GenericData([1]),
    "undecorated subclass": t.Undecorated(1, "x"),
    "pydantic dataclass": t.PydanticData(1),
    "objects inside": t.Plain(1, "x", {"when": NOW, "id": ID, "m": HumanMessage("x")}),
}


def _hooked(obj: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        object.__setattr__(obj, name, value)
    return obj


DATACLASSES |= {
    "instance dict": _hooked(t.Plain(1, "x"), dict=lambda: {"a": 5}),
    "instance model_dump": _hooked(t.Plain(1, "x"), model_dump=lambda: {"a": 5}),
    "instance node": _hooked(t.Plain(1, "x"), node="n", arg=1),
    "instance other": _hooked(t.Plain(1, "x"), other=1),
}

_FLAT = m.Flat(a=1, b="x")

MODELS: dict[str, Any] = {
    "flat": _FLAT,
    "flat all": m.Flat(a=1, b="\u20ac", c=2.5, d=True, e="e"),
    "nested": m.Nested(flat=_FLAT, maybe=_FLAT, many=[_FLAT, _FLAT], by_name={"k": _FLAT}),
    "nested child": m.Nested.model_construct(flat=m.Child(a=1, b="x"), many=[m.Child(a=1, b="x")]),
    "rich": m.Rich(
        when=NOW,
        day=NOW.date(),
        span=dt.timedelta(1),
        id=ID,
        amount="1.5",
        color=t.Color.RED,
        names={"a"},
        pair=(1, "a"),
        anything={"k": [NOW, (1, 2), None]},
        raw=b"r",
        path="/a",
        moment=dt.time(1),
    ),
    "aliased": m.Aliased(alpha=1),
    "by alias": m.ByAlias(alpha=1),
    "extra": [m.Extra(a=1), m.Extra(a=1, b=[2], c={"d": NOW})],
    "forbid": m.Forbid(a=1),
    "computed": m.Computed(a=1),
    "field serializer": m.FieldSer(a=1),
    "model serializer": m.ModelSer(a=1),
    "wrap serializer": m.WrapSer(a=1),
    "dump override": m.DumpOverride(a=1),
    "private": m.Private(a=1),
    "post init": m.PostInitModel(a=1),
    "frozen": m.FrozenModel(a=1),
    "strict": m.StrictModel(a=1, when=NOW),
    "before": m.Before(a=1),
    "after": m.After(a=1),
    "field validator": m.FieldVal(a=1),
    "stripped": m.Stripped.model_construct(a="  X "),
    "constrained": [m.Constrained(a=1, b="x"), m.Constrained.model_construct(a=-1, b="long")],
    "excluded": m.Excluded(a=1),
    "excluded if": [m.ExcludedIf(a=1), m.ExcludedIf(a=1, b=2)],
    "unions": [
        m.Unions(a=1),
        m.Unions(a="1", b=2, c=[1], d=b"x"),
        m.Unions(a="x", b=2.5, c={"a": 1}),
    ],
    "left to right": [m.LeftToRight(a="1"), m.LeftToRight.model_construct(a="1")],
    "zoo": m.Zoo(pet=m.Dog(), pets=[m.Cat(), m.Dog()]),
    "shelf": [
        m.Shelf(movie={"title": "x"}, movies=[{"title": "a", "year": 1}]),
        m.Shelf.model_construct(movie={"year": 1, "title": "x"}, movies=[]),
    ],
    "cages": m.Cages(cage={"cat": m.Cat(), "cats": {"a": [m.Cat(lives=1)], "b": []}}),
    "tree": m.Tree(value=1, children=[m.Tree(value=2)]),
    "generic": [m.Box[int](value=1), m.Box[list[str]](value=["a"])],
    "cached": [m.Cached(a=1), m.cached()],
    "root": m.Root([1, 2]),
    "own init": m.OwnInitModel(a=1),
    "own new": m.OwnNew(a=1),
    "child": m.Child(a=1, b="x"),
    "holds dataclass": m.HoldsDataclass(plain=t.Plain(1, "x"), anything=t.Plain(2, "y")),
    "enum values": m.UseEnumValues(color=t.Color.RED),
    "defaults": [m.Defaults(), m.Defaults(a=[1], c=t.Color.PAIR)],
    "secret": m.Secret(key="s"),
    "validated assign": m.ValidatedAssign(a=1),
    "getattribute": m.GetAttrModel(a=1),
    "constructed order": m.Flat.model_construct(b="x", a=1),
    "constructed missing": m.Flat.model_construct(a=1),
    "subclasses inside": m.Flat.model_construct(a=t.Int(1), b=t.Str("x")),
    "any": m.Box[Any](value={"a": (1, [2, {3: None}]), "e": t.Color.RED, "s": {1}}),
    "any model": m.Box[Any](value=_FLAT),
    "any dataclass": m.Box[Any](value=[t.Plain(1, "x")]),
}

_CALL = {"name": "search", "args": {"q": "x", "n": 1}, "id": "c1", "type": "tool_call"}
_BAD = {"name": "s", "args": "{", "id": "c2", "error": "bad", "type": "invalid_tool_call"}
_USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
_RAW = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}

MESSAGES: dict[str, Any] = {
    "human": HumanMessage("hi", id="1", name="ann"),
    "human blocks": HumanMessage([{"type": "text", "text": "x"}, "y"]),
    "human extra": HumanMessage("hi", custom=1, more=[1, {"a": 2}]),
    "human int id": HumanMessage("hi", id=5),
    "system": SystemMessage("be nice"),
    "ai": AIMessage("ok", tool_calls=[_CALL], usage_metadata=_USAGE, id="r"),
    "ai details": AIMessage(
        "",
        usage_metadata={
            **_USAGE,
            "input_token_details": {"cache_read": 1},
            "output_token_details": {"reasoning": 2, "audio": 0},
        },
    ),
    "ai usage extra": AIMessage("", usage_metadata={**_USAGE, "cost": 1.5}),
    "ai usage order": AIMessage.model_construct(
        content="", usage_metadata={"total_tokens": 3, "input_tokens": 1, "output_tokens": 2}
    ),
    "ai invalid": AIMessage("", tool_calls=[_CALL], invalid_tool_calls=[_BAD]),
    "ai provider calls": AIMessage("", additional_kwargs={"tool_calls": [_RAW]}),
    "ai provider calls kept": AIMessage.model_construct(
        content="",
        additional_kwargs={"tool_calls": [_RAW]},
        response_metadata={},
        type="ai",
        name=None,
        id=None,
        tool_calls=[],
        invalid_tool_calls=[],
        usage_metadata=None,
    ),
    "ai metadata": AIMessage("x", response_metadata={"model": "m", "n": {"a": [1, None]}}),
    "ai chunk": AIMessageChunk(
        "x", tool_call_chunks=[{"name": "f", "args": '{"a"', "id": "1", "index": 0}]
    ),
    "human chunk": HumanMessageChunk("x"),
    "tool": ToolMessage("res", tool_call_id="c1", name="search", status="error"),
    "tool artifact": ToolMessage("res", tool_call_id="c", artifact={"a": [1, NOW], "s": {1}}),
    "tool artifact model": ToolMessage("res", tool_call_id="c", artifact=_FLAT),
    "tool blocks": ToolMessage([{"type": "text", "text": "x"}, "y"], tool_call_id="c"),
    "remove": RemoveMessage(id="1"),
    "chat": ChatMessage("x", role="critic"),
    "function": FunctionMessage("x", name="f"),
    "many": [
        HumanMessage("a"),
        AIMessage("b", tool_calls=[_CALL]),
        ToolMessage("c", tool_call_id="c1"),
    ],
}


class UserMessage(HumanMessage):
    """A subclass of a user's, with a field of its own."""

    mood: str = "good"


MESSAGES["subclass"] = UserMessage("x", mood="bad")

VALUES: dict[str, Any] = {
    f"{group}: {name}": value
    for group, values in {
        "scalar": SCALARS,
        "container": CONTAINERS,
        "key": KEYS,
        "object": OBJECTS,
        "array": ARRAYS,
        "dataclass": DATACLASSES,
        "model": MODELS,
        "message": MESSAGES,
    }.items()
    for name, value in values.items()
}
