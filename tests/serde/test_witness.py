"""A list is packed beside an earlier one: the bytes are those of packing it afresh, always."""

from __future__ import annotations

import contextlib
import copy
import datetime
import gc
import random
import sys
import threading
import uuid
import weakref
from decimal import Decimal, localcontext

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langgraph.checkpoint.serde import jsonplus

import lgckpt.core
from lgckpt import _fallback
from lgckpt._serde import models
from lgckpt.errors import EncodeError
from lgckpt.packing import INLINE_MAX, Packer
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t
from .changes import ai_message, element, step


def outcome(call):
    """What a call gives, and what it says if it refuses."""
    try:
        return call(), None
    except EncodeError as error:
        return None, str(error)


class Channel:
    """A channel's values, each packed beside the one before; its tree is that of a fresh one."""

    def __init__(self, serde: Serializer) -> None:
        self.serde = serde
        self.core = lgckpt.core.core
        self.tree = self.core.Tree(b"", True)

    def put(self, value: list[object]) -> int:
        """Pack a value; gives how many elements were proved unchanged."""
        fresh, refused = outcome(lambda: self.serde.dumps_plain(value)[1])
        tree, refused_beside = outcome(lambda: self.serde.dumps_tree(value, self.tree))
        if tree is None:
            # A list that is left to the plain way, or one that neither can pack.
            assert refused_beside in (refused, None)
            tree = self.core.Tree(fresh, True, self.tree) if fresh is not None else self.tree
            self.tree = tree
            return 0
        assert refused is None
        assert tree.data == fresh
        alone = self.core.Tree(fresh, True)
        assert (tree.head, tree.refs, tree.tail) == (alone.head, alone.refs, alone.tail)
        self.tree = tree
        return tree.proved


@pytest.fixture
def channel(compiled):
    return Channel(Serializer())


def chat(count: int) -> list[object]:
    rng = random.Random(5)
    return [ai_message(rng) for _ in range(count)]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64), st.integers(0, 12), st.integers(1, 25))
def test_any_sequence_of_changes_gives_the_bytes_of_packing_afresh(seed, size, steps):
    pytest.importorskip("lgckpt._core")
    rng = random.Random(seed)
    value = [element(rng) for _ in range(size)]
    channel = Channel(Serializer())
    for _ in range(steps):
        channel.put(value)
        value = step(rng, value)
        if rng.random() < 0.4:
            channel.put(value)
    channel.put(value)


def test_what_was_appended_is_all_that_is_packed(channel):
    messages = chat(50)
    assert channel.put(messages[:20]) == 0
    for count in range(20, 51):
        assert channel.put(messages[:count]) == count - (count > 20)


