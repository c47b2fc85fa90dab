"""`delete_for_runs`: the checkpoints of the runs go, in every thread, and nothing else."""

from __future__ import annotations

import pytest

from lgckpt.errors import CorruptCheckpointError
from tests.backends import Backend
from tests.checkpoints import Config, Thread, config
from tests.colours import Coloured
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused, stored

pytestmark = pytest.mark.anyio


async def _filled(coloured: Coloured) -> dict[tuple[str, str, int], Config]:
    """Two threads with two namespaces; steps 0 and 3 belong to run a, 1 to b, 2 to none."""
    at = {}
    for name in ("t1", "t2"):
        for ns in ("", "sub:1"):
            thread = Thread(coloured, name, ns)
            for step, run in enumerate(("a", "b", None, "a")):
                metadata = {} if run is None else {"run_id": run}
                changed = {"n": step, "large": [f"{name} {ns} {step}"] * 400}
                at[name, ns, step] = await thread.put(changed, **metadata)
                await coloured.put_writes(at[name, ns, step], [("n", step)], "task")
    return at


async def _left(coloured: Coloured) -> set[tuple[str, str, int]]:
    return {
        (one.config["configurable"]["thread_id"], one.config["configurable"]["checkpoint_ns"],
         one.metadata["step"])
        for one in await coloured.list(None)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "gone"),
    [(["a"], {0, 3}), (["b"], {1}), (["a", "b"], {0, 1, 3}), (["c"], set()), ([], set())],
    ids=["a", "b", "both", "unknown", "none"],
)
async def test_the_checkpoints_of_the_runs_go_everywhere(
    coloured: Coloured, runs: list[str], gone: set[int]
) -> None:
    at = await _filled(coloured)
    await coloured.delete_for_runs(runs)
    assert await _left(coloured) == {place for place in at if place[2] not in gone}
    for place, stored_at in at.items():
        found = await coloured.get_tuple(stored_at)
        assert (found is None) == (place[2] in gone)
        if found is not None:
            expected = {"n": place[2], "large": [" ".join(map(str, place))] * 400}
            assert found.checkpoint["channel_values"] == expected
            assert found.pending_writes == [("task", "n", place[2])]
    kept = {one["configurable"]["checkpoint_id"] for p, one in at.items() if p[2] not in gone}
    assert {write.checkpoint_id for write in stored(coloured.saver).writes} == kept
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)


async def test_what_is_kept_shows_no_parent_that_went(coloured: Coloured) -> None:
    at = await _filled(coloured)
    await coloured.delete_for_runs(["b"])
    for name in ("t1", "t2"):
        assert (await coloured.get_tuple(at[name, "", 2])).parent_config is None
        assert (await coloured.get_tuple(at[name, "", 3])).parent_config == at[name, "", 2]


async def test_writes_of_checkpoints_to_come_stay(coloured: Coloured) -> None:
    await _filled(coloured)
    await coloured.put_writes(config("t1", "to come"), [("n", 1)], "task")
    await coloured.delete_for_runs(["a", "b"])
    assert "to come" in {write.checkpoint_id for write in stored(coloured.saver).writes}


async def test_a_thread_goes_on_without_its_latest_run(coloured: Coloured) -> None:
    thread = Thread(coloured)
    await thread.put({"n": 0, "kept": ["kept"] * 1000}, run_id="a")
    await thread.put({"n": 1}, run_id="b")
    await coloured.delete_for_runs(["b"])
    head = await coloured.get_tuple(config("t"))
    assert head.checkpoint["channel_values"] == {"n": 0, "kept": ["kept"] * 1000}
    again = Thread(coloured)
    again.config, again.values = head.config, {"n": 0}
    again.versions = head.checkpoint["channel_versions"]
    await again.put({"n": 2}, run_id="c")
    assert await again.state() == {"n": 2, "kept": ["kept"] * 1000}


async def test_a_run_id_is_compared_whole(coloured: Coloured) -> None:
    thread = Thread(coloured)
    for run in ("a", "A", "ab", "a%", "a_", "a'", ""):
        await thread.put({}, run_id=run)
    await coloured.delete_for_runs(["a", "a'", ""])
    left = [one.metadata["run_id"] for one in await coloured.list(None)]
    assert left == ["a_", "a%", "ab", "A"]


async def test_hundreds_of_runs_and_threads_go_in_one_call(coloured: Coloured) -> None:
    sync = Coloured(coloured.saver, "sync")
    for n in range(60):
        await Thread(sync, f"t{n % 30}").put({}, run_id=f"run {n}")
    await coloured.delete_for_runs([f"run {n}" for n in range(2, 1200)])
    left = [one.metadata["run_id"] for one in await coloured.list(None)]
    assert left == ["run 1", "run 0"]


async def test_a_text_is_no_list_of_runs(coloured: Coloured) -> None:
    await Thread(coloured).put({}, run_id="a")
    with pytest.raises(TypeError, match="run_ids"):
        await coloured.delete_for_runs("a")
    assert len(await coloured.list(None)) == 1


async def test_a_damaged_thread_is_named_once_the_others_are_done(
    coloured: Coloured, backend: Backend
) -> None:
    for name in ("a", "hurt", "z"):
        thread = Thread(coloured, name)
        await thread.put({"n": 1}, run_id="gone")
        await thread.put({"n": 2}, run_id="kept", mark=name)
    rows = [row for row in stored(coloured.saver).checkpoints if row.thread_id == "hurt"]
    row = max(rows, key=lambda row: row.checkpoint_id)
    backend.damage(
        coloured.saver, "checkpoints", "metadata", lambda m: b"?" if m == row.metadata else m
    )
    with pytest.raises(CorruptCheckpointError, match="'hurt'"):
        await coloured.delete_for_runs(["gone"])
    for name in ("a", "z"):
        (left,) = await coloured.list(config(name))
        assert left.metadata["run_id"] == "kept"
