"""`with_allowlist` gives a saver that differs in its serializer and shares everything else."""

from __future__ import annotations

import copy
import gc
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

import lgckpt
from lgckpt.errors import ClosedError
from tests.backends import Backend
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured
from tests.contract.test_values import Document

pytestmark = pytest.mark.anyio

ALLOWED = [(Document.__module__, Document.__name__)]


def _strict() -> lgckpt.Serializer:
    return lgckpt.Serializer(allowed_msgpack_modules=None)


@pytest.fixture(params=COLOURS)
def strict(request: pytest.FixtureRequest, backend: Backend):
    with backend.open(serde=_strict()) as opened:
        yield Coloured(opened, request.param)


def _clone(coloured: Coloured) -> Coloured:
    clone = coloured.saver.with_allowlist(ALLOWED)
    assert clone is not coloured.saver
    assert type(clone) is type(coloured.saver)
    return Coloured(clone, coloured.colour)


async def test_only_the_clone_restores_what_it_allows(strict: Coloured) -> None:
    document = Document(title="t", parts=["p"])
    await Thread(strict).put({"a": document, "b": [document] * 200})
    clone = _clone(strict)
    assert await Thread(clone).state() == {"a": document, "b": [document] * 200}
    found = await Thread(strict).state()
    assert not isinstance(found["a"], Document)
    assert await Thread(clone).state() == {"a": document, "b": [document] * 200}


async def test_a_clone_made_before_anything_is_open_shares_the_database(strict: Coloured) -> None:
    clone = _clone(strict)
    await Thread(clone).put({"n": 1})
    assert await Thread(strict).state() == {"n": 1}
    await strict.delete_thread("t")
    assert await clone.get_tuple(config("t")) is None


async def test_clones_share_what_is_remembered(strict: Coloured) -> None:
    clone = _clone(strict)
    stored = await Thread(strict).put({"n": 1})
    key = ("t", "", stored["configurable"]["checkpoint_id"])
    assert clone.saver._handle.hints.get(*key) is strict.saver._handle.hints.get(*key) is not None


async def test_collecting_a_clone_closes_nothing(strict: Coloured) -> None:
    await Thread(strict).put({"n": 1})
    clones = [_clone(strict) for _ in range(3)]
    assert [await Thread(one).state() for one in clones] == [{"n": 1}] * 3
    del clones
    gc.collect()
    assert await Thread(strict).state() == {"n": 1}
    await Thread(strict, "t2").put({"n": 2})


async def test_a_clone_outlives_the_saver_it_was_made_from() -> None:
    saver = lgckpt.SqliteSaver(":memory:", serde=_strict())
    clone = saver.with_allowlist(ALLOWED)
    await Thread(Coloured(saver, "sync")).put({"n": 1})
    del saver
    gc.collect()
    assert await Thread(Coloured(clone, "async")).state() == {"n": 1}
    clone.close()


async def test_closing_one_closes_all(strict: Coloured) -> None:
    clone = _clone(strict)
    await Thread(strict).put({"n": 1})
    clone.saver.close()
    with pytest.raises(ClosedError):
        await strict.get_tuple(config("t"))


async def test_a_clone_keeps_its_serializer_when_the_original_gets_another(
    strict: Coloured,
) -> None:
    document = Document(title="t")
    clone = _clone(strict)
    await Thread(strict).put({"a": document})
    strict.saver.serde = _strict()
    assert await Thread(clone).state() == {"a": document}


async def test_clones_of_clones_allow_the_sum(strict: Coloured) -> None:
    document = Document(title="t")
    await Thread(strict).put({"a": document})
    twice = _clone(strict).saver.with_allowlist([("elsewhere", "Other")])
    assert await Thread(Coloured(twice, strict.colour)).state() == {"a": document}


async def test_an_encrypting_serializer_is_derived_too(backend: Backend) -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(serde=_strict(), key=b"0123456789abcdef")
    document = Document(title="t")
    with backend.open(serde=serde) as opened:
        await Thread(Coloured(opened, "sync")).put({"a": document})
        clone = opened.with_allowlist(ALLOWED)
        assert isinstance(clone.serde, EncryptedSerializer)
        assert await Thread(Coloured(clone, "async")).state() == {"a": document}


async def test_a_serializer_that_allows_all_needs_no_clone(coloured: Coloured) -> None:
    """As with the official savers."""
    official = InMemorySaver()
    same = official.with_allowlist(ALLOWED) is official
    assert (coloured.saver.with_allowlist(ALLOWED) is coloured.saver) == same


async def test_a_copy_is_a_clone(strict: Coloured) -> None:
    twin: Any = Coloured(copy.copy(strict.saver), strict.colour)
    await Thread(twin).put({"n": 1})
    del twin
    gc.collect()
    assert await Thread(strict).state() == {"n": 1}
