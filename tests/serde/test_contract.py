"""LangGraph's contract beyond the bytes: allowlists, events, hooks, tags, compression."""

import copy
import json
import logging
import pickle
import secrets
from importlib import import_module

import lz4.frame
import ormsgpack
import pytest
import zstandard
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde import jsonplus
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.event_hooks import register_serde_event_listener
from langgraph.checkpoint.serde.jsonplus import InvalidModuleError, JsonPlusSerializer

import lgckpt.core
from lgckpt.errors import ConfigurationError, DecodeError, EncodeError
from lgckpt.serde import Serializer

from . import models_of as m
from . import types_of as t
from .compare import same
from .corpus import DATACLASSES, MODELS, NOW

UNREGISTERED = [
    t.Plain(1, "x", t.Frozen(2)),
    m.Flat(a=1, b="x"),
    t.Color.RED,
    NOW,
    HumanMessage("x"),
]


def events_of(serde, written):
    """What listeners hear of one reading."""
    heard = []
    forget = register_serde_event_listener(heard.append)
    try:
        value = serde.loads_typed(written)
    finally:
        forget()
    return heard, value


CONFIGS = {
    "permissive": True,
    "strict": None,
    "one class": [t.Plain],
    "by name": [(t.__name__, "Frozen"), (m.__name__, "Flat")],
    "all": [t.Plain, t.Frozen, m.Flat, t.Color],
    "empty": [],
}


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("warm", [False, True])
def test_events_values_and_logs(name, warm, core, caplog):
    mine = Serializer(allowed_msgpack_modules=CONFIGS[name])
    their = JsonPlusSerializer(allowed_msgpack_modules=CONFIGS[name])
    written = their.dumps_typed(UNREGISTERED * 2)
    if warm:
        mine.loads_typed(written)
    my_events, my_value = events_of(mine, written)
    their_events, their_value = events_of(their, written)
    assert my_events == their_events
    assert same(my_value, their_value)


@pytest.mark.parametrize("name", CONFIGS)
def test_each_class_is_warned_of_once(name, core, caplog):

    def logged(serde):
        caplog.clear()
        jsonplus._warned_unregistered_types.clear()
        jsonplus._warned_blocked_types.clear()
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                serde.loads_typed(written)
        return [record.getMessage() for record in caplog.records]

    written = JsonPlusSerializer().dumps_typed(UNREGISTERED)
    mine = logged(Serializer(allowed_msgpack_modules=CONFIGS[name]))
    assert mine == logged(JsonPlusSerializer(allowed_msgpack_modules=CONFIGS[name]))


def test_an_allowlist_added(core):
    serde = Serializer("zstd", allowed_msgpack_modules=None, min_size=0)
    written = serde.dumps_typed([t.Plain(1, "x")])
    assert serde.loads_typed(written) == [{"a": 1, "b": "x", "c": None}]
    wider = serde.with_msgpack_allowlist([t.Plain])
    assert type(wider) is Serializer
    assert wider.compression == "zstd"
    assert wider.loads_typed(written) == [t.Plain(1, "x")]
    assert serde.loads_typed(written) == [{"a": 1, "b": "x", "c": None}]
    assert wider.with_msgpack_allowlist([t.Plain]) is wider
    widest = wider.with_msgpack_allowlist([(t.__name__, "Frozen")])
    mixed = [t.Plain(1, "x"), t.Frozen(1)]
    assert same(
        widest.loads_typed(serde.dumps_typed(mixed)),
        JsonPlusSerializer(allowed_msgpack_modules=[t.Plain, t.Frozen]).loads_typed(
            JsonPlusSerializer().dumps_typed(mixed)
        ),
    )


def test_permissive_is_its_own_widening(core):
    serde = Serializer(allowed_msgpack_modules=True)
    assert serde.with_msgpack_allowlist([t.Plain]) is serde


def test_a_copy_works(core):
    serde = Serializer("lz4")
    twin = copy.copy(serde)
    assert twin.loads_typed(serde.dumps_typed([t.Plain(1, "x")])) == [t.Plain(1, "x")]


def test_a_hook_of_the_users(core):
    def hook(code, data):
        return code, bytes(data)

    mine, their = Serializer(__unpack_ext_hook__=hook), JsonPlusSerializer(__unpack_ext_hook__=hook)
    written = mine.dumps_typed([{1}, t.Plain(1, "x")])
    assert mine.loads_typed(written) == their.loads_typed(written)
    assert mine.with_msgpack_allowlist([t.Plain]).loads_typed(written) == their.loads_typed(written)


def test_a_failing_hook(core):
    def hook(code, data):
        raise KeyError("x")

    serde = Serializer(__unpack_ext_hook__=hook)
    with pytest.raises(DecodeError) as raised:
        serde.loads_typed(serde.dumps_typed([{1}]))
    assert isinstance(raised.value, ormsgpack.MsgpackDecodeError)
    assert isinstance(raised.value.__cause__, KeyError)


def test_a_hook_set_later(core):
    serde = Serializer()
    written = serde.dumps_typed([{1}])
    assert serde.loads_typed(written) == [{1}]
    serde._unpack_ext_hook = lambda code, data: "hooked"
    assert serde.loads_typed(written) == ["hooked"]


def test_isinstance(core):
    assert isinstance(Serializer(), JsonPlusSerializer)


