"""That the common types take the native path, and changes to classes are seen."""

import dataclasses
import enum
import importlib
import sys
import types

import pydantic
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from lgckpt._serde import langgraph as host
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t
from .compare import same
from .corpus import MESSAGES, NOW

NATIVE = {
    "human": HumanMessage("hi", id="1"),
    "human blocks": MESSAGES["human blocks"],
    "system": SystemMessage("s"),
    "ai": MESSAGES["ai"],
    "ai details": MESSAGES["ai details"],
    "ai metadata": MESSAGES["ai metadata"],
    "tool": ToolMessage("res", tool_call_id="c1"),
    "tool artifact": ToolMessage("res", tool_call_id="c1", artifact={"a": [1, NOW]}),
    "flat": m.Flat(a=1, b="x"),
    "nested": m.Nested(flat=m.Flat(a=1, b="x"), many=[m.Flat(a=1, b="x")]),
    "plain": t.Plain(1, "x", [1]),
    "frozen slots": t.FrozenSlots(1, "x"),
    "slots": t.Slots(1),
    "datetime": NOW,
    "set": {1, 2},
}


def calls(function, *args):
    """The Python functions that a call runs."""
    seen = []

    def note(frame, event, _arg):
        if event == "call":
            seen.append(
                frame.f_code.co_qualname
                if hasattr(frame.f_code, "co_qualname")
                else frame.f_code.co_name
            )

    sys.setprofile(note)
    try:
        function(*args)
    finally:
        sys.setprofile(None)
    return seen


def test_the_installed_langgraph_is_known():
    assert host.ENCODER_KNOWN
    assert host.HOOK_KNOWN


@pytest.mark.parametrize("name", NATIVE)
def test_common_values_run_no_python(name, compiled):
    serde = Serializer()
    value = [NATIVE[name]]
    packed = serde.dumps_plain(value)[1]
    serde.loads_typed(("msgpack", packed))
    assert not calls(serde._encode, value)
    decode = serde._decoder[1]
    inner = [name for name in calls(decode, packed) if name.rpartition(".")[2] != "unpack"]
    assert not inner


@pytest.fixture
def module():
    """A module whose classes the tests replace."""
    name = "lgckpt_test_module"
    module = types.ModuleType(name)
    sys.modules[name] = module
    yield module
    del sys.modules[name]


def put(module, cls):
    cls.__module__ = module.__name__
    setattr(module, cls.__name__, cls)
    return cls


def agree(value):
    """Both serializers write the same and read the same, before and after the caches are warm."""
    mine, their = Serializer(), JsonPlusSerializer()
    for _ in range(3):
        written = their.dumps_typed(value)
        assert mine.dumps_typed(value) == written
        assert same(mine.loads_typed(written), their.loads_typed(written))
    return written


def test_a_class_redefined_under_its_name(core, module):
    def first():
        @dataclasses.dataclass
        class Thing:
            a: int

        return Thing

    def second():
        @dataclasses.dataclass
        class Thing:
            a: int
            b: int = 7

        return Thing

    old = put(module, first())
    written = agree(old(1))
    new = put(module, second())
    agree(new(1, 2))
    assert Serializer().loads_typed(written) == new(1, 7)
    agree(old(1))


def test_a_module_replaced(core, module):
    @dataclasses.dataclass
    class Thing:
        a: int

    put(module, Thing)
    written = agree(Thing(1))
    other = types.ModuleType(module.__name__)

    @dataclasses.dataclass(frozen=True)
    class Other:
        a: int

    other.Thing = Other
    sys.modules[module.__name__] = other
    assert Serializer().loads_typed(written) == Other(1)


def test_a_class_renamed(core, module):
    cls = put(module, pydantic.create_model("Thing", a=(int, ...)))
    agree(cls(a=1))
    module.Renamed = cls
    cls.__name__ = "Renamed"
    agree(cls(a=1))
    cls.__module__ = "elsewhere"
    agree(cls(a=1))


def test_methods_patched_later(core, module):
    class Model(pydantic.BaseModel):
        a: int

    put(module, Model)
    plain = agree(Model(a=1))
    Model.model_dump = lambda self: {"a": 99}
    assert agree(Model(a=1)) != plain
    del Model.model_dump
    agree(Model(a=1))
    original = Model.__init__
    Model.__init__ = lambda self, **kwargs: original(self, a=kwargs["a"] + 1)
    agree(Model(a=1))


def test_base_model_patched_later(core, monkeypatch):
    value = m.Flat(a=1, b="x")
    agree(value)
    monkeypatch.setattr(pydantic.BaseModel, "model_dump", lambda self: {"a": 5, "b": "patched"})
    agree(value)
    monkeypatch.undo()
    agree(value)


def test_dataclass_patched_later(core, module):
    @dataclasses.dataclass
    class Thing:
        a: int

    put(module, Thing)
    agree(Thing(1))
    Thing.__init__ = lambda self, a: setattr(self, "a", a + 1)
    agree(Thing(1))
    Thing.dict = lambda self: {"a": 5}
    agree(Thing(1))


def test_model_rebuilt_later(core, module):
    class Model(pydantic.BaseModel):
        a: int

    put(module, Model)
    agree(Model(a=1))
    Model.model_fields["a"].exclude = True
    Model.model_rebuild(force=True)
    agree(Model(a=1))


def test_langgraph_patched(core, monkeypatch):
    class Special:
        pass

    original = jsonplus._msgpack_default

    def default(obj):
        return "special" if isinstance(obj, Special) else original(obj)

    serde = Serializer()
    monkeypatch.setattr(jsonplus, "_msgpack_default", default)
    assert serde.loads_typed(serde.dumps_typed([Special()])) == ["special"]


def test_enum_redefined(core, module):
    put(module, enum.Enum("Thing", {"A": 1}))
    written = agree(module.Thing.A)
    put(module, enum.Enum("Thing", {"B": 1}))
    assert Serializer().loads_typed(written) is module.Thing.B


def test_many_short_lived_classes(core, module):
    for number in range(3000):
        cls = put(module, dataclasses.make_dataclass("Thing", [(f"f{number}", int)]))
        serde = Serializer()
        assert serde.loads_typed(serde.dumps_typed(cls(number))) == cls(number)


def test_reading_does_not_import_through_the_cache(core):
    written = JsonPlusSerializer().dumps_typed(t.Plain(1, "x"))
    serde = Serializer()
    serde.loads_typed(written)
    module = sys.modules.pop(t.__name__)
    try:
        loaded = serde.loads_typed(written)
        assert type(loaded) is importlib.import_module(t.__name__).Plain
        assert type(loaded) is not t.Plain
    finally:
        sys.modules[t.__name__] = module


def test_mutation_between_two_calls_is_seen(core):
    serde = Serializer()
    message = AIMessage("a", additional_kwargs={"k": {"n": 1}})
    model = m.Flat(a=1, b="x")
    before = serde.dumps_typed([message, model])
    message.content = "b"
    message.additional_kwargs["k"]["n"] = 2
    model.a = 5
    after = serde.dumps_typed([message, model])
    assert before != after
    assert same(serde.loads_typed(after), [message, model]) or serde.loads_typed(after) == [
        message,
        model,
    ]
    model.__dict__["stray"] = 1
    agree([model])
