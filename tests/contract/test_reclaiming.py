"""After prune and delete nothing unused is stored, and nothing used is missing."""

from __future__ import annotations

import pytest

from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.contract.sequences import PLACES, Sequence
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, stored

pytestmark = pytest.mark.anyio

LARGE = [{"id": i, "content": f"message {i} " * 8} for i in range(300)]
THREADS = sorted({thread for thread, _ in PLACES})


def _check(coloured: Coloured) -> None:
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)


@pytest.mark.parametrize("seed", range(4))
async def test_prune_leaves_exactly_what_is_used(coloured: Coloured, seed: int) -> None:
    sequence = Sequence(seed)
    for _ in range(2):
        for call in sequence.calls(40):
            await call.of(coloured)
        before = {
            (thread, ns): await coloured.get_tuple(config(thread, ns=ns)) for thread, ns in PLACES
        }
        await coloured.prune(THREADS)
        _check(coloured)
        for (thread, ns), head in before.items():
            found = await coloured.get_tuple(config(thread, ns=ns))
            assert found == (head and head._replace(parent_config=None))


@pytest.mark.parametrize("seed", range(4))
async def test_delete_for_runs_leaves_exactly_what_is_used(coloured: Coloured, seed: int) -> None:
    sequence = Sequence(seed)
    for call in sequence.calls(60):
        await call.of(coloured)
    for run in ("run-1", "run-3"):
        before = await coloured.list(None)
        await coloured.delete_for_runs([run])
        _check(coloured)
        kept = [one for one in before if one.metadata["run_id"] != run]
        assert len(kept) < len(before)
        after = await coloured.list(None)
        assert [one.checkpoint for one in after] == [one.checkpoint for one in kept]
        assert [one.pending_writes for one in after] == [one.pending_writes for one in kept]


async def test_deleting_a_thread_leaves_nothing_of_it(coloured: Coloured) -> None:
    for name in ("gone", "kept"):
        thread = Thread(coloured, name)
        stored_at = await thread.put({"large": LARGE})
        await thread.put({"n": 1})
        await coloured.put_writes(stored_at, [("w", LARGE[:200])], "task")
    await coloured.put_writes(config("gone", "never stored"), [("w", LARGE)], "task")
    await coloured.delete_thread("gone")
    found = stored(coloured.saver)
    assert {row.thread_id for row in (*found.checkpoints, *found.writes)} == {"kept"}
    assert [name for name, chunks in found.chunks.items() if chunks] == ["kept"]
    _check(coloured)


async def test_a_pruned_thread_is_no_larger_than_one_that_never_had_a_past(
    coloured: Coloured,
) -> None:
    thread = Thread(coloured, "t")
    for n in range(20):
        await thread.put({"large": [*LARGE, {"turn": n, "text": f"{n * 7919:x}" * 900}], "n": n})
    long = stored(coloured.saver).payload
    await coloured.prune(["t"])
    pruned = stored(coloured.saver).payload
    await coloured.delete_thread("t")
    await Thread(coloured, "t").put(thread.values)
    fresh = stored(coloured.saver).payload
    assert pruned < fresh + 2048 < long


async def test_a_chunk_used_by_a_kept_writes_alone_stays(coloured: Coloured) -> None:
    thread = Thread(coloured)
    await thread.put({"large": LARGE})
    head = await thread.put({"large": []})
    await coloured.put_writes(head, [("large", LARGE)], "task")
    await coloured.prune(["t"])
    _check(coloured)
    assert stored(coloured.saver).count > 0
    assert (await coloured.get_tuple(head)).pending_writes == [("task", "large", LARGE)]
