"""What was read belongs to the reader: changing it changes nothing that is stored."""

from __future__ import annotations

import copy

import pytest
from langchain_core.messages import HumanMessage

from tests.checkpoints import Thread, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


async def _filled(coloured: Coloured) -> dict:
    thread = Thread(coloured)
    await thread.put({"a": [1, {"deep": []}], "m": [HumanMessage("hi", id="1")]})
    stored = await thread.put({"b": {"k": "v" * 5000}}, tags={"x": [1]})
    await coloured.put_writes(stored, [("a", ["pending"])], "task")
    return stored


def _spoil(found) -> None:
    values = found.checkpoint["channel_values"]
    values["a"][1]["deep"].append("spoiled")
    values["m"][0].content = "spoiled"
    values["b"]["k"] = "spoiled"
    values["new"] = "spoiled"
    found.checkpoint["channel_versions"]["a"] = 99
    found.checkpoint["versions_seen"]["node"] = {"a": 99}
    found.metadata["tags"]["x"].append("spoiled")
    found.metadata["step"] = 99
    found.pending_writes[0][2].append("spoiled")
    found.pending_writes.clear()


async def test_changing_what_get_gave_changes_nothing(coloured: Coloured) -> None:
    stored = await _filled(coloured)
    before = copy.deepcopy(await coloured.get_tuple(stored))
    _spoil(await coloured.get_tuple(stored))
    assert await coloured.get_tuple(stored) == before


async def test_changing_what_list_gave_changes_nothing(coloured: Coloured) -> None:
    await _filled(coloured)
    before = copy.deepcopy(await coloured.list(config("t")))
    _spoil((await coloured.list(config("t")))[0])
    assert await coloured.list(config("t")) == before


async def test_changing_what_was_read_changes_no_later_checkpoint(coloured: Coloured) -> None:
    stored = await _filled(coloured)
    before = copy.deepcopy((await coloured.get_tuple(stored)).checkpoint)
    _spoil(await coloured.get_tuple(stored))
    child = {**before, "id": before["id"] + "x"}
    later = await coloured.put(stored, child, {}, {})
    assert (await coloured.get_tuple(later)).checkpoint == child


async def test_changing_a_config_that_put_gave_changes_nothing(coloured: Coloured) -> None:
    stored = await _filled(coloured)
    asked = copy.deepcopy(stored)
    stored["configurable"]["checkpoint_id"] = "spoiled"
    assert (await coloured.get_tuple(asked)).config == asked
