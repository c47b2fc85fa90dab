"""What a newer release stored is refused by its version, and everything else stays readable."""

from __future__ import annotations

import zlib

import pytest

from lgckpt.core import core
from lgckpt.errors import LgckptError, UnsupportedFormatError
from lgckpt.packing import STATE_VERSION
from tests.backends import Backend
from tests.checkpoints import checkpoint
from tests.colours import Coloured
from tests.contract.hospital import Ward, admit

pytestmark = pytest.mark.anyio

NEWER = 77


@pytest.fixture
async def ward(coloured: Coloured, backend: Backend) -> Ward:
    return await admit(coloured, backend)


def _newer_frame(frame: bytes) -> bytes:
    """A whole frame of a newer version: its first six bytes mean the same in every version."""
    start, rest = bytes([NEWER, frame[1]]), frame[6:] + b"a field of the future"
    return start + zlib.crc32(start + rest).to_bytes(4, "little") + rest


def _newer_state(frame: bytes) -> bytes:
    version, *rest = core.decode(core.unseal(frame))
    assert version == STATE_VERSION
    return core.seal(core.encode([NEWER, *rest, "a field of the future"]), None)


async def _refused(ward: Ward) -> str:
    with pytest.raises(UnsupportedFormatError, match=rf"\b{NEWER}\b") as caught:
        await ward.coloured.get_tuple(ward.patient)
    assert isinstance(caught.value, LgckptError)
    message = str(caught.value)
    assert "'hurt'" in message
    assert ward.patient["configurable"]["checkpoint_id"] in message
    return message


@pytest.mark.parametrize("column", ["state", "metadata"])
async def test_a_newer_frame_is_refused_by_name(ward: Ward, column: str) -> None:
    ward.damage("checkpoints", column, _newer_frame)
    await _refused(ward)
    await ward.assert_others_are_whole()


async def test_a_newer_state_is_refused_by_name(ward: Ward) -> None:
    ward.damage("checkpoints", "state", _newer_state)
    await _refused(ward)
    await ward.assert_others_are_whole()


async def test_a_newer_write_names_its_channel(ward: Ward) -> None:
    ward.damage("writes", "value", _newer_frame)
    assert "channel 'w'" in await _refused(ward)
    await ward.assert_others_are_whole()


async def test_a_newer_chunk_names_its_channel(ward: Ward) -> None:
    ward.damage_chunks(_newer_frame)
    assert "channel 'large'" in await _refused(ward)


@pytest.mark.parametrize("reset", [False, True], ids=["remembered", "forgotten"])
async def test_a_put_onto_a_newer_parent_stores_the_whole_state(ward: Ward, reset: bool) -> None:
    coloured = ward.coloured
    whole = (await coloured.get_tuple(ward.patient)).checkpoint
    ward.damage("checkpoints", "state", _newer_state)
    if reset:
        coloured.saver._handle.hints.reset()
    values = {**whole["channel_values"], "n": 9}
    made = checkpoint(values, {**whole["channel_versions"], "n": 9})
    at = await coloured.put(ward.patient, made, {}, {"n": 9})
    assert (await coloured.get_tuple(at)).checkpoint == made


async def test_a_prune_that_cannot_read_the_head_changes_nothing(
    coloured: Coloured, backend: Backend
) -> None:
    ward = await admit(coloured, backend, bed=2)
    ward.damage("checkpoints", "state", _newer_state)
    with pytest.raises(UnsupportedFormatError):
        await coloured.prune(["hurt"])
    await ward.assert_others_are_whole()
