"""`copy_thread`: the whole chain under another name, as often as wanted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, stored

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(200)]


async def _fill(coloured: Coloured, name: str = "source") -> list[Thread]:
    threads = [Thread(coloured, name), Thread(coloured, name, ns="sub:1")]
    for thread in threads:
        for n in range(3):
            at = await thread.put({"n": n, "large": [*LARGE, n]}, run_id=f"run {n}")
            await coloured.put_writes(at, [("large", LARGE), ("n", n)], f"task {n}", "~path")
    await coloured.put_writes(config(name, "to come"), [("n", "early")], "task")
    return threads


async def _seen(coloured: Coloured, name: str) -> list[Any]:
    """What a thread holds, without its name."""

    def bare(asked: Any) -> Any:
        return asked and {**asked["configurable"], "thread_id": None}

    found = await coloured.list({"configurable": {"thread_id": name}})
    return [
        one._replace(config=bare(one.config), parent_config=bare(one.parent_config))
        for one in found
    ]


async def test_the_copy_reads_like_the_source(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    assert len(await _seen(coloured, "copy")) == 6
    assert await _seen(coloured, "copy") == await _seen(coloured, "source")
    names = {one.config["configurable"]["thread_id"] for one in await coloured.list(None)}
    assert names == {"source", "copy"}


async def test_a_copy_takes_what_came_before_its_checkpoint(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    copied = [w for w in stored(coloured.saver).writes if w.thread_id == "copy"]
    assert len(copied) == 13
    assert "to come" in {w.checkpoint_id for w in copied}
    assert {w.task_path for w in copied} == {"", "~path"}


async def test_the_copy_lives_on_its_own(coloured: Coloured) -> None:
    threads = await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    before = await _seen(coloured, "copy")
    await threads[0].put({"n": 99})
    await coloured.delete_thread("source")
    assert await _seen(coloured, "copy") == before
    assert_nothing_missing(coloured.saver)


async def test_the_source_lives_on_without_its_copy(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    before = await _seen(coloured, "source")
    await coloured.prune(["copy"])
    await coloured.delete_thread("copy")
    assert await _seen(coloured, "source") == before
    assert_nothing_missing(coloured.saver)


async def test_a_thread_goes_on_from_its_copy(coloured: Coloured) -> None:
    (source, _) = await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    head = (await coloured.get_tuple(config("copy"))).config
    branch = Thread(coloured, "copy")
    branch.config, branch.versions, branch.values = head, source.versions, {"large": []}
    await branch.put({"n": 99})
    assert await branch.state() == {"n": 99, "large": [*LARGE, 2]}
    assert await source.state() == {"n": 2, "large": [*LARGE, 2]}


async def test_it_can_be_run_again_and_takes_what_is_new(coloured: Coloured) -> None:
    threads = await _fill(coloured)
    for n in range(3):
        await coloured.copy_thread("source", "copy")
        assert await _seen(coloured, "copy") == await _seen(coloured, "source")
        at = await threads[0].put({"n": n + 10})
        await coloured.put_writes(at, [("n", n)], "task")
    assert_nothing_missing(coloured.saver)


async def test_running_it_again_changes_nothing(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    once = stored(coloured.saver)
    await coloured.copy_thread("source", "copy")
    again = stored(coloured.saver)
    assert (again.payload, again.count) == (once.payload, once.count)
    assert len(again.checkpoints) == len(once.checkpoints)
    assert len(again.writes) == len(once.writes)


async def test_onto_an_existing_thread_it_adds(coloured: Coloured) -> None:
    other = Thread(coloured, "copy")
    for n in range(2):
        await other.put({"other": n, "large": LARGE[n:]})
    await _fill(coloured)
    before = await _seen(coloured, "copy")
    await coloured.copy_thread("source", "copy")
    assert await _seen(coloured, "copy") == [*await _seen(coloured, "source"), *before]
    assert_nothing_missing(coloured.saver)


async def test_a_copy_of_a_copy_is_the_same(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    await coloured.copy_thread("copy", "copy 2")
    await coloured.delete_thread("copy")
    assert await _seen(coloured, "copy 2") == await _seen(coloured, "source")


async def test_an_unknown_source_is_no_thread(coloured: Coloured) -> None:
    await _fill(coloured)
    before = await _seen(coloured, "source")
    await coloured.copy_thread("unknown", "source")
    await coloured.copy_thread("unknown", "copy")
    assert await _seen(coloured, "source") == before
    assert await _seen(coloured, "copy") == []


async def test_onto_itself_it_changes_nothing(coloured: Coloured) -> None:
    await _fill(coloured)
    before = stored(coloured.saver)
    await coloured.copy_thread("source", "source")
    assert stored(coloured.saver) == before


async def test_a_copied_run_is_deleted_with_its_run(coloured: Coloured) -> None:
    await _fill(coloured)
    await coloured.copy_thread("source", "copy")
    await coloured.delete_for_runs(["run 1", "run 2"])
    assert [one.metadata["run_id"] for one in await coloured.list(None)] == ["run 0"] * 4
