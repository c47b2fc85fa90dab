"""Byte for byte what JsonPlusSerializer writes, and value for value what it reads."""

import datetime as dt
import warnings

import ormsgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from lgckpt.errors import EncodeError
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t
from .compare import same
from .corpus import VALUES
from .refused import REFUSED


def outcome(call, *args):
    """What a call gives, with the warnings it makes; or the class of what it raises."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return call(*args), [str(one.message) for one in caught]
        except Exception as error:
            return type(error), [str(one.message) for one in caught]


@pytest.mark.parametrize("name", VALUES)
def test_writes_the_same_bytes(name, ours, theirs):
    value = VALUES[name]
    assert outcome(ours.dumps_typed, value) == outcome(theirs.dumps_typed, value)
    assert outcome(ours.dumps_typed, [value, value]) == outcome(theirs.dumps_typed, [value, value])


@pytest.mark.parametrize("name", VALUES)
def test_reads_the_same_value(name, ours, theirs):
    written, _ = outcome(theirs.dumps_typed, [VALUES[name], 7])
    for _ in range(3):
        # The first time warns about the class; the second and third may take the fast path.
        mine, my_warnings = outcome(ours.loads_typed, written)
        their, their_warnings = outcome(theirs.loads_typed, written)
        assert same(mine, their), (mine, their)
        assert my_warnings == their_warnings


@pytest.mark.parametrize("name", VALUES)
def test_reads_the_same_value_in_strict_mode(name, core):
    mine = Serializer(allowed_msgpack_modules=None)
    their = JsonPlusSerializer(allowed_msgpack_modules=None)
    written, _ = outcome(their.dumps_typed, VALUES[name])
    assert same(outcome(mine.loads_typed, written)[0], outcome(their.loads_typed, written)[0])


@pytest.mark.parametrize("name", VALUES)
def test_is_read_by_jsonplus(name, ours, theirs):
    written, _ = outcome(ours.dumps_typed, VALUES[name])
    assert same(outcome(theirs.loads_typed, written)[0], outcome(ours.loads_typed, written)[0])


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_the_same_values(name, ours, theirs):
    with pytest.raises(ormsgpack.MsgpackEncodeError) as their:
        theirs.dumps_typed(REFUSED[name])
    with pytest.raises(EncodeError) as mine:
        ours.dumps_typed(REFUSED[name])
    assert isinstance(mine.value, ormsgpack.MsgpackEncodeError)
    assert str(mine.value) == str(their.value)


@pytest.mark.parametrize("value", [None, b"abc", b"", bytearray(b"x"), t.Bytes(b"sub")])
def test_tags_of_plain_bytes(value, ours, theirs):
    assert ours.dumps_typed(value) == theirs.dumps_typed(value)
    loaded = ours.loads_typed(ours.dumps_typed(value))
    assert same(loaded, theirs.loads_typed(theirs.dumps_typed(value)))
    tag, data = ours.dumps_plain(value)
    assert type(data) is bytes
    assert same(ours.loads_typed((tag, data)), theirs.loads_typed((tag, data)))


_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(st.characters(codec=None), max_size=40)
    | st.binary(max_size=40)
)
_keys = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(max_size=70)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
    max_leaves=4,
)
_objects = (
    st.datetimes(timezones=st.none() | st.just(dt.timezone.utc) | st.timezones())
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.decimals()
    | st.frozensets(st.integers(-5, 300), max_size=20)
    | st.sampled_from(list(t.Color))
)


def _composed(inner):
    text = st.text(max_size=20)
    plain = st.dictionaries(text, inner, max_size=4)
    return (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(_keys, inner, max_size=4)
        | plain
        | st.builds(t.Plain, st.integers(-9, 9), text, inner)
        | st.builds(t.FrozenSlots, st.integers(-9, 9), inner)
        | st.builds(m.Box, value=inner)
        | st.builds(HumanMessage, st.just("x"), additional_kwargs=plain, id=st.none() | text)
        | st.builds(ToolMessage, text, tool_call_id=text, artifact=inner)
        | st.builds(
            AIMessage,
            text,
            response_metadata=plain,
            tool_calls=st.lists(
                st.fixed_dictionaries(
                    {"name": text, "args": plain, "id": st.none() | text},
                    optional={"type": st.just("tool_call")},
                ),
                max_size=2,
            ),
        )
    )


_values = st.recursive(_scalars | _objects, _composed, max_leaves=15)
_settings = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_settings
@given(value=_values)
def test_any_value(value, ours, theirs):
    written = outcome(theirs.dumps_typed, value)
    assert outcome(ours.dumps_typed, value) == written or (
        written[0] is ormsgpack.MsgpackEncodeError
        and outcome(ours.dumps_typed, value)[0] is EncodeError
    )
    if isinstance(written[0], tuple):
        mine, their = outcome(ours.loads_typed, written[0]), outcome(theirs.loads_typed, written[0])
        assert same(mine[0], their[0])
        assert mine[1] == their[1]


@_settings
@given(value=_values)
def test_plain_codec(value, core):
    option = JsonPlusSerializer.dumps_typed.__globals__["_option"]
    default = lambda obj: ["default", type(obj).__name__]  # noqa: E731
    packed = ormsgpack.packb(value, default, option)
    assert core.encode(value, default) == packed
    assert same(core.decode(packed), ormsgpack.unpackb(packed, option=ormsgpack.OPT_NON_STR_KEYS))