class _Cipher:
    def encrypt(self, plaintext):
        return "xor", bytes(byte ^ 0x55 for byte in plaintext)

    def decrypt(self, ciphername, ciphertext):
        assert ciphername == "xor"
        return bytes(byte ^ 0x55 for byte in ciphertext)


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_encryption_over_ours(compression, core):
    serde = EncryptedSerializer(_Cipher(), Serializer(compression, min_size=10))
    value = {"m": [HumanMessage("x" * 100)] * 10}
    tag, data = serde.dumps_typed(value)
    assert tag == ("msgpack+xor" if compression is None else f"msgpack.{compression}+xor")
    assert serde.loads_typed((tag, data)) == value
    if compression is None:
        assert (
            EncryptedSerializer(_Cipher(), JsonPlusSerializer()).loads_typed((tag, data)) == value
        )


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("value", ["text " * 200, b"x" * 2000, bytearray(b"y" * 2000), [NOW] * 100])
def test_compression(codec, value, core):
    serde = Serializer(codec)
    plain = Serializer()
    tag, data = serde.dumps_typed(value)
    base, content = plain.dumps_typed(value)
    assert tag == f"{base}.{codec}"
    assert len(data) < len(content)
    for reader in (serde, plain, Serializer("lz4"), Serializer("zstd")):
        assert same(reader.loads_typed((tag, data)), value)
    assert serde.dumps_plain(value) == (base, bytes(content))


def test_small_and_stubborn_payloads_stay_plain(core):
    for codec in ("lz4", "zstd"):
        assert Serializer(codec).dumps_typed("short")[0] == "msgpack"
        assert Serializer(codec, min_size=10**6).dumps_typed("x" * 1000)[0] == "msgpack"

        assert Serializer(codec).dumps_typed(secrets.token_bytes(5000))[0] == "bytes"
        assert Serializer(codec).dumps_typed(None) == ("null", b"")
        assert Serializer(codec, min_size=0).dumps_typed(None) == ("null", b"")


def test_the_other_core_reads_what_one_compressed(monkeypatch):

    serdes = []
    for name in ("lgckpt._core", "lgckpt._fallback"):
        monkeypatch.setattr(lgckpt.core, "core", import_module(name))
        serdes += [Serializer("lz4"), Serializer("zstd")]
    value = [HumanMessage("hello " * 50, id=str(i)) for i in range(50)]
    for writer in serdes:
        for reader in serdes:
            assert reader.loads_typed(writer.dumps_typed(value)) == value


def test_standard_frames(core):

    value = "text " * 200
    plain = Serializer().dumps_typed(value)[1]
    assert lz4.frame.decompress(Serializer("lz4").dumps_typed(value)[1]) == plain
    assert zstandard.decompress(Serializer("zstd").dumps_typed(value)[1]) == plain


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_damaged_compressed_payloads(codec, core):
    serde = Serializer(codec)
    tag, data = serde.dumps_typed("text " * 200)
    for end in range(0, len(data), 3):
        with pytest.raises(DecodeError):
            serde.loads_typed((tag, data[:end]))


def test_no_such_compression(core):
    with pytest.raises(ConfigurationError):
        Serializer("brotli")


@pytest.mark.parametrize("tag", ["nonsense", "msgpack.brotli", "pickle", "msgpack+aes", ".lz5", ""])
def test_unknown_tags(tag, core):
    with pytest.raises(NotImplementedError):
        Serializer().loads_typed((tag, b"\x01"))


def test_pickle(core):
    with pytest.raises(EncodeError):
        Serializer().dumps_typed([1j])
    serde, their = Serializer(pickle_fallback=True), JsonPlusSerializer(pickle_fallback=True)
    assert serde.dumps_typed([1j]) == their.dumps_typed([1j])
    assert serde.loads_typed(("pickle", pickle.dumps(1j))) == 1j
    assert serde.dumps_typed([1]) == ("msgpack", b"\x91\x01")
    packed = Serializer("zstd", pickle_fallback=True).dumps_typed([1j] * 500)
    assert packed[0] == "pickle.zstd"
    assert serde.loads_typed(packed) == [1j] * 500


def lc2(module, name, **kwargs):
    return {"lc": 2, "type": "constructor", "id": [*module.split("."), name], "kwargs": kwargs}


JSON = {
    "plain": {"a": [1, None, "x"]},
    "lc1": dumpd(AIMessage("hi")),
    "safe": lc2("langchain_core.messages.human", "HumanMessage", content="x"),
    "unsafe": lc2(t.__name__, "Plain", a=1, b="x"),
    "broken": lc2("langchain_core.messages.human", "HumanMessage", nonsense=1),
}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("allowed", [None, True, [(*t.__name__.split("."), "Plain")]])
@pytest.mark.filterwarnings("ignore:The function `load`")
def test_the_old_json_tag(name, allowed, core):
    written = ("json", json.dumps(JSON[name]).encode())
    mine = Serializer(allowed_json_modules=allowed)
    their = JsonPlusSerializer(allowed_json_modules=allowed)
    try:
        expected = their.loads_typed(written)
    except Exception as error:
        with pytest.raises(type(error)):
            mine.loads_typed(written)
    else:
        assert same(mine.loads_typed(written), expected)


def test_json_compressed_and_too_deep(core):
    serde = Serializer("zstd")

    assert serde.loads_typed(("json.zstd", zstandard.compress(b"[1]"))) == [1]
    with pytest.raises((DecodeError, InvalidModuleError)):
        serde.loads_typed(("json", b"[" * 100_000))


def test_plain_results_do_not_alias(core):
    data = bytearray(b"abc")
    _, plain = Serializer().dumps_plain(data)
    data[0] = 0
    assert plain == b"abc"


def test_values_of_one_run_do_not_mix(core):
    serde = Serializer()
    values = [*DATACLASSES.values(), *MODELS.values()]
    for value in values:
        their = JsonPlusSerializer().dumps_typed(value)
        assert serde.dumps_typed(value) == their
