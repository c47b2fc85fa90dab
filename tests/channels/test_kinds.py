"""Our classes are LangGraph's in all that can be seen of a class."""

from __future__ import annotations

import copy
import inspect
import operator
import pickle
from collections import deque
from collections.abc import Sequence
from types import MethodDescriptorType
from typing import Annotated, Any, get_args, get_origin

import pytest
from langgraph import channels as theirs
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.graph.state import _get_channel
from langgraph.types import Overwrite

from lgckpt import channels as ours
from tests.channels.kinds import CLASSES, KINDS, NATIVE, both, first_for, outcome, seen_of

METHODS = (
    "update", "get", "is_available", "checkpoint", "from_checkpoint", "copy", "consume", "finish",
)  # fmt: skip


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_a_subclass_of_langgraphs(name: str) -> None:
    mine, original = getattr(ours, name), getattr(theirs, name)
    assert issubclass(mine, original)
    assert issubclass(mine, theirs.BaseChannel)
    assert mine.__name__ == name
    assert mine.__doc__ == original.__doc__
    assert (mine is not original) is NATIVE
    assert inspect.signature(mine) == inspect.signature(original)
    others = {other for other in CLASSES if issubclass(mine, getattr(theirs, other))}
    assert others == {name}


@pytest.mark.skipif(not NATIVE, reason="without the core the classes are LangGraph's")
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_native(name: str, method: str) -> None:
    mine, original = getattr(ours, name), getattr(theirs, name)
    found = vars(mine)[method]
    assert type(found) is MethodDescriptorType
    assert found.__objclass__ is mine
    parameters = list(inspect.signature(found).parameters)
    assert parameters == list(inspect.signature(getattr(original, method)).parameters)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_generic(name: str) -> None:
    mine = getattr(ours, name)
    assert get_origin(mine[int]) is mine
    assert get_args(mine[int]) == (int,)
    extra = {"BinaryOperatorAggregate": [operator.add], "NamedBarrierValue": [{"a"}]}
    extra["NamedBarrierValueAfterFinish"] = extra["NamedBarrierValue"]
    assert type(mine[int](int, *extra.get(name, []))) is mine


@pytest.mark.parametrize("name", KINDS)
def test_types_equality_and_hash(name: str) -> None:
    mine, original = both(name)
    assert outcome(lambda: mine.ValueType) == outcome(lambda: original.ValueType)
    assert outcome(lambda: mine.UpdateType) == outcome(lambda: original.UpdateType)
    for other in KINDS:
        one, its_original = both(other)
        same = original == its_original
        assert (mine == one, mine == its_original, original == one) == (same, same, same)
    with pytest.raises(TypeError, match="unhashable"):
        hash(mine)
    with pytest.raises(AttributeError):
        mine.anything = 1


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies(name: str, duplicate: Any) -> None:
    mine, original = both(name)
    for channel in (mine, original):
        channel.update(first_for(name))
    assert seen_of(duplicate(mine)) == seen_of(duplicate(original))
    assert type(duplicate(mine)) is type(mine)


@pytest.mark.parametrize("name", KINDS)
def test_pickles(name: str) -> None:
    mine, original = both(name)
    for channel in (mine, original):
        channel.update(first_for(name))  # LangGraph's sentinel does not survive pickle.
    assert seen_of(pickle.loads(pickle.dumps(mine))) == seen_of(
        pickle.loads(pickle.dumps(original))
    )


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((), {}),
        ((), {"values": ["a"]}),
        ((), {"checkpoint": {"a"}}),
        ((["a"],), {"values": ["a"]}),
        ((), {"nothing": 1}),
        (([], []), {}),
        ((None,), {}),
        ((("a",),), {}),
        ((deque(["a"]),), {}),
        (("ab",), {}),
    ],
)
def test_calls_of_any_form(name: str, method: str, args: Any, kwargs: Any) -> None:
    mine, original = both(name)
    found = outcome(lambda: getattr(mine, method)(*copy.deepcopy(args), **kwargs))
    wanted = outcome(lambda: getattr(original, method)(*copy.deepcopy(args), **kwargs))
    if found[:2] == wanted[:2] == ("raises", TypeError):
        return  # The interpreter words what a method without arguments is given otherwise.
    assert found == wanted
    assert seen_of(mine) == seen_of(original)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("slot", ["typ", "key", "value", "values", "seen", "names", "operator"])
def test_deleted_attributes(name: str, method: str, slot: str) -> None:
    mine, original = both(name)
    if not hasattr(original, slot):
        return
    args = {"update": (["a"],), "from_checkpoint": (["a"],)}.get(method, ())
    for channel in (mine, original):
        delattr(channel, slot)
    found = outcome(lambda: getattr(mine, method)(*args))
    assert found == outcome(lambda: getattr(original, method)(*args))
    assert seen_of(mine) == seen_of(original)


