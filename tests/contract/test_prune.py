"""`prune`: what each strategy keeps of a thread's rows."""

from __future__ import annotations

from typing import Any

import pytest

from lgckpt.errors import ConfigurationError
from tests.checkpoints import Config, Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.stored import stored

pytestmark = pytest.mark.anyio


def _id(at: Config) -> str:
    return at["configurable"]["checkpoint_id"]


async def _ids(coloured: Coloured, thread: str = "t", **where: Any) -> list[str]:
    found = await coloured.list({"configurable": {"thread_id": thread, **where}})
    return [_id(one.config) for one in found]


async def test_it_keeps_the_latest_of_each_namespace(coloured: Coloured) -> None:
    heads = []
    for ns in ("", "memory", "other"):
        thread = Thread(coloured, ns=ns)
        for n in range(4):
            await thread.put({"n": n, "ns": ns})
        heads.append(thread)
    await coloured.prune(["t"])
    assert sorted(await _ids(coloured)) == sorted(_id(thread.config) for thread in heads)
    for thread in heads:
        assert await thread.state() == {"n": 3, "ns": thread.ns}


async def test_what_is_kept_has_no_parent(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for n in range(3):
        head = await thread.put({"n": n})
    before = await coloured.get_tuple(head)
    await coloured.prune(["t"])
    assert await coloured.get_tuple(head) == before._replace(parent_config=None)
    assert await coloured.list(config("t")) == [before._replace(parent_config=None)]


async def test_a_parent_that_was_never_stored_is_not_shown_either(coloured: Coloured) -> None:
    head = await coloured.put(config("t", "never stored"), checkpoint({"n": 1}), {}, {"n": 1})
    await coloured.prune(["t"])
    assert (await coloured.get_tuple(head)).parent_config is None


async def test_only_the_threads_asked_for_are_pruned(coloured: Coloured) -> None:
    for name in ("t", "also", "kept"):
        thread = Thread(coloured, name)
        for n in range(3):
            await thread.put({"n": n})
    await coloured.prune(["t", "also", "unknown", "t"])
    counts = {name: len(await _ids(coloured, name)) for name in ("t", "also", "kept", "unknown")}
    assert counts == {"t": 1, "also": 1, "kept": 3, "unknown": 0}


async def test_the_latest_of_forks_is_the_one_with_the_highest_id(coloured: Coloured) -> None:
    thread = Thread(coloured)
    root = await thread.put({"n": 0})
    await thread.put({"n": 1})
    await thread.put({"n": 2})
    thread.config = root
    fork = await thread.put({"n": 3})
    await coloured.prune(["t"])
    assert await _ids(coloured) == [_id(fork)]
    assert await thread.state() == {"n": 3}


async def test_it_keeps_the_pending_writes_of_what_it_keeps(coloured: Coloured) -> None:
    thread = Thread(coloured)
    old = await thread.put({"n": 0})
    head = await thread.put({"n": 1})
    for at in (old, head):
        await coloured.put_writes(at, [("n", "w" * 5000)], "task", "~path")
    await coloured.prune(["t"])
    assert (await coloured.get_tuple(head)).pending_writes == [("task", "n", "w" * 5000)]
    assert [(w.checkpoint_id, w.task_path) for w in stored(coloured.saver).writes] == [
        (_id(head), "~path")
    ]


async def test_writes_that_precede_their_checkpoint_stay(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for n in range(2):
        await thread.put({"n": n})
    made = checkpoint({"n": 2})
    await coloured.put_writes(config("t", made["id"]), [("n", "early")], "task")
    await coloured.prune(["t"])
    late = await coloured.put(thread.config, made, {}, {"n": 3})
    assert (await coloured.get_tuple(late)).pending_writes == [("task", "n", "early")]


async def test_a_thread_goes_on_after_it(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for n in range(3):
        head = await thread.put({"n": n, "large": [f"{n} " * 500] * 10})
    await coloured.prune(["t"])
    child = await thread.put({"n": 3})
    assert await thread.state(child) == {"n": 3, "large": ["2 " * 500] * 10}
    assert (await coloured.get_tuple(child)).parent_config == head
    await coloured.prune(["t"])
    assert await _ids(coloured) == [_id(child)]


async def test_it_can_be_run_again(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for n in range(3):
        await thread.put({"n": n})
    await coloured.prune(["t"])
    once = stored(coloured.saver)
    await coloured.prune(["t"])
    assert stored(coloured.saver) == once


async def _call(coloured: Coloured, ns: str, root: str | None) -> Thread:
    """Two checkpoints of a subgraph call that started from a root checkpoint."""
    thread = Thread(coloured, ns=ns)
    for n in range(2):
        parents = {} if root is None else {"": root}
        await thread.put({"n": n}, parents=parents)
    return thread


async def test_a_subgraph_call_goes_with_the_root_checkpoint_it_started_from(
    coloured: Coloured,
) -> None:
    root = Thread(coloured)
    first = await root.put({"n": 0})
    second = await root.put({"n": 1})
    await _call(coloured, "node:1", _id(first))
    await _call(coloured, "node:1|inner:1", _id(first))
    await _call(coloured, "node:2", _id(second))
    await _call(coloured, "node:2|inner:2", _id(second))
    await coloured.put_writes(config("t", "early", ns="node:1"), [("n", 1)], "task")
    await coloured.prune(["t"])
    kept = {one.config["configurable"]["checkpoint_ns"] for one in await coloured.list(None)}
    assert kept == {"", "node:2", "node:2|inner:2"}
    assert [w for w in stored(coloured.saver).writes if w.checkpoint_ns == "node:1"] == []


async def test_the_state_of_a_subgraph_with_a_memory_of_its_own_stays(coloured: Coloured) -> None:
    root = Thread(coloured)
    first = await root.put({"n": 0})
    await root.put({"n": 1})
    memory = await _call(coloured, "node", _id(first))
    await coloured.prune(["t"])
    assert await memory.state() == {"n": 1}
    assert await _ids(coloured, checkpoint_ns="node") == [_id(memory.config)]


async def test_a_call_that_was_saved_before_its_root_stays(coloured: Coloured) -> None:
    root = Thread(coloured)
    await root.put({"n": 0})
    await root.put({"n": 1})
    call = await _call(coloured, "node:1", "saved soon")
    rootless = await _call(coloured, "node:2", None)
    await coloured.prune(["t"])
    assert await call.state() == {"n": 1}
    assert await rootless.state() == {"n": 1}


async def _before_v4(coloured: Coloured, sends: list[Any]) -> tuple[Config, Config, Config]:
    """Three checkpoints of format 3; the second one has the third's pending sends."""
    thread = config("t")
    at = []
    for n in range(3):
        made = checkpoint({"n": n}, {"n": n + 1}, v=3, pending_sends=[])
        thread = await coloured.put(thread, made, {"step": n}, {"n": n + 1})
        at.append(thread)
    await coloured.put_writes(at[1], [("__pregel_tasks", send) for send in sends], "task", "~a")
    return at[0], at[1], at[2]


async def test_a_head_from_before_v4_reads_its_sends_from_its_parent(coloured: Coloured) -> None:
    _, _, head = await _before_v4(coloured, ["first", "second"])
    found = (await coloured.get_tuple(head)).checkpoint
    assert found["channel_values"]["__pregel_tasks"] == ["first", "second"]
    assert found["channel_versions"]["__pregel_tasks"] == 3


async def test_sends_of_several_tasks_come_in_the_order_of_their_paths(coloured: Coloured) -> None:
    _, parent, head = await _before_v4(coloured, ["b 1", "b 2"])
    await coloured.put_writes(parent, [("__pregel_tasks", "c")], "another", "~b")
    await coloured.put_writes(parent, [("n", 1), ("__pregel_tasks", "a")], "zzz", "")
    found = (await coloured.get_tuple(head)).checkpoint
    assert found["channel_values"]["__pregel_tasks"] == ["a", "b 1", "b 2", "c"]


async def test_a_head_from_before_v4_keeps_the_parent_that_holds_its_sends(
    coloured: Coloured,
) -> None:
    _, parent, head = await _before_v4(coloured, ["first", "second"])
    before = await coloured.get_tuple(head)
    await coloured.prune(["t"])
    assert await _ids(coloured) == [_id(head), _id(parent)]
    assert await coloured.get_tuple(head) == before
    assert (await coloured.get_tuple(parent)).parent_config is None


async def test_a_head_from_before_v4_without_sends_keeps_no_parent(coloured: Coloured) -> None:
    _, _, head = await _before_v4(coloured, [])
    await coloured.prune(["t"])
    assert await _ids(coloured) == [_id(head)]
    assert (await coloured.get_tuple(head)).parent_config is None


async def test_sends_in_a_parent_that_was_never_stored_stay(coloured: Coloured) -> None:
    made = checkpoint({"n": 1}, v=3, pending_sends=[])
    head = await coloured.put(config("t", "never stored"), made, {}, {"n": 1})
    await coloured.put_writes(config("t", "never stored"), [("__pregel_tasks", "send")], "task")
    await coloured.prune(["t"])
    found = (await coloured.get_tuple(head)).checkpoint
    assert found["channel_values"]["__pregel_tasks"] == ["send"]


async def test_delete_keeps_nothing_of_the_threads(coloured: Coloured) -> None:
    for name in ("t", "also", "kept"):
        at = await Thread(coloured, name).put({"n": "large" * 1000})
        await Thread(coloured, name, ns="sub").put({"n": 1})
        await coloured.put_writes(at, [("n", 1)], "task")
    await coloured.prune(["t", "also"], strategy="delete")
    found = stored(coloured.saver)
    assert {row.thread_id for row in (*found.checkpoints, *found.writes)} == {"kept"}
    assert [name for name, chunks in found.chunks.items() if chunks] in ([], ["kept"])


@pytest.mark.parametrize("strategy", ["", "keep_all", "KEEP_LATEST", "keep_last"])
async def test_an_unknown_strategy_is_refused(coloured: Coloured, strategy: str) -> None:
    await Thread(coloured).put({"n": 0})
    before = stored(coloured.saver)
    for threads in (["t"], []):
        with pytest.raises(ConfigurationError, match="strategy"):
            await coloured.prune(threads, strategy=strategy)
        with pytest.raises(ValueError, match="strategy"):
            await coloured.prune(threads, strategy=strategy)
    assert stored(coloured.saver) == before


@pytest.mark.parametrize("strategy", ["keep_latest", "delete"])
async def test_a_text_is_no_list_of_threads(coloured: Coloured, strategy: str) -> None:
    for _ in range(2):
        await Thread(coloured, "t").put({"n": 0})
    before = stored(coloured.saver)
    with pytest.raises(TypeError, match="thread_ids"):
        await coloured.prune("t", strategy=strategy)
    assert stored(coloured.saver) == before


async def test_no_threads_are_no_work(coloured: Coloured) -> None:
    await Thread(coloured).put({"n": 0})
    before = stored(coloured.saver)
    await coloured.prune([])
    await coloured.prune([], strategy="delete")
    assert stored(coloured.saver) == before
