"""With an encrypting serializer nothing stored is plain text of a value, or a hash of it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt
from lgckpt.core import core
from lgckpt.errors import FrameError
from lgckpt.rows import hashes
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import Thread
from tests.colours import Coloured
from tests.contract.graphs import Runner, replayed
from tests.contract.stored import Stored, stored

pytestmark = pytest.mark.anyio

SECRET = "the launch code"
INNER = {"official": JsonPlusSerializer, "ours": lgckpt.Serializer}


@pytest.fixture(params=INNER)
def inner(request: pytest.FixtureRequest) -> Any:
    return INNER[request.param]()


@pytest.fixture
def saver(backend: Backend, inner: Any) -> Iterator[Saver]:
    serde = EncryptedSerializer.from_pycryptodome_aes(serde=inner, key=b"0123456789abcdef")
    with backend.open(serde=serde) as opened:
        yield opened


def _everything(found: Stored) -> bytes:
    """All that is stored, as it is and unsealed, in one piece."""
    cells = [cell for row in (*found.checkpoints, *found.writes) for cell in row]
    cells += [cell for chunks in found.chunks.values() for pair in chunks.items() for cell in pair]
    parts = []
    for cell in cells:
        data = cell if isinstance(cell, bytes) else str(cell).encode()
        parts.append(data)
        try:
            parts.append(core.unseal(data))
        except FrameError:
            continue
    return b"\xff\xff".join(parts)


def _windows(everything: bytes) -> set[bytes]:
    """Every eight bytes in a row."""
    return {everything[i : i + 8] for i in range(len(everything) - 7)}


def _hashes_of(data: bytes) -> Iterator[bytes]:
    """What `lgckpt` or anybody would hash these bytes to, the first eight of each."""
    for level in (0, 1, 2, 255):
        yield core.hash_chunk(level, data)[:8]
    for size in (8, 16, 20, 32, 64):
        yield hashlib.blake2b(data, digest_size=size).digest()[:8]
    yield hashlib.sha256(data).digest()[:8]


def _pieces(value: Any, inner: Any) -> Iterator[bytes]:
    """The plain bytes of a value, and of every piece that it could be split into."""
    plain = bytes(inner.dumps_typed(value)[1])
    yield plain
    tree = core.Tree(plain, True)
    for _, frame in tree.unsent([], None)[0]:
        yield core.unseal(frame)
    yield tree.tail


def _values() -> dict[str, Any]:
    rng = random.Random(1)
    words = [SECRET, "attack at dawn", "a secret of no length at all"]
    return {
        "small": SECRET,
        "medium": {"note": SECRET * 20},
        "large": [{"id": i, "text": rng.choice(words) * 9} for i in range(400)],
        "document": f"{SECRET} and more. " * 1000,
    }


async def test_nothing_stored_holds_plain_text_or_its_hash(coloured: Coloured, inner: Any) -> None:
    values = _values()
    thread = Thread(coloured)
    await thread.put(values, note=SECRET)
    at = await thread.put({"n": 1, "large": [*values["large"], SECRET]}, note=SECRET)
    await coloured.put_writes(at, [("w", value) for value in values.values()], "task")
    await coloured.copy_thread("t", "copy")
    await coloured.prune(["t"])
    everything = _everything(stored(coloured.saver))
    for word in (SECRET, "attack at dawn", "no length at all"):
        assert word.encode() not in everything
    windows = _windows(everything)
    for value in (*values.values(), [*values["large"], SECRET], {"note": SECRET}):
        for piece in _pieces(value, inner):
            assert windows.isdisjoint(_hashes_of(piece))
    assert await thread.state() == thread.values


async def test_hidden_rows_of_a_pruned_thread_hold_none_either(coloured: Coloured) -> None:
    runner = Runner(coloured, replayed(1000, supersteps=1))
    await runner.invoke({"turn": 0, "log": [SECRET]}, "t")
    live = (await runner.state("t")).values
    await coloured.prune(["t"])
    assert SECRET.encode() not in _everything(stored(coloured.saver))
    assert (await runner.state("t")).values == live


async def test_equal_values_do_not_look_equal(coloured: Coloured) -> None:
    for name in ("a", "b"):
        await Thread(coloured, name).put({"large": _values()["large"]})
        await Thread(coloured, name, ns="sub").put({"large": _values()["large"]})
    found = stored(coloured.saver)
    names = [h for row in found.checkpoints for h in hashes(row.refs)]
    assert len(names) == len(set(names)) >= 4


async def test_plain_text_is_found_where_nothing_encrypts(backend: Backend, inner: Any) -> None:
    """The search above finds what there is to find."""
    with backend.open(serde=inner, compression=None) as opened:
        await Thread(Coloured(opened, "sync")).put(_values(), note=SECRET)
        everything = _everything(stored(opened))
        assert SECRET.encode() in everything
        windows = _windows(everything)
        pieces = [piece for value in _values().values() for piece in _pieces(value, inner)]
        assert not all(windows.isdisjoint(_hashes_of(piece)) for piece in pieces)
