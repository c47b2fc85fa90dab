"""`delete_thread`: everything of one thread goes, and nothing of any other."""

from __future__ import annotations

import pytest

from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio


async def test_only_the_thread_goes(coloured: Coloured) -> None:
    kept = {}
    for name in ("t", "t2", "tt"):
        for ns in ("", "sub"):
            at = await Thread(coloured, name, ns).put({"n": name, "large": [name] * 2000})
            await coloured.put_writes(at, [("n", ns)], "task")
            kept[name, ns] = await coloured.get_tuple(at)
    await coloured.delete_thread("t")
    for (name, _), before in kept.items():
        assert await coloured.get_tuple(before.config) == (None if name == "t" else before)
    assert len(await coloured.list(None)) == 4
    assert await coloured.list({"configurable": {"thread_id": "t"}}) == []


async def test_an_unknown_thread_is_no_error(coloured: Coloured) -> None:
    await Thread(coloured).put({"n": 1})
    await coloured.delete_thread("unknown")
    assert len(await coloured.list(None)) == 1


async def test_it_can_be_run_again(coloured: Coloured) -> None:
    await Thread(coloured).put({"n": 1})
    await coloured.delete_thread("t")
    await coloured.delete_thread("t")
    assert await coloured.list(None) == []


async def test_a_thread_of_the_same_name_starts_anew(coloured: Coloured) -> None:
    old = Thread(coloured)
    at = await old.put({"n": "old", "large": ["old"] * 2000})
    await coloured.put_writes(at, [("n", "pending")], "task")
    await coloured.delete_thread("t")
    made = checkpoint({"n": "new"}, id=at["configurable"]["checkpoint_id"])
    await coloured.put(config("t"), made, {}, {"n": 1})
    (found,) = await coloured.list(config("t"))
    assert found.checkpoint == made
    assert found.pending_writes == []
