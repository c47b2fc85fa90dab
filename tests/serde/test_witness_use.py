"""Which values are packed beside earlier ones, and which are left to the plain way."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde import jsonplus

import lgckpt.core
import lgckpt.packing
from lgckpt import _fallback
from lgckpt.packing import INLINE_MAX, Packer
from lgckpt.serde import Serializer

from . import types_of as t
from .channel import chat


@pytest.fixture
def packing(compiled, monkeypatch):
    """Values are split by the compiled core too."""
    monkeypatch.setattr(lgckpt.packing, "core", compiled)


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
    values = [[2**70], {"k": "x" * INLINE_MAX}]
    assert serde.dumps_plain(values)[0] == "pickle"
    assert serde.dumps_tree(values, lgckpt.core.core.Tree(b"\xc0", True)) is None


def test_another_serializer_is_not_gone_past(compiled):
    class Own(Serializer):
        def dumps_typed(self, obj):
            return "own", b"x" * 5000

    tree = lgckpt.core.core.Tree(b"\xc0", True)
    assert Packer(Own(), None).value(chat(10), tree).value.tag == "own"


@pytest.mark.parametrize("count", [1, 30])
def test_a_packed_value_is_the_same_with_and_without_an_earlier_one(packing, count):
    packer = Packer(Serializer(), "lz4")
    messages = chat(count)
    assert (count > 1) == (len(packer.dumps(messages)[1]) > INLINE_MAX)
    tree = lgckpt.core.core.Tree(b"\xc0", True)
    for _ in range(3):
        fresh, beside = packer.value(messages), packer.value(messages, tree)
        assert beside.value == fresh.value
        assert (beside.tree is None) == (fresh.tree is None) == (count == 1)
        tree = beside.tree or tree


def test_elements_that_are_packed_as_fast_as_looked_at_are_left_to_the_plain_way(packing):
    packer = Packer(Serializer(), None)
    for values, beside in (([[i] for i in range(3000)], False), (chat(30), True)):
        tree = packer.value(values).tree
        tree = packer.value(values, tree).tree
        assert (packer.value(values, tree).tree.proved > 0) is beside
