"""The one-call way of small rows gives what the general way gives: same bytes, same reads."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from typing import Any, ClassVar
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base.id import uuid6
from pydantic import BaseModel

import lgckpt
from lgckpt.core import core
from lgckpt.errors import CorruptCheckpointError, UnsupportedFormatError
from lgckpt.hints import Hints
from lgckpt.packing import SETTLE_MIN, Packer
from lgckpt.reading import read_tuple
from lgckpt.rows import CheckpointKey, Loaded, whole
from lgckpt.small import bind_small
from tests.checkpoints import checkpoint
from tests.contract.both_ways import Both, Oddity

pytestmark = pytest.mark.skipif(
    not hasattr(core.ObjectEncoder, "row"), reason="the pure Python core has the general way only"
)

CHANNELS = ["a", "b", "ü", "branch:to:x"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=200),
    st.binary(max_size=100),
    st.lists(st.integers(-9, 9), max_size=5).map(tuple),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
    st.sampled_from(
        [
            HumanMessage("hi", id="1"),
            AIMessage("x" * 1500, id="2"),
            datetime(2026, 1, 2, tzinfo=timezone.utc),
            UUID(int=7),
            {1, 2},
            bytearray(b"mutable"),
        ]
    ),
)
STEP = st.tuples(
    st.dictionaries(st.sampled_from(CHANNELS), VALUES),
    st.sets(st.sampled_from(CHANNELS)),
    st.dictionaries(st.sampled_from(["source", "step", "run_id"]), st.text(max_size=9)),
    st.one_of(st.just(Oddity.NONE), st.sampled_from(Oddity)),
)
CODECS = st.sampled_from(["lz4", "zstd", None])


@settings(deadline=None, max_examples=150)
@given(st.lists(STEP, min_size=1, max_size=6), CODECS, st.booleans())
def test_both_ways_give_the_same_rows_and_reads(
    steps: list[Any], codec: str | None, stays: bool
) -> None:
    both = Both(codec, stays=stays)
    for updates, gone, metadata, oddity in steps:
        both.put(updates, gone, metadata, oddity)


@settings(deadline=None, max_examples=150)
@given(st.lists(STEP, min_size=1, max_size=12), CODECS, st.booleans())
def test_so_they_do_for_a_wide_state(steps: list[Any], codec: str | None, stays: bool) -> None:
    both = Both(codec, stays=stays, channels=40)
    for updates, gone, metadata, oddity in steps:
        both.put(updates, gone, metadata, oddity)


@pytest.mark.parametrize("channels", [0, 40])
@pytest.mark.parametrize("earlier", Oddity)
def test_so_they_do_after_any_two_oddities(earlier: Oddity, channels: int) -> None:
    for oddity in Oddity:
        both = Both("lz4", stays=True, channels=channels)
        both.put({"first": 1, "last": 2}, {"without"}, {})
        both.put({"last": 3}, set(), {}, earlier)
        both.put({"last": 4}, set(), {}, oddity)
        both.put({"last": 5}, set(), {})


def test_a_wide_state_that_stays_is_told_by_its_parents() -> None:
    both = Both("lz4", stays=True, channels=40)
    for step in range(200):
        both.put({"other 3": step, "other 13": [step]}, {"other 4"}, {"step": step})
    assert both.taken == 201
    # Of 64 by one another, that is: then one is written out.
    assert both.built == 200 - 200 // 65


def test_it_takes_less_room_so_however_much_its_nodes_have_seen() -> None:
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    names = [f"channel {n}" for n in range(60)]
    versions = {name: f"{n:032}.{random.Random(n).random()}" for n, name in enumerate(names)}
    seen = {f"node {n}": {name: versions[name]} for n, name in enumerate(names)}
    values = dict.fromkeys(names, "a sentence")
    with lgckpt.MemorySaver() as saver:
        for step in range(20):
            new = {names[step]: f"{step + 60:032}.{random.Random(step).random()}"}
            versions = {**versions, **new}
            seen = {**seen, f"node {step}": new}
            made = checkpoint(values, channel_versions=versions, versions_seen=seen)
            config = saver.put(config, made, {"step": step}, new if step else versions)
        rows = list(saver._handle.storage._all["t"].rows.values())[1:]
        sizes = [(len(row.state), len(whole(row).state)) for row in rows]
    assert len(sizes) == 19
    assert all(told < written for told, written in sizes)


def test_so_it_is_beside_channels_without_a_value() -> None:
    both = Both("lz4", stays=True, channels=40)
    both.put({}, {"other 3", "other 23"}, {})
    for step in range(5):
        both.put({"other 33": step}, set(), {})
    assert (both.taken, both.built) == (7, 6)


def test_one_that_does_not_stay_and_a_narrow_one_are_written_out() -> None:
    for both in (Both("lz4", channels=40), Both("lz4", stays=True, channels=31)):
        for step in range(5):
            both.put({"other 3": step}, set(), {})
        assert (both.taken, both.built) == (6, 0)


@pytest.mark.parametrize("stays", [False, True])
def test_names_that_are_other_objects_lose_no_value_that_is_not_given_again(stays: bool) -> None:
    """A graph that goes on reads its versions anew; a DeltaChannel gives no value for a while."""
    both = Both("lz4", stays=stays)
    both.put({"delta": "kept", "other": 0}, {f"none {n}" for n in range(40)}, {})
    both.put({"other": 1}, set(), {}, Oddity.EQUAL_NAMES)
    both.put({"other": 2}, set(), {}, Oddity.FEWER_VALUES)
    assert both.taken == 3
    hint = both.small.get("t", "", f"{both.step:036}")
    assert hint is not None
    assert "delta" in hint.values


def test_after_such_names_states_are_told_by_their_parents_again() -> None:
    both = Both("lz4", stays=True, channels=40)
    both.put({"other 4": 0}, set(), {}, Oddity.EQUAL_NAMES)
    assert both.built == 0
    for step in range(5):
        both.put({"other 4": step}, set(), {})
    assert (both.taken, both.built) == (7, 5)


class Meddling(BaseModel):
    """Changes a dict while it is packed, as another thread might."""

    versions: ClassVar[dict[str, str]] = {}
    step: int

    def model_dump(self, **kwargs: Any) -> dict[str, Any]:
        self.versions[f"late {self.step}"] = "9"
        return super().model_dump(**kwargs)


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("count", [3, 40])
def test_versions_that_change_while_values_are_packed_leave_a_row_that_is_read(
    stays: bool, count: int
) -> None:
    packer, hints = Packer(lgckpt.Serializer(), "lz4", stays=stays), Hints()
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    versions = {f"channel {n}": "1" for n in range(count)}
    fresh = dict(versions)
    for step in range(3):
        Meddling.versions = dict(versions)
        made = checkpoint({"channel 1": Meddling(step=step)}, channel_versions=Meddling.versions)
        key = CheckpointKey("t", "", made["id"])
        small = bind_small(packer, config, key, made, {}, fresh, hints)
        assert f"late {step}" in Meddling.versions
        assert small is not None
        found = read_tuple(packer, Loaded(whole(small.put.row), (), {}), None)
        assert found.checkpoint["channel_versions"] == versions == small.hint.versions
        hints.put("t", "", small.hint)
        config = {"configurable": {**config["configurable"], "checkpoint_id": made["id"]}}
        fresh = {"channel 1": str(step + 2)}
        versions = {**versions, **fresh}


def test_what_it_is_told_by_outlives_its_row() -> None:
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    names = [f"channel {n}" for n in range(50)]
    values, versions = dict.fromkeys(names, 0), dict.fromkeys(names, "1")
    with lgckpt.MemorySaver() as saver:
        new = versions
        for step in range(40):
            made = checkpoint(values, channel_versions=versions)
            run = {"step": step, "run_id": "first" if step < 20 else "second"}
            config = saver.put(config, made, run, new)
            new = {names[step]: str(step + 2)}
            values, versions = {**values, names[step]: step}, {**versions, **new}
        rows = saver._handle.storage._all["t"].rows
        assert sum(type(row.state) is not bytes for row in rows.values()) == 39
        saver.delete_for_runs(["first"])
        rows = saver._handle.storage._all["t"].rows
        assert [type(row.state) for row in rows.values()] == [bytes] * 20
        found = list(saver.list({"configurable": {"thread_id": "t"}}))
        more = saver.put(config, {**made, "id": str(uuid6())}, {}, {})
        assert saver.get_tuple(more).checkpoint["channel_values"] == {**values, names[39]: 0}
    assert [one.metadata["step"] for one in found] == list(reversed(range(20, 40)))
    assert found[0].checkpoint["channel_values"] == {**values, names[39]: 0}


def test_the_one_call_way_is_taken_where_it_can_be() -> None:
    both = Both("lz4")
    for step in range(5):
        both.put({"a": step, "b": None}, set(), {"source": "loop"})
        both.put({"ü": "text"}, {"b"}, {"run_id": "r"})
    assert both.taken == 10


def test_versions_may_become_longer() -> None:
    both = Both(None)
    both.step = 10**32 - 2
    both.put({"first": 1, "last": 1}, set(), {})
    for step in range(3):
        both.put({"first": step}, set(), {})
    assert both.taken == 4


def test_it_is_taken_again_after_a_value_that_was_large() -> None:
    both = Both(None)
    both.put({"a": [f"{i} " * 50 for i in range(500)]}, set(), {})
    both.put({"a": 1}, set(), {})
    assert both.taken == 0
    both.put({"b": 2}, set(), {})
    assert both.taken == 1


@pytest.mark.parametrize("oddity", [Oddity.NONE, Oddity.EQUAL_NAMES])
def test_it_is_not_for_a_value_that_is_too_long_to_be_carried_on(oddity: Oddity) -> None:
    both = Both(None)
    both.put({"first": 1, "long": "x" * (SETTLE_MIN + 1)}, set(), {})
    both.put({"first": 2}, set(), {}, oddity)
    assert both.taken == 1


@pytest.mark.parametrize("where", ["state", "metadata"])
def test_every_flipped_bit_is_read_or_named_as_before(where: str) -> None:
    both = Both("lz4")
    both.put({"a": 1, "b": None}, set(), {"source": "input", "step": 1})
    packer, rng = both.packer, random.Random(5)
    hint = both.small.get("t", "", f"{1:036}")
    assert hint is not None
    with lgckpt.MemorySaver() as saver:
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        saver.put(config, checkpoint(both.values, id=f"{1:036}"), {"source": "input"}, {"a": "1"})
        row = saver._handle.storage.get("t", "", None, lambda _: b"").row
    frame = getattr(row, where)
    for _ in range(200):
        damaged = bytearray(frame)
        damaged[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        with pytest.raises((CorruptCheckpointError, UnsupportedFormatError)):
            read_tuple(packer, Loaded(row._replace(**{where: bytes(damaged)}), (), {}), None)


def test_a_serializer_that_reads_in_its_own_way_is_asked_for_every_value() -> None:
    class Own(lgckpt.Serializer):
        def loads_typed(self, data: tuple[str, bytes]) -> Any:
            found = super().loads_typed(data)
            return "mine" if found == "theirs" else found

    assert Packer(Own(), None).rows is None
    with lgckpt.MemorySaver(serde=Own()) as saver:
        config = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
        stored = saver.put(config, checkpoint({"a": "theirs"}), {}, {"a": "1"})
        assert saver.get_tuple(stored).checkpoint["channel_values"] == {"a": "mine"}


def test_what_the_caller_changes_after_a_put_was_refused_is_not_stored() -> None:
    """The parent was replaced elsewhere: the put is bound again, to what it was given at first."""
    values = {"a": [1], "b": [2]}
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    with lgckpt.MemorySaver() as saver:
        versions = {"a": "1", "b": "1"}
        first = checkpoint(values, channel_versions=versions)
        stored = saver.put(config, first, {}, versions)
        hint = saver._handle.hints.get("t", "", first["id"])
        assert hint is not None
        hint.etag = b"another!"
        storage, put = saver._handle.storage, saver._handle.storage.put

        def changing(request: Any) -> bool:
            values["b"].append("changed")
            return put(request)

        storage.put = changing
        versions = {**versions, "b": "2"}
        second = checkpoint(values, channel_versions=versions)
        stored = saver.put(stored, second, {}, {"b": "2"})
        found = saver.get_tuple(stored)
        assert found.checkpoint["channel_values"] == {"a": [1], "b": [2]}
        assert len(values["b"]) > 2
