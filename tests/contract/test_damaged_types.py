"""Cells of another type than their column's, which a damaged SQLite file gives, are named."""

from __future__ import annotations

import pytest

from lgckpt.errors import CorruptCheckpointError
from tests.backends import BACKENDS, Backend
from tests.checkpoints import config
from tests.colours import Coloured
from tests.contract.hospital import Ward, admit

pytestmark = pytest.mark.anyio

OTHERS = [7, 1.5, "text"]
COLUMNS = [
    ("checkpoints", "state"), ("checkpoints", "refs"), ("checkpoints", "metadata"),
    ("checkpoints", "etag"), ("writes", "value"), ("writes", "refs"),
]  # fmt: skip


@pytest.fixture(params=[b for b in BACKENDS if b.name.startswith("sqlite")], ids=lambda b: b.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.param
    return found


@pytest.fixture
async def ward(coloured: Coloured, backend: Backend) -> Ward:
    return await admit(coloured, backend)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_the_row_is_named(ward: Ward, table: str, column: str, other: object) -> None:
    ward.damage(table, column, lambda _: other)
    for read in (lambda c: c.get_tuple(ward.patient), lambda c: c.list(config("hurt", ns="n"))):
        with pytest.raises(CorruptCheckpointError) as caught:
            await read(ward.coloured)
        ward.assert_named(caught.value, caught.value.channel)
    await ward.assert_others_are_whole()


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_a_list_gives_all_others_first(
    ward: Ward, table: str, column: str, other: object
) -> None:
    ward.damage(table, column, lambda _: other)
    found = []

    def collect() -> None:
        for one in ward.coloured.saver.list(config("hurt", ns="n"), filter={"source": "loop"}):
            found.append(one)

    with pytest.raises(CorruptCheckpointError):
        collect()
    assert found == ward.others[:2][::-1]


@pytest.mark.parametrize("other", OTHERS)
async def test_a_chunk_names_its_channel(ward: Ward, other: object) -> None:
    ward.damage_chunks(lambda _: other)
    with pytest.raises(CorruptCheckpointError) as caught:
        await ward.coloured.get_tuple(ward.patient)
    ward.assert_named(caught.value, "large")
    for one in ward.others[2:]:
        assert await ward.coloured.get_tuple(one.config) == one


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(("table", "column"), COLUMNS)
async def test_pruning_keeps_the_latest_whole(
    ward: Ward, table: str, column: str, other: object
) -> None:
    """It drops no chunk that what it keeps needs."""
    ward.damage(table, column, lambda _: other)
    await ward.coloured.prune(["hurt"])
    latest = await ward.coloured.get_tuple(config("hurt", ns="n"))
    assert latest._replace(parent_config=None) == ward.others[1]._replace(parent_config=None)
