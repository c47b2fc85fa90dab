"""Damage in one row is an error that names it; everything else stays readable."""

from __future__ import annotations

from contextlib import suppress

import pytest

from lgckpt.errors import CorruptCheckpointError, UnsupportedFormatError
from tests.backends import Backend
from tests.checkpoints import config
from tests.colours import Coloured
from tests.contract.hospital import Ward, admit, cut, empty, flip, flip_hash, halve, longer, zeros
from tests.contract.stored import drop_chunks

pytestmark = pytest.mark.anyio

CHANGES = {"cut": cut, "halve": halve, "empty": empty, "flip": flip(600), "longer": longer}
WHERE = {
    "state": ("checkpoints", "state", None),
    "metadata": ("checkpoints", "metadata", None),
    "value": ("writes", "value", "w"),
}


@pytest.fixture
async def ward(coloured: Coloured, backend: Backend) -> Ward:
    return await admit(coloured, backend)


@pytest.mark.parametrize("column", WHERE)
async def test_a_damaged_cell_is_named(ward: Ward, column: str) -> None:
    table, column, channel = WHERE[column]
    for change in CHANGES.values():
        ward.damage(table, column, change)
        with pytest.raises(CorruptCheckpointError) as caught:
            await ward.coloured.get_tuple(ward.patient)
        ward.assert_named(caught.value, channel)
        await ward.assert_others_are_whole()
        ward.heal(table, column, change)
        assert await ward.coloured.get_tuple(ward.patient) is not None


@pytest.mark.parametrize("column", WHERE)
async def test_no_flipped_bit_goes_unnoticed(ward: Ward, column: str) -> None:
    table, column, _ = WHERE[column]
    for position in range(0, 1001, 100):
        ward.damage(table, column, flip(position))
        with pytest.raises((CorruptCheckpointError, UnsupportedFormatError)):
            await ward.coloured.get_tuple(ward.patient)
        ward.heal(table, column, flip(position))


@pytest.mark.parametrize("change", [cut, halve, empty, longer, zeros, flip_hash])
async def test_damaged_references_are_named(ward: Ward, change) -> None:
    ward.damage("checkpoints", "refs", change)
    with pytest.raises(CorruptCheckpointError) as caught:
        await ward.coloured.get_tuple(ward.patient)
    ward.assert_named(caught.value, caught.value.channel)
    assert caught.value.channel in (None, "large")
    await ward.assert_others_are_whole()


async def test_a_flipped_bit_in_a_reference_never_gives_another_value(ward: Ward) -> None:
    whole = await ward.coloured.get_tuple(ward.patient)
    for position in range(0, 1001, 40):
        ward.damage("checkpoints", "refs", flip(position))
        with suppress(CorruptCheckpointError):
            assert await ward.coloured.get_tuple(ward.patient) == whole
        ward.heal("checkpoints", "refs", flip(position))


@pytest.mark.parametrize("change", [cut, empty, zeros, flip_hash])
async def test_damaged_references_of_a_write_are_named(ward: Ward, change) -> None:
    ward.damage("writes", "refs", change)
    with pytest.raises(CorruptCheckpointError) as caught:
        await ward.coloured.get_tuple(ward.patient)
    ward.assert_named(caught.value, "w")
    await ward.assert_others_are_whole()


@pytest.mark.parametrize("change", [cut, halve, empty, flip(0), flip(500), flip(1000)])
async def test_a_damaged_chunk_names_the_channel(ward: Ward, change) -> None:
    ward.damage_chunks(change)
    with pytest.raises((CorruptCheckpointError, UnsupportedFormatError)) as caught:
        await ward.coloured.get_tuple(ward.patient)
    assert "'large'" in str(caught.value)
    assert ward.patient["configurable"]["checkpoint_id"] in str(caught.value)
    for one in ward.others[2:]:
        assert await ward.coloured.get_tuple(one.config) == one


async def test_a_missing_chunk_names_the_channel(ward: Ward) -> None:
    drop_chunks(ward.coloured.saver, "hurt")
    with pytest.raises(CorruptCheckpointError) as caught:
        await ward.coloured.get_tuple(ward.patient)
    ward.assert_named(caught.value, "large")
    for one in ward.others[2:]:
        assert await ward.coloured.get_tuple(one.config) == one


async def test_a_list_names_the_damage_it_comes_upon(ward: Ward) -> None:
    ward.damage("checkpoints", "state", cut)
    with pytest.raises(CorruptCheckpointError) as caught:
        await ward.coloured.list(config("hurt", ns="n"))
    ward.assert_named(caught.value, None)
    assert len(await ward.coloured.list(config("whole", ns="n"))) == 3
    assert len(await ward.coloured.list(config("hurt", ns="n"), limit=1)) == 1
    assert len(await ward.coloured.list(config("hurt", ns="n"), before=ward.patient)) == 1


async def test_a_damaged_checkpoint_can_be_stored_again(ward: Ward) -> None:
    whole = await ward.coloured.get_tuple(ward.patient)
    ward.damage("checkpoints", "state", zeros)
    new = whole.checkpoint["channel_versions"]
    await ward.coloured.put(whole.parent_config, whole.checkpoint, whole.metadata, new)
    assert await ward.coloured.get_tuple(ward.patient) == whole


@pytest.mark.parametrize(
    "delete",
    [
        lambda c: c.delete_thread("hurt"),
        lambda c: c.prune(["hurt"], strategy="delete"),
        lambda c: c.delete_for_runs(["hurt 1"]),
        lambda c: c.prune(["hurt"]),
    ],
    ids=["delete_thread", "prune delete", "delete_for_runs", "prune"],
)
async def test_a_damaged_checkpoint_can_be_deleted(ward: Ward, delete) -> None:
    ward.damage("checkpoints", "state", cut)
    ward.damage("checkpoints", "metadata", cut)
    await delete(ward.coloured)
    assert await ward.coloured.get_tuple(ward.patient) is None
    assert (await ward.coloured.list(None))[:3] == ward.others[2:][::-1]