CHANGES = {
    "content": lambda one: setattr(one, "content", "changed"),
    "content of the same length": lambda one: setattr(one, "content", one.content[:-1] + "!"),
    "id": lambda one: setattr(one, "id", "other"),
    "a key renamed": lambda one: one.additional_kwargs.update(
        other=one.additional_kwargs.pop("more")
    ),
    "additional_kwargs": lambda one: one.additional_kwargs.update(new=1),
    "nested dict": lambda one: one.additional_kwargs["more"].update(a=2),
    "nested list": lambda one: one.additional_kwargs["more"]["a"].append(3),
    "response_metadata": lambda one: one.response_metadata["logprobs"][0].update(token="b"),
    "tool_calls": lambda one: one.tool_calls.append(dict(one.tool_calls[0])),
    "tool call's id": lambda one: one.tool_calls[0].update(id="other"),
    "tool call's args": lambda one: one.tool_calls[0]["args"]["n"][1].update(deep=3),
    "invalid_tool_calls": lambda one: one.invalid_tool_calls.append({"name": "x"}),
    "usage_metadata": lambda one: one.usage_metadata.update(output_tokens=20),
    "usage details": lambda one: one.usage_metadata["input_token_details"].update(cache_read=2),
    "no usage": lambda one: setattr(one, "usage_metadata", None),
    "extra field": lambda one: object.__setattr__(one, "__pydantic_extra__", {"k": 1}),
    "field past pydantic": lambda one: object.__setattr__(one, "name", "n"),
    "field in the dict": lambda one: vars(one).update(name="n"),
    "another dict": lambda one: object.__setattr__(one, "__dict__", {**vars(one), "id": "z"}),
    "order of the dict": lambda one: object.__setattr__(
        one, "__dict__", dict(reversed(vars(one).items()))
    ),
    "order of a nested dict": lambda one: one.additional_kwargs.update(
        refusal=one.additional_kwargs.pop("refusal")
    ),
    "True for 1": lambda one: one.additional_kwargs["more"]["a"].__setitem__(0, True),
    "1.0 for 1": lambda one: one.additional_kwargs["more"]["a"].__setitem__(0, 1.0),
    "a set": lambda one: one.additional_kwargs.update(refusal={1}),
    "an object": lambda one: one.additional_kwargs.update(refusal=t.Plain(1, "x", None)),
    "a container in itself twice": lambda one: one.additional_kwargs.update(
        refusal=one.additional_kwargs["more"]
    ),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("index", [0, 7, 19])
def test_an_element_changed_in_place_is_packed_again_and_no_other(channel, name, index):
    messages = chat(20)
    channel.put(messages)
    before = channel.tree.data
    CHANGES[name](messages[index])
    assert channel.put(messages) == 19
    assert channel.tree.data != before
    still_provable = name not in ("a set", "an object")
    assert channel.put(messages) == 19 + still_provable


UNSEEN = {
    "fields_set": lambda one: one.model_fields_set.clear(),
    "private": lambda one: object.__setattr__(one, "__pydantic_private__", {"_x": 1}),
    "a copy of the dict": lambda one: object.__setattr__(one, "__dict__", dict(vars(one))),
    "a tuple for a list": lambda one: one.additional_kwargs["more"].update(a=(1, 2)),
    "no extra and an empty one": lambda one: object.__setattr__(one, "__pydantic_extra__", {}),
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_is_not_packed_may_change(channel, name):
    messages = chat(20)
    channel.put(messages)
    before = channel.tree.data
    UNSEEN[name](messages[3])
    channel.put(messages)
    assert channel.tree.data == before


def test_a_change_undone_is_no_change(channel):
    messages = chat(20)
    channel.put(messages)
    message = messages[4]
    for _ in range(3):
        before = message.content
        message.content = "other"
        assert channel.put(messages) == 19
        message.content = before
        assert channel.put(messages) == 19


def test_an_equal_string_in_place_of_another(channel):
    values = [{"k": "text " * 9, "n": [i]} for i in range(20)]
    channel.put(values)
    values[3]["k"] = "".join(list(values[3]["k"]))
    assert channel.put(values) == 19
    assert channel.put(values) == 20


MOVES = {
    "first dropped": (lambda v: v[1:], 29),
    "first ten dropped": (lambda v: v[10:], 20),
    "one in the middle dropped": (lambda v: v[:7] + v[8:], 29),
    "last dropped": (lambda v: v[:-1], 29),
    "one in front": (lambda v: [HumanMessage("new"), *v], 30),
    "two in the middle": (lambda v: [*v[:9], HumanMessage("a"), HumanMessage("b"), *v[9:]], 30),
    "one replaced": (lambda v: [*v[:9], HumanMessage("other"), *v[10:]], 29),
    "last replaced": (lambda v: [*v[:-1], HumanMessage("other")], 29),
    "window": (lambda v: [*v[5:], HumanMessage("new")], 25),
    "same again": (lambda v: v, 30),
    "shallow copies": (lambda v: [copy.copy(one) for one in v], 30),
    "scalars between": (lambda v: [v[0], 1, None, "x", *v[1:]], 30),
}


@pytest.mark.parametrize("name", MOVES)
def test_elements_that_moved_are_found(channel, name):
    move, proved = MOVES[name]
    messages = chat(30)
    channel.put(messages)
    assert channel.put(move(messages)) == proved


def test_many_new_elements_in_front_are_not_searched_for_one_by_one(channel):
    """The search is bounded: 200 times 2,000 addresses would be too many."""
    messages = [{"k": [i]} for i in range(2000)]
    channel.put(messages)
    assert channel.put([*({"new": [i]} for i in range(200)), *messages]) in (0, 2000)


@pytest.mark.parametrize("count", [14, 15, 16, 17, 65_534, 65_535, 65_536])
def test_the_header_grows_with_the_list(channel, count):
    values = [[i] for i in range(count)]
    channel.put(values)
    assert channel.put([*values, [0]]) == count
    assert channel.put(values) == count


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


@pytest.mark.parametrize("values", [[], [1] * 5000, ["x" * 3000], [1, [2]], [[1], 2]])
def test_lists_of_scalars_are_left_to_the_plain_way(channel, values):
    assert channel.serde.dumps_tree(values, channel.tree) is None


@pytest.mark.parametrize("value", [{"k": [1]}, ([1],), t.List([[1]]), None, b"x", AIMessage("x")])
def test_anything_but_a_list_is_left_to_the_plain_way(channel, value):
    assert channel.serde.dumps_tree(value, channel.tree) is None


def test_a_patched_encoder_is_asked(channel, monkeypatch):
    values = chat(10)
    channel.put(values)
    monkeypatch.setattr(jsonplus, "_msgpack_default", lambda _: None)
    assert channel.serde.dumps_tree(values, channel.tree) is None


def test_a_tree_of_the_other_core_is_no_witness(channel):
    assert channel.serde.dumps_tree(chat(10), _fallback.Tree(b"\xc0", True)) is None


def test_the_pure_core_packs_afresh(monkeypatch):
    monkeypatch.setattr(lgckpt.core, "core", _fallback)
    serde = Serializer()
    tree = _fallback.Tree(serde.dumps_plain(chat(10))[1], True)
    assert serde.dumps_tree(chat(10), tree) is None
    assert tree.proved == 0


def test_what_only_pickle_can_pack_is_pickled(compiled):
    serde = Serializer(pickle_fallback=True)
    packer = Packer(serde, None)
    values = [[object], {"k": "x" * INLINE_MAX}]
    tree = lgckpt.core.core.Tree(b"\xc0", True)
    assert packer.value(values, tree).value.tag == serde.dumps_plain(values)[0]


def test_another_serializer_is_not_gone_past(compiled):
    class Own(Serializer):
        def dumps_typed(self, obj):
            return "own", b"x" * 5000

    tree = lgckpt.core.core.Tree(b"\xc0", True)
    assert Packer(Own(), None).value(chat(10), tree).value.tag == "own"


@pytest.mark.parametrize("count", [1, 30])
def test_a_packed_value_is_the_same_with_and_without_an_earlier_one(compiled, count):
    packer = Packer(Serializer(), "lz4")
    messages = chat(count)
    assert (count > 1) == (len(packer.dumps(messages)[1]) > INLINE_MAX)
    tree = lgckpt.core.core.Tree(b"\xc0", True)
    for _ in range(3):
        fresh, beside = packer.value(messages), packer.value(messages, tree)
        assert beside.value == fresh.value
        assert (beside.tree is None) == (fresh.tree is None) == (count == 1)
        tree = beside.tree or tree


def test_messages_are_not_kept_alive(channel):
    messages = chat(20)
    channel.put(messages)
    assert channel.put(messages) == 20
    seen = [weakref.ref(one) for one in messages]
    gc.disable()
    try:
        messages.clear()
        assert [one() for one in seen] == [None] * 20
    finally:
        gc.enable()
    assert set(gc.get_referents(channel.tree)) <= {type(channel.tree)}


def test_what_is_kept_of_them_goes_with_the_tree(channel):
    text = "text " * 20
    key = "key " * 20
    values = [{"k": text, key: [text, i]} for i in range(50)]
    before = sys.getrefcount(text), sys.getrefcount(key)
    channel.put(values)
    held = sys.getrefcount(text), sys.getrefcount(key)
    assert held == (before[0] + 100, before[1] + 50)
    older = channel.tree
    for _ in range(3):
        channel.put(values)
    assert (sys.getrefcount(text), sys.getrefcount(key)) == held
    values[3]["k"] = "other"
    channel.put(values)
    del older
    assert sys.getrefcount(text) == held[0] - 2
    channel.tree = None
    assert (sys.getrefcount(text), sys.getrefcount(key)) == (before[0] - 1, before[1])


def test_a_failed_proof_and_a_failed_put_keep_nothing(channel):
    text = "text " * 20
    values = [{"k": text, "set": {1}}, [text, object]]
    before = sys.getrefcount(text)
    for _ in range(5):
        channel.put(values)
    values[1].append(2**70)
    for _ in range(5):
        channel.put([[text], *values])
    assert sys.getrefcount(text) == before


def test_the_memory_it_takes_is_counted(channel):
    messages = chat(200)
    plain = channel.core.Tree(channel.serde.dumps_plain(messages)[1], True)
    channel.put(messages)
    with_witness = channel.tree.nbytes
    assert plain.nbytes + len(plain.data) < with_witness < plain.nbytes + 4 * len(plain.data)
    channel.put(messages)
    assert channel.tree.nbytes == with_witness


def test_a_large_list_gets_a_witness_of_bounded_size(channel):
    limit = 16 * 1024 * 1024
    values = [{f"k{n}": [n] for n in range(100)} for _ in range(12_000)]
    channel.put(values)
    plain = channel.core.Tree(channel.tree.data, True)
    assert limit < channel.tree.nbytes - plain.nbytes < limit + 2 * 1024 * 1024
    proved = channel.put(values)
    assert 0 < proved < len(values)


def test_values_that_are_copied_at_every_step_soon_get_no_proofs(channel):
    messages = chat(20)
    plain = channel.core.Tree(channel.serde.dumps_plain(messages)[1], True).nbytes
    made = []
    for _ in range(60):
        messages = copy.deepcopy(messages)
        # Strings are not copied, so each gets another object for its content.
        for one in messages:
            one.additional_kwargs = {"k": [str(id(one))]}
        channel.put(messages)
        made.append(channel.tree.nbytes > plain + 2000)
    assert made[:2] == [True, True]
    assert 2 < sum(made) < 12
    proved = [channel.put(messages) for _ in range(20)]
    assert proved[-1] == 20


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
