"""With a serializer that is not ours, bytes are stored as it gives them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt
from lgckpt.errors import CorruptCheckpointError
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.sequences import Sequence
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, stored

pytestmark = pytest.mark.anyio

KIB = 1024


def _encrypting() -> SerializerProtocol:
    return EncryptedSerializer.from_pycryptodome_aes(key=b"0123456789abcdef")


class Reversing:
    """The least a serializer must have: it is of no known class."""

    def __init__(self) -> None:
        self._inner = JsonPlusSerializer()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        tag, data = self._inner.dumps_typed(obj)
        return f"reversed:{tag}", bytes(data)[::-1]

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return self._inner.loads_typed((data[0].removeprefix("reversed:"), data[1][::-1]))


class Tagged(lgckpt.Serializer):
    """Ours, but what it gives has changed."""

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        tag, data = super().dumps_typed(obj)
        return tag, bytes(data)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        return super().loads_typed(data)


SERDES = {
    "jsonplus": JsonPlusSerializer,
    "encrypted": _encrypting,
    "custom": Reversing,
    "subclass": Tagged,
    "compressing": lambda: lgckpt.Serializer(compression="zstd"),
}


@pytest.fixture(params=SERDES)
def serde(request: pytest.FixtureRequest) -> SerializerProtocol:
    made: SerializerProtocol = SERDES[request.param]()
    return made


@pytest.fixture
def saver(backend: Backend, serde: SerializerProtocol) -> Iterator[Saver]:
    with backend.open(serde=serde) as opened:
        yield opened


def _noise(seed: int, count: int = 300) -> list[dict[str, Any]]:
    """Some 60 KB that do not compress well."""
    rng = random.Random(seed)
    return [{"id": i, "text": f"{rng.getrandbits(700):x}"} for i in range(count)]


@pytest.mark.parametrize("seed", range(2))
async def test_random_runs_read_like_the_official_saver(coloured: Coloured, seed: int) -> None:
    official = Coloured(InMemorySaver(), "sync")
    sequence = Sequence(seed)
    for call in sequence.calls(40):
        assert await call.of(coloured) == await call.of(official), call
    coloured.saver._handle.hints.reset()
    for call in sequence.readings():
        assert await call.of(coloured) == await call.of(official), call


async def test_values_are_carried_and_reclaimed(coloured: Coloured) -> None:
    thread = Thread(coloured)
    messages = [HumanMessage(f"{i} " * 50, id=str(i)) for i in range(60)]
    for n in range(4):
        await thread.put({"n": n, f"large {n}": [*messages, n], "small": "s" * n})
    at = await thread.put({"last": None})
    await coloured.put_writes(at, [("large 0", messages), ("n", 1)], "task")
    coloured.saver._handle.hints.reset()
    assert await thread.state() == thread.values
    await coloured.prune(["t"])
    assert await thread.state() == thread.values
    assert (await coloured.get_tuple(at)).pending_writes == [
        ("task", "large 0", messages),
        ("task", "n", 1),
    ]
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)


async def test_an_unchanged_value_is_not_stored_again(coloured: Coloured) -> None:
    thread = Thread(coloured)
    await thread.put({"large": _noise(1), "n": 0})
    before = stored(coloured.saver).payload
    for n in range(1, 11):
        await thread.put({"n": n})
    assert stored(coloured.saver).payload - before < 10 * 2 * KIB


async def test_filters_read_the_metadata_it_wrote(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for n in range(4):
        await thread.put({}, n=n % 2)
    assert len(await coloured.list(config("t"), filter={"n": 1})) == 2


async def test_runs_are_found_and_deleted(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for run in ("a", "b"):
        await thread.put({"large": _noise(1)}, run_id=run)
    await coloured.delete_for_runs(["a"])
    assert [one.metadata["run_id"] for one in await coloured.list(None)] == ["b"]
    assert await thread.state() == thread.values


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", ["jsonplus", "encrypted", "custom"])
async def test_each_change_stores_the_value_again(backend: Backend, colour: str, name: str) -> None:
    """The cost of a serializer whose output cannot be split, as documented."""
    value = _noise(1)
    with backend.open(serde=SERDES[name]()) as opened:
        thread = Thread(Coloured(opened, colour))
        await thread.put({"large": value})
        before = stored(opened).payload
        for n in range(4):
            await thread.put({"large": [*value, n]})
        assert stored(opened).payload - before > 4 * 20 * KIB
        await thread.put({"large": []})
        opened.prune(["t"])
        assert stored(opened).payload < 2 * KIB


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("compression", ["lz4", "zstd", None])
async def test_ours_is_split_whatever_it_compresses(
    backend: Backend, colour: str, compression: Any
) -> None:
    """Bytes that were compressed first would share no chunk after a change."""
    value = _noise(1)
    with backend.open(serde=lgckpt.Serializer(compression=compression)) as opened:
        thread = Thread(Coloured(opened, colour))
        await thread.put({"large": value})
        before = stored(opened).payload
        for n in range(4):
            await thread.put({"large": [{"id": n}, *value, n]})
        assert stored(opened).payload - before < 4 * 6 * KIB
        assert await thread.state() == thread.values


@pytest.mark.parametrize("colour", COLOURS)
async def test_the_serializer_is_read_at_each_call(backend: Backend, colour: str) -> None:
    with backend.open() as opened:
        coloured = Coloured(opened, colour)
        thread = Thread(coloured)
        at = []
        for n, made in enumerate([lgckpt.Serializer, JsonPlusSerializer, _encrypting] * 2):
            opened.serde = made()
            if isinstance(opened.serde, EncryptedSerializer):
                reader = opened.serde
            at.append(
                (await thread.put({"n": n, f"large {n}": _noise(n, 60)}), dict(thread.values))
            )
            await coloured.put_writes(at[-1][0], [("w", _noise(n, 60))], "task")
        opened.serde = reader
        opened._handle.hints.reset()
        for n, (stored_at, values) in enumerate(at):
            found = await coloured.get_tuple(stored_at)
            assert found.checkpoint["channel_values"] == values
            assert found.pending_writes == [("task", "w", _noise(n, 60))]


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_wrong_key_is_an_error_that_names_the_checkpoint(
    backend: Backend, colour: str
) -> None:
    with backend.open(serde=_encrypting()) as opened:
        coloured = Coloured(opened, colour)
        stored_at = await Thread(coloured).put({"n": 1})
        opened.serde = EncryptedSerializer.from_pycryptodome_aes(key=b"another key 1234")
        with pytest.raises(CorruptCheckpointError) as caught:
            await coloured.get_tuple(stored_at)
        assert caught.value.checkpoint_id == stored_at["configurable"]["checkpoint_id"]
        assert caught.value.__cause__ is not None
