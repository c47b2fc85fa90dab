"""Lists packed beside earlier ones: what runs, changes or fails meanwhile, and is not proved."""

from __future__ import annotations

import contextlib
import datetime
import gc
import random
import sys
import threading
import uuid
from decimal import Decimal, localcontext

import pydantic
import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from lgckpt._serde import models
from lgckpt.errors import EncodeError

from . import models_of as m
from . import types_of as t
from .changes import ai_message


def test_cycles_and_deep_values_fail_as_ever(channel):
    values = [{"k": [i]} for i in range(10)]
    channel.put(values)
    values[3]["k"].append(values[3])
    channel.put(values)
    values[3]["k"].pop()
    for _ in range(80):
        values[4] = [values[4]]
    channel.put(values)
    assert channel.put(values) == 9
    for _ in range(300):
        values[4] = {"k": values[4]}
    channel.put(values)
    values[4] = None
    assert channel.put(values) == 9


def test_an_element_that_raises_now(channel):
    values = [{"k": [i]} for i in range(10)]
    channel.put(values)
    values[5]["k"][0] = 2**70
    with pytest.raises(EncodeError, match="64-bit"):
        channel.serde.dumps_tree(values, channel.tree)
    values[5]["k"][0] = 5
    assert channel.put(values) == 10


class Hook:
    """Runs code while it is packed."""

    def __init__(self) -> None:
        self.run = lambda: None

    def dict(self):
        self.run()
        return {}


@pytest.mark.parametrize("where", ["beside", "before", "within", "after"])
def test_code_that_packing_runs_changes_what_was_written(channel, where):
    hook = Hook()
    inner = ["old"]
    values = {
        "beside": [{"k": inner}, {"h": hook}, {"z": 1}],
        "before": [[hook], {"k": inner}, {"z": 1}],
        "within": [{"k": inner, "h": hook, "z": [inner]}, {"z": 1}],
        "after": [{"h": hook, "k": inner}, [1]],
    }[where]
    # Changed once the first was packed, which has the old text then, or the new one.
    hook.run = lambda: inner.__setitem__(0, "new")
    channel.tree = channel.serde.dumps_tree(values, channel.tree)
    hook.run = lambda: None
    channel.put(values)
    channel.put(values)
    assert b"new" in channel.tree.data
    assert b"old" not in channel.tree.data


def test_code_that_packing_runs_changes_the_list(channel):
    hook = Hook()
    values = [{"k": [i]} for i in range(10)]
    values.insert(5, {"h": hook})
    channel.put(values)
    hook.run = lambda: values.__delitem__(slice(3, None))
    with pytest.raises(EncodeError, match="list changed size"):
        channel.serde.dumps_tree(values, channel.tree)


def test_a_model_that_python_code_packs(channel):
    """Its fields stay as they are, and yet it is packed as something else."""
    unit = ["m"]

    class Length(pydantic.BaseModel):
        length: int

        @pydantic.field_serializer("length")
        def with_unit(self, length):
            return f"{length} {unit[0]}"

    values = [[1], Length(length=5), {"k": [Length(length=6)]}]
    channel.put(values)
    assert b"5 m" in channel.tree.data
    unit[0] = "ft"
    assert channel.put(values) == 1
    assert b"5 ft" in channel.tree.data
    assert b"6 ft" in channel.tree.data


def test_a_model_whose_plan_does_not_fit_its_fields(channel):
    """A model in place of a string is dumped by pydantic, and by what its class says."""
    unit = ["m"]

    class Length(pydantic.BaseModel):
        @pydantic.model_serializer
        def whole(self):
            return unit[0]

    values = [[1], m.Box[object].model_construct(value=Length())]
    channel.put(values)
    unit[0] = "ft"
    assert channel.put(values) == 1
    assert b"ft" in channel.tree.data


def test_code_that_plans_for_a_class_changes_what_was_written(channel, monkeypatch):
    class New(m.Flat):
        pass

    inner = ["old"]
    values = [{"k": inner, "m": New(a=1, b="x")}, [1]]
    original = models.encode_fields

    def encode_fields(cls):
        if cls is New:
            inner[0] = "new"
        return original(cls)

    monkeypatch.setattr(models, "encode_fields", encode_fields)
    channel.tree = channel.serde.dumps_tree(values, channel.tree)
    assert b"old" in channel.tree.data
    assert inner == ["new"]
    channel.put(values)
    assert b"new" in channel.tree.data


