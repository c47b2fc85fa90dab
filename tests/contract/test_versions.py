"""Channel versions are text, integers or floats, as a graph's saver made them."""

from __future__ import annotations

import pytest

from tests.checkpoints import checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

LOOP = {"source": "loop", "step": 1, "parents": {}}
VERSIONS = {
    "str": ("00000000000000000000000000000001.0.25", "00000000000000000000000000000002.0.5"),
    "int": (1, 2),
    "float": (1.5, 2.25),
}


@pytest.mark.parametrize("kind", VERSIONS)
async def test_versions_come_back_as_they_were(coloured: Coloured, kind: str) -> None:
    first, second = VERSIONS[kind]
    made = checkpoint({"a": 1}, {"a": second}, versions_seen={"node": {"a": first}})
    stored = await coloured.put(config("t"), made, LOOP, {"a": second})
    found = (await coloured.get_tuple(stored)).checkpoint
    assert found["channel_versions"] == {"a": second}
    assert found["versions_seen"] == {"node": {"a": first}}
    assert type(found["channel_versions"]["a"]) is type(second)


@pytest.mark.parametrize("kind", VERSIONS)
@pytest.mark.parametrize("reset", [False, True], ids=["remembered", "forgotten"])
async def test_a_version_of_any_type_names_the_parents_value(
    coloured: Coloured, kind: str, reset: bool
) -> None:
    first, second = VERSIONS[kind]
    made = checkpoint({"kept": "value", "changed": 1}, {"kept": first, "changed": first})
    parent = await coloured.put(config("t"), made, LOOP, made["channel_versions"])
    if reset:
        coloured.saver._handle.hints.reset()
    bare = checkpoint({"changed": 2}, {"kept": first, "changed": second})
    child = await coloured.put(parent, bare, LOOP, {"changed": second})
    found = (await coloured.get_tuple(child)).checkpoint
    assert found["channel_values"] == {"kept": "value", "changed": 2}


async def test_the_next_version_sorts_after_the_current_one(coloured: Coloured) -> None:
    version = None
    seen = []
    for _ in range(12):
        version = coloured.saver.get_next_version(version, None)
        seen.append(version)
    assert seen == sorted(set(seen))
    assert all(isinstance(one, str) for one in seen)


async def test_the_next_version_goes_on_from_integers(coloured: Coloured) -> None:
    ninth = coloured.saver.get_next_version(8, None)
    assert ninth.startswith("0" * 31 + "9.")
    assert coloured.saver.get_next_version(ninth, None) > ninth
