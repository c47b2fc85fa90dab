"""A list is packed beside an earlier one: the bytes are those of packing it afresh, always."""

from __future__ import annotations

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from lgckpt.serde import Serializer

from . import types_of as t
from .changes import element, step
from .channel import Channel, chat


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