@pytest.mark.parametrize("name", CLASSES)
def test_methods_take_only_their_own_kind(name: str) -> None:
    other = ours.LastValue(int) if name != "LastValue" else ours.AnyValue(int)
    with pytest.raises(TypeError) if NATIVE else pytest.raises((TypeError, AttributeError)):
        getattr(ours, name).update(object(), [1])
    if NATIVE:
        with pytest.raises(TypeError):
            getattr(ours, name).get(other)


def test_a_subclass_has_its_own_way() -> None:
    class Loud(ours.LastValue[Any]):
        __slots__ = ("heard", "value")

        def get(self) -> Any:
            return ("loud", super().get())

    loud = Loud(int, "k")
    assert loud.update([1])
    assert loud.value == 1
    assert loud.get() == ("loud", 1)
    assert type(loud.copy()) is Loud
    assert loud.from_checkpoint(5).get() == ("loud", 5)
    assert outcome(lambda: Loud(int, "k").update([1, 2])) == outcome(
        lambda: theirs.LastValue(int, "k").update([1, 2])
    )


def test_checkpoints_are_shared_as_langgraphs_are() -> None:
    for module in (ours, theirs):
        topic = module.Topic(int, accumulate=True)
        stored = [1]
        topic = topic.from_checkpoint(stored)
        assert topic.checkpoint() is stored
        topic.update([2, [3]])
        assert stored == [1, 2, 3]
        assert topic.get() is not stored
        topic.update([topic.values])
        assert topic.get() == [1, 2, 3, 1, 2, 3]
        barrier = module.NamedBarrierValue(str, {"a"})
        assert barrier.checkpoint() is barrier.seen
        assert barrier.copy().seen is not barrier.seen
        assert barrier.copy().names is barrier.names


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("BinaryOperatorAggregate add", _DeltaSnapshot([1, 2])),
        ("Topic", ({"a"}, [1, 2])),
        ("Topic", (1,)),
        ("LastValueAfterFinish", ["a", True]),
        ("LastValueAfterFinish", ("a", 1)),
        ("LastValueAfterFinish", "a"),
        ("NamedBarrierValueAfterFinish", [{"a"}, False]),
        ("NamedBarrierValueAfterFinish", ({"a", "b"}, True)),
        ("NamedBarrierValue", ["a", "b"]),
        ("NamedBarrierValue", frozenset({"a", "b"})),
        ("NamedBarrierValue", {"a", "b", "stray"}),
    ],
)
def test_checkpoints_of_every_form(name: str, stored: Any) -> None:
    mine, original = both(name)
    found = outcome(lambda: mine.from_checkpoint(stored))
    assert found == outcome(lambda: original.from_checkpoint(stored))
    if found[0] == "gives":
        restored, its = mine.from_checkpoint(stored), original.from_checkpoint(stored)
        for method in ("get", "is_available", "checkpoint", "finish", "get", "consume", "copy"):
            assert outcome(getattr(restored, method)) == outcome(getattr(its, method))


class Listish(list[int]):
    def __iter__(self) -> Any:
        return iter([70, 71])


class Posing:
    """Says it is a list, as proxies do."""

    __class__ = list  # type: ignore[assignment]

    def __iter__(self) -> Any:
        return iter([80])


class OverwriteOfMine(Overwrite):
    pass


class Dictish(dict[str, Any]):
    pass


@pytest.mark.parametrize("name", ["Topic", "Topic accumulating", "BinaryOperatorAggregate add"])
@pytest.mark.parametrize(
    "update",
    [
        Listish([1]),
        Posing(),
        OverwriteOfMine([5]),
        Dictish({"__overwrite__": [6]}),
        {"__overwrite__": [6]},
        {"__overwrite__": [6], "b": 1},
        {"type": "__overwrite__", "value": [7]},
        {"type": "__overwrite__"},
        {"type": 1, "value": [7]},
        {"type": "other", "value": [7]},
        {1: 2},
    ],
    ids=lambda update: f"{type(update).__name__} {update!r}"[:40],
)
def test_updates_of_every_form(name: str, update: Any) -> None:
    mine, original = both(name)
    for step in ([[1]], [update], [[2], update], [update, [3], update], [[4]]):
        found = outcome(lambda: mine.update(step))  # noqa: B023
        assert found == outcome(lambda: original.update(step))  # noqa: B023
        assert outcome(mine.checkpoint) == outcome(original.checkpoint)


def test_langgraph_finds_them_in_annotations() -> None:
    reducer = ours.BinaryOperatorAggregate(list, operator.add)
    assert _get_channel("a", Annotated[list, reducer]) is reducer
    assert reducer.key == "a"
    found = _get_channel("b", Annotated[int, ours.EphemeralValue])
    assert type(found) is ours.EphemeralValue
    assert (found.typ, found.key) == (int, "b")
    assert ours.Topic(int).ValueType == Sequence[int]
