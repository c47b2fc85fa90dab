"""What a step does beside its results: which path it takes, what it calls, what it keeps."""

from __future__ import annotations

import gc
import operator
import os
import subprocess
import sys
import weakref
from collections import UserDict, defaultdict
from types import MappingProxyType
from typing import Any

import pytest
from langgraph import channels as theirs
from langgraph.channels.base import BaseChannel
from langgraph.pregel import _algo
from langgraph.pregel._algo import PregelTaskWrites, increment

from lgckpt import channels as ours
from lgckpt import pregel
from tests.channels.kinds import NATIVE

native = pytest.mark.skipif(not NATIVE, reason="only the compiled core has native functions")


def checkpoint(**versions: Any) -> Any:
    return {"channel_versions": versions, "versions_seen": {}, "channel_values": {}, "v": 4}


def task(name: str = "n", writes: Any = (), triggers: Any = ("t",)) -> PregelTaskWrites:
    return PregelTaskWrites(("__pregel_pull", name), name, writes, triggers)


@native
@pytest.mark.parametrize("module", [ours, theirs])
def test_langgraphs_function_is_not_called(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(_algo, "apply_writes")
    channels = {"a": module.LastValue(int), "b": module.Topic(int)}
    after = checkpoint(a=1)
    assert pregel.apply_writes(after, channels, [task(writes=[("a", 5)])], increment, {}) == {"a"}
    assert channels["a"].get() == 5
    assert after["channel_versions"] == {"a": 2}


@native
def test_one_channel_of_another_kind_leaves_the_rest_native(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(_algo, "apply_writes")
    delta = theirs.DeltaChannel(lambda state, writes: [*state, *writes])
    channels = {"d": delta, "a": ours.LastValue(int)}
    writes = [("d", 1), ("a", 2), ("d", 3)]
    assert pregel.apply_writes(checkpoint(), channels, [task(writes=writes)], increment, {}) == {
        "a",
        "d",
    }
    assert delta.get() == [1, 3]


@pytest.mark.parametrize("method", ["update", "is_available", "finish"])
def test_a_replaced_method_is_called(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    original = getattr(theirs.EphemeralValue, method)

    def replaced(self: Any, *args: Any) -> Any:
        heard.append(args)
        return original(self, *args)

    channels: Any = {"a": theirs.EphemeralValue(int)}
    steps = [task(writes=[("a", 1)])], [task()]
    for tasks in steps:
        pregel.apply_writes(checkpoint(), channels, tasks, increment, {})
    assert not heard
    monkeypatch.setattr(theirs.EphemeralValue, method, replaced)
    for tasks in steps:
        pregel.apply_writes(checkpoint(), channels, tasks, increment, {})
    monkeypatch.undo()
    called = len(heard)
    assert called > 0
    pregel.apply_writes(checkpoint(), channels, steps[0], increment, {})
    assert len(heard) == called


def test_channels_come_and_go_between_steps() -> None:
    channels: Any = {"a": ours.LastValue(int)}
    writes = [("a", 1)]
    for name in ("e", "f"):
        assert pregel.apply_writes(
            checkpoint(), channels, [task(writes=writes)], increment, {}
        ) == {"a"}
        channels[name] = ours.EphemeralValue(int)
        channels[name].update([1])
        pregel.apply_writes(checkpoint(), channels, [task()], increment, {})
        assert not channels[name].is_available()
        channels[name] = theirs.LastValue(int)
        channels[name].update([1])
        pregel.apply_writes(checkpoint(), channels, [task()], increment, {})
        assert channels.pop(name).get() == 1


@pytest.mark.parametrize("wrap", [MappingProxyType, UserDict, lambda it: defaultdict(list, it)])
def test_mappings_of_other_kinds(wrap: Any) -> None:
    channels = {"a": ours.LastValueAfterFinish(int)}
    given = checkpoint(a=1)
    given["versions_seen"] = defaultdict(dict)
    tasks = [task(writes=[("a", 1)], triggers=("a",))]
    assert pregel.apply_writes(given, wrap(channels), tasks, increment, wrap({"x": ["n"]})) == {"a"}
    assert given["versions_seen"]["n"] == {"a": 1}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_a_reducer_raises_comes_out(error: type[BaseException]) -> None:
    def reducer(old: int, new: int) -> int:
        raise error("stop")

    channels: Any = {"a": ours.BinaryOperatorAggregate(int, reducer), "b": ours.LastValue(int)}
    for _ in range(3):
        with pytest.raises(error, match="stop"):
            pregel.apply_writes(
                checkpoint(), channels, [task(writes=[("a", 1), ("b", 2)])], increment, {}
            )
    assert not channels["b"].is_available()
    good = [task(writes=[("b", 2)])]
    assert pregel.apply_writes(checkpoint(), channels, good, increment, {}) == {"b"}


def test_what_a_version_function_raises_comes_out() -> None:
    def refuse(current: Any, channel: None) -> Any:
        raise LookupError("no version")

    with pytest.raises(LookupError, match="no version"):
        pregel.apply_writes(checkpoint(), {}, [task()], refuse, {})


def test_a_reducer_may_run_a_step() -> None:
    def reducer(old: int, new: int) -> int:
        inner: Any = {"a": ours.LastValue(int)}
        writes = [("a", new)]
        assert pregel.apply_writes(checkpoint(), inner, [task(writes=writes)], increment, {}) == {
            "a"
        }
        return old + int(inner["a"].get())

    channels = {"a": ours.BinaryOperatorAggregate(int, reducer), "b": ours.LastValue(int)}
    writes = [("a", 1), ("b", 2), ("a", 3)]
    assert pregel.apply_writes(checkpoint(), channels, [task(writes=writes)], increment, {}) == {
        "a",
        "b",
    }
    assert channels["a"].get() == 4


@native  # LangGraph's own function then fails with a KeyError.
def test_a_reducer_may_empty_everything() -> None:
    def reducer(old: int, new: int) -> int:
        channels.clear()
        after.clear()
        writes.clear()
        return old + new

    channels: dict[str, BaseChannel[Any, Any, Any]] = {
        "a": ours.BinaryOperatorAggregate(int, reducer),
        **{f"c{index}": ours.EphemeralValue(int) for index in range(50)},
    }
    for index in range(50):
        channels[f"c{index}"].update([index])
    after, writes = checkpoint(a=1), [("a", 1), ("c1", 2)]
    tasks = [task(writes=writes)]
    assert "c1" in pregel.apply_writes(after, channels, tasks, increment, {})


@native  # LangGraph's own functions then fail with a RuntimeError.
def test_a_channel_may_change_the_mapping_it_is_in() -> None:
    class Greedy(theirs.LastValue[Any]):
        def checkpoint(self) -> Any:
            channels.clear()
            return 1

    def typ() -> int:
        specs.clear()
        return 5

    channels: Any = {"g": Greedy(int), "a": ours.LastValue(int), "b": ours.LastValue(int)}
    after = checkpoint(g=1, a=1)
    assert pregel.create_checkpoint(after, channels, 1)["channel_values"] == {"g": 1}
    specs: Any = {"r": ours.BinaryOperatorAggregate(Any, operator.add), "a": ours.LastValue(int)}
    specs["r"].typ = typ
    restored, _ = pregel.channels_from_checkpoint(specs, checkpoint())
    assert restored["r"].get() == 5
    assert set(restored) == {"r", "a"}


def test_a_first_value_is_found_behind_a_version_without_a_channel() -> None:
    channels: Any = {"a": ours.LastValue(int), "b": ours.LastValue(int)}
    for channel in channels.values():
        channel.update([1])
    before = {**checkpoint(a=1, gone=1, b=1), "channel_values": {"a": 1}}
    after = pregel.create_checkpoint(before, channels, 1)
    assert after["channel_values"] == {"a": 1, "b": 1}


def test_a_step_keeps_nothing() -> None:
    class Value:
        pass

    values = [Value()]
    channels: Any = {
        "a": ours.EphemeralValue(Value),
        "t": ours.Topic(Value),
        "s": theirs.BinaryOperatorAggregate(list, operator.add),
    }
    given = checkpoint()

    def step() -> None:
        writes = [("a", values[0]), ("t", [values[0]])]
        tasks = [task("x", writes, ["a"]), task("y", [("s", [])])]
        pregel.apply_writes(given, channels, tasks, increment, {"a": ["x"]})
        after = pregel.create_checkpoint(given, channels, 1)
        pregel.channels_from_checkpoint(channels, after)
        pregel.create_checkpoint(after, channels, 1)

    step()
    gc.collect()
    watched = [values[0], given, channels, channels["a"], type(channels["s"]), increment, "a"]
    before = [sys.getrefcount(it) for it in watched]
    for _ in range(500):
        step()
    gc.collect()
    after = [sys.getrefcount(it) for it in watched]
    assert max(abs(one - other) for one, other in zip(before, after, strict=True)) < 20
    gone = weakref.ref(values.pop())
    del watched
    pregel.apply_writes(given, channels, [task()], increment, {})
    assert gone() is None


class Renaming(dict[str, Any]):
    """A dict whose items are not found as a dict's are."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name.lower())


@native
def test_the_channels_of_an_accelerated_graph_are_taken_natively(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(_algo, "apply_writes")
    channels = pregel.Channels(a=theirs.LastValue(int))
    after = checkpoint(a=1)
    assert pregel.apply_writes(after, channels, [task(writes=[("a", 5)])], increment, {}) == {"a"}
    monkeypatch.setattr(pregel._checkpoint, "create_checkpoint", None)
    assert pregel.create_checkpoint(after, channels, 1)["channel_values"] == {"a": 5}


@native
def test_a_dict_with_its_own_items_goes_to_langgraphs_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_algo, "apply_writes", lambda *_: {"theirs"})
    channels = Renaming(a=theirs.LastValue(int))
    assert pregel.apply_writes(checkpoint(), channels, [task()], increment, {}) == {"theirs"}


CLEARING = """
from lgckpt import channels, pregel

class Name(str):
    __hash__ = str.__hash__

    def __eq__(self, other):
        held.clear()
        return str.__eq__(self, other)

def channel():
    made = channels.LastValue(object)
    made.update([object()])
    return made

first = "".join(["channel", " 0"])
held = pregel.Channels({first: channel(), **{f"channel {n}": channel() for n in range(1, 9)}})
last = {
    "channel_versions": {Name(first): "1"},
    "channel_values": {first: 0},
    "versions_seen": {},
    "v": 4,
}
print(list(pregel.create_checkpoint(last, held, 1)["channel_values"]))
"""


@native
def test_channels_that_go_while_they_are_looked_at_are_not_used_any_more() -> None:
    """In a process of its own, where the memory of what is gone is overwritten."""
    ran = subprocess.run(
        [sys.executable, "-c", CLEARING],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONMALLOC": "debug"},
    )
    assert (ran.returncode, ran.stdout) == (0, "['channel 0']\n"), ran.stderr
