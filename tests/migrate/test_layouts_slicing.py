"""Cutting a checkpoint into its values' bytes, whatever the bytes claim."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from lgckpt.errors import DecodeError
from lgckpt.migration.langgraph.msgpack import end_of, map_header
from lgckpt.migration.langgraph.slicing import cut, join, typed, untyped
from lgckpt.serde import Serializer

SERDE = Serializer()
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | st.text(max_size=40) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20)
    | st.dictionaries(st.text(max_size=5), inner, max_size=20),
    max_leaves=30,
)  # fmt: skip
values = st.dictionaries(st.text(max_size=8), plain, max_size=20)


def packed(value: Any) -> bytes:
    tag, data = SERDE.dumps_plain(value)
    assert tag == "msgpack"
    return data


def whole(values: Any) -> dict[str, Any]:
    return {"v": 4, "id": "1", "channel_values": values, "channel_versions": {"a": 1}}


@settings(max_examples=40)
@given(values, values)
def test_a_checkpoint_is_cut_where_its_values_end(now: dict[str, Any], then: Any) -> None:
    found = cut(packed(whole(now)), {k: packed([v])[1:] for k, v in then.items()})
    assert found == cut(packed(whole(now)))
    bare = {k: v for k, v in whole(now).items() if k != "channel_values"}
    assert found.bare == packed(bare)
    assert [*found.values] == [*now]
    for channel, data in found.values.items():
        assert typed(data) == SERDE.dumps_plain(now[channel])
        assert untyped(typed(data)) == data
    assert join(found.bare, found.values) == packed(whole(now))


@settings(max_examples=40)
@given(st.lists(plain, max_size=40), st.lists(plain, max_size=40))
def test_a_list_that_grew_is_found_by_the_one_before(before: list[Any], more: list[Any]) -> None:
    earlier = {"a": packed(before)}
    for now in ([*before, *more], before[: len(before) // 2], [*more, *before]):
        assert cut(packed(whole({"a": now})), earlier).values == {"a": packed(now)}


def test_objects_are_slices_too() -> None:
    message = HumanMessage("hello", id="1")
    found = cut(packed(whole({"a": [message, {1, 2}], "b": message})))
    assert found.values == {"a": packed([message, {1, 2}]), "b": packed(message)}


def test_no_values_and_none() -> None:
    assert cut(packed(whole(None))).values == {}
    assert cut(packed({"id": "1"})) == (packed({"id": "1"}), {})


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_cut(data: bytes) -> None:
    try:
        found = cut(data)
    except DecodeError:
        return
    assert end_of(found.bare, 0) == len(found.bare)


@settings(max_examples=40)
@given(values, st.data())
def test_damage_is_refused_or_cut(now: dict[str, Any], data: Any) -> None:
    whole_bytes = bytearray(packed(whole(now)))
    at = data.draw(st.integers(0, len(whole_bytes) - 1))
    whole_bytes[at] = data.draw(st.integers(0, 255))
    with suppress(DecodeError):
        cut(bytes(whole_bytes), {"a": b"\x91"})
    with pytest.raises(DecodeError):
        cut(packed(whole(now))[:at])


@pytest.mark.parametrize(
    "hostile",
    [
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xaechannel_values\xdf\xff\xff\xff\xff",
        b"\x81\xaechannel_values\x81\xa1a\xdd\xff\xff\xff\xff",
        b"\x81\xaechannel_values\x81\xa1a\xc6\xff\xff\xff\xff",
        b"\x81\xaechannel_values\x81\xa1a" + b"\x91" * 100_000,
        b"\x81\xaechannel_values\x81\xa1a" + b"\xdd\xff\xff\xff\xff" * 100_000,
        b"\x81\xa2id\xc1",
        b"\x81\x01\x02",
        b"\x82\xa2id\x01\xa2id\x02",
        b"\x81\xa2id\x01\x00",
        b"\xc0",
        b"",
    ],
)
def test_hostile_lengths_and_depths_take_no_memory(hostile: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(DecodeError):
            cut(hostile, {"a": b"\x90"})
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("pairs", [0, 15, 16, 65535, 65536])
def test_headers_of_maps(pairs: int) -> None:
    assert (
        map_header(pairs) == packed({str(i): None for i in range(pairs)})[: len(map_header(pairs))]
    )