def test_a_finalizer_does_not_run_between_two_parts_of_an_element(channel):
    """Before Python 3.12 the collector runs in the middle of native code that makes a dict."""

    class Late:
        def __init__(self, inner):
            self.inner, self.me = inner, self

        def __del__(self):
            self.inner[0] = "new"

    class Unused(pydantic.BaseModel):
        """Its instances have no dict until someone asks for it."""

        a: int

    def without_dict():
        one = Unused.__new__(Unused)
        for name in ("__pydantic_extra__", "__pydantic_private__", "__pydantic_fields_set__"):
            object.__setattr__(one, name, None)
        object.__setattr__(one, "a", 1)
        return one

    inner = ["old"]
    channel.put([Unused(a=1), [1]])
    values = [{"k": inner, "models": [without_dict() for _ in range(90)], "z": inner}, [1]]
    threshold = gc.get_threshold()
    gc.collect()
    Late(inner)
    # Reached when about half of the models have got their dicts.
    gc.set_threshold(gc.get_count()[0] + 45)
    try:
        tree = channel.serde.dumps_tree(values, channel.tree)
    finally:
        gc.set_threshold(*threshold)
    assert tree.data.count(b"new") in (0, 2)
    gc.collect()
    assert inner == ["new"]
    channel.tree = tree
    channel.put(values)
    assert channel.tree.data.count(b"new") == 2
    assert gc.isenabled()


def test_a_class_that_changes(channel):
    class Own(HumanMessage):
        pass

    values = [Own("x" * 40, id=str(i)) for i in range(10)]
    channel.put(values)
    assert channel.put(values) == 10
    Own.model_dump = lambda self, **_: {"content": "mine"}
    assert channel.put(values) == 0
    del Own.model_dump
    channel.put(values)
    assert channel.put(values) == 10
    # Past the metaclass, which would make the class another version.
    vars(type)["__name__"].__set__(Own, "Renamed")
    assert channel.put(values) == 0
    assert b"Renamed" in channel.tree.data
    Own.__module__ = "elsewhere"
    assert channel.put(values) == 0
    assert b"elsewhere" in channel.tree.data


def test_a_class_within_an_element_that_changes(channel):
    class Inner(m.Flat):
        pass

    class Outer(m.BaseModel):
        inner: Inner

    values = [Outer(inner=Inner(a=i, b="x")) for i in range(10)]
    channel.put(values)
    assert channel.put(values) == 10
    Inner.late = 1
    assert channel.put(values) == 0


def test_an_object_of_another_class_in_the_same_shape(channel):
    values = [HumanMessage("x", id=str(i)) for i in range(10)]
    channel.put(values)
    object.__setattr__(values[3], "__class__", SystemMessage)
    assert channel.put(values) == 9


class Shifting(datetime.tzinfo):
    """A zone that may change after all."""

    hours = 1

    def utcoffset(self, _):
        return datetime.timedelta(hours=self.hours)


def test_values_that_look_unchangeable_and_are_not(channel):
    zone, one = Shifting(), uuid.UUID(int=1)
    values = [[datetime.datetime(2024, 1, 1, tzinfo=zone)], [one], [Decimal("1E+10")]]
    channel.put(values)
    zone.hours = 2
    channel.put(values)
    object.__setattr__(one, "int", 2)
    channel.put(values)
    with localcontext() as context:
        context.capitals = 0
        channel.put(values)
        assert b"1e+10" in channel.tree.data


NOT_PROVABLE = {
    "dataclass": lambda: t.Plain(1, "x", None),
    "enum": lambda: [t.Color.RED],
    "set": lambda: {1, 2},
    "bytearray": lambda: [bytearray(b"x")],
    "subclass of str": lambda: [t.Str("x")],
    "subclass of dict": lambda: t.Dict(a=1),
    "v1": lambda: t.V1Like(a=[1]),
    "uuid": lambda: [uuid.UUID(int=1)],
    "decimal": lambda: [Decimal("1.5E+10")],
    "zoned datetime": lambda: [datetime.datetime(2024, 1, 1, tzinfo=Shifting())],
    "datetime as a key": lambda: {datetime.datetime(2024, 1, 1): 1},
    "model without extra": lambda: m.Flat.__new__(m.Flat),
}


@pytest.mark.parametrize("name", NOT_PROVABLE)
def test_what_cannot_be_proved_is_packed_each_time(channel, name):
    values = [[1], NOT_PROVABLE[name](), [2]]
    channel.put(values)
    assert channel.put(values) == 2


def test_threads_that_change_what_is_packed(channel):
    rng = random.Random(7)
    values = [ai_message(rng) for _ in range(30)]
    stop = threading.Event()

    def change(seed):
        rng = random.Random(seed)
        while not stop.is_set():
            one = rng.choice(values)
            one.content = str(rng.random())
            one.additional_kwargs["more"] = {"a": [rng.random()]}
            one.additional_kwargs["more"]["a"].append({"k": rng.random()})
            object.__setattr__(one, "__dict__", dict(vars(one)))
            # Another thread may have taken one out meanwhile.
            with contextlib.suppress(IndexError):
                values[rng.randrange(len(values))] = ai_message(rng)
                values.append(values.pop(rng.randrange(len(values))))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=change, args=(seed,)) for seed in range(3)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(500):
            with contextlib.suppress(EncodeError):
                tree = channel.serde.dumps_tree(values, channel.tree)
                channel.serde.loads_typed(("msgpack", tree.data))
                channel.tree = tree
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    # Where nothing was proved for long, proofs are made now and then only.
    assert len(values) in [channel.put(values) for _ in range(20)]
