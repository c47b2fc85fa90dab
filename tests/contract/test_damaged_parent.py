"""A put onto a damaged parent takes nothing from it: the new checkpoint is whole."""

from __future__ import annotations

import pytest

from lgckpt.errors import CorruptCheckpointError
from tests.backends import Backend
from tests.checkpoints import checkpoint
from tests.colours import Coloured
from tests.contract.hospital import Change, admit, cut, empty, flip, flip_hash, text, zeros

pytestmark = pytest.mark.anyio

DAMAGE: dict[str, tuple[str, Change]] = {
    "state cut": ("state", cut),
    "state empty": ("state", empty),
    "state flipped": ("state", flip(500)),
    "references cut": ("refs", cut),
    "references flipped": ("refs", flip_hash),
    "references zeroed": ("refs", zeros),
    "metadata flipped": ("metadata", flip(500)),
}


@pytest.mark.parametrize("name", DAMAGE)
@pytest.mark.parametrize("reset", [False, True], ids=["remembered", "forgotten"])
async def test_all_values_are_stored(
    coloured: Coloured, backend: Backend, name: str, reset: bool
) -> None:
    ward = await admit(coloured, backend, bed=2)
    whole = (await coloured.get_tuple(ward.patient)).checkpoint
    carried, versions = whole["channel_values"]["large"], whole["channel_versions"]
    column, change = DAMAGE[name]
    ward.damage("checkpoints", column, change)
    with pytest.raises(CorruptCheckpointError):
        await coloured.get_tuple(ward.patient)
    if reset:
        coloured.saver._handle.hints.reset()
    values = {"large": carried, "n": 9, "more": [*carried, "more"], "new": text("new")}
    new = {"n": 9, "more": 1, "new": 1}
    made = checkpoint(values, {**versions, **new})
    at = await coloured.put(ward.patient, made, {}, new)
    coloured.saver._handle.hints.reset()
    assert (await coloured.get_tuple(at)).checkpoint == made
    await ward.assert_others_are_whole()
