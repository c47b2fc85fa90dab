"""Channels that a step did not change keep the value of the parent's row, whatever put is given."""

from __future__ import annotations

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot

from tests.checkpoints import Config, checkpoint, config
from tests.colours import Coloured
from tests.contract.neighbours import neighbour_of
from tests.contract.stored import assert_nothing_missing

pytestmark = pytest.mark.anyio

LOOP = {"source": "loop", "step": 1, "parents": {}}
SIZES = {
    "tiny": "v",
    "settled": "a value that moves out of its row " * 6,
    "medium": ["a list too small for a chunk of its own"] * 60,
    "large": [{"id": i, "content": f"message {i} " * 6} for i in range(200)],
}
every_size = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(params=[False, True], ids=["remembered", "forgotten"])
def maybe_forget(request: pytest.FixtureRequest, coloured: Coloured):
    def forget() -> None:
        if request.param:
            coloured.saver._handle.hints.reset()

    return forget


async def _values(coloured: Coloured, stored: Config) -> dict:
    return (await coloured.get_tuple(stored)).checkpoint["channel_values"]


async def _put(coloured: Coloured, parent: Config, values, versions, new) -> Config:
    return await coloured.put(parent, checkpoint(values, versions), LOOP, new)


async def _first(coloured: Coloured, value) -> Config:
    return await _put(coloured, config("t"), {"kept": value, "n": 1}, None, {"kept": 1, "n": 1})


@every_size
@pytest.mark.parametrize("given", [{}, {"kept": "stale"}], ids=["lacking", "stale"])
async def test_the_parents_value_wins_over_what_put_is_given(
    coloured: Coloured, maybe_forget, size: str, given: dict
) -> None:
    stored = await _first(coloured, SIZES[size])
    for n in (2, 3, 4):
        maybe_forget()
        stored = await _put(coloured, stored, {**given, "n": n}, {"kept": 1, "n": n}, {"n": n})
        assert await _values(coloured, stored) == {"kept": SIZES[size], "n": n}


@every_size
async def test_a_value_carried_far_outlives_the_checkpoint_that_brought_it(
    coloured: Coloured, maybe_forget, size: str
) -> None:
    stored = await _first(coloured, SIZES[size])
    for n in range(2, 12):
        maybe_forget()
        stored = await _put(coloured, stored, {"n": n}, {"kept": 1, "n": n}, {"n": n})
    await coloured.prune(["t"])
    assert await _values(coloured, stored) == {"kept": SIZES[size], "n": 11}
    assert_nothing_missing(coloured.saver)


@every_size
@pytest.mark.parametrize("gone", ["never stored", "thread deleted", "pruned", "damaged"])
async def test_without_the_parents_row_the_value_given_is_stored(
    coloured: Coloured, backend, maybe_forget, size: str, gone: str
) -> None:
    parent = await _first(coloured, SIZES[size])
    if gone == "never stored":
        parent = config("t", "never stored")
    elif gone == "thread deleted":
        await coloured.delete_thread("t")
    elif gone == "pruned":
        await _put(coloured, config("t"), {}, None, {})
        await coloured.prune(["t"])
    else:
        backend.damage(coloured.saver, "checkpoints", "state", lambda state: state[:-1])
    maybe_forget()
    given = {"kept": ["given", SIZES[size]], "n": 2}
    if gone == "damaged":
        given["kept"] = SIZES[size]
    stored = await _put(coloured, parent, given, {"kept": 1, "n": 2}, {"n": 2})
    assert await _values(coloured, stored) == given
    assert_nothing_missing(coloured.saver)


@every_size
async def test_a_version_used_again_in_a_fork_leaves_the_older_checkpoint_alone(
    coloured: Coloured, maybe_forget, size: str
) -> None:
    root = await _first(coloured, "start")
    left = await _put(
        coloured, root, {"kept": SIZES[size], "n": 1}, {"kept": 2, "n": 1}, {"kept": 2}
    )
    maybe_forget()
    fork = [SIZES[size], "fork"]
    right = await _put(coloured, root, {"kept": fork, "n": 1}, {"kept": 2, "n": 1}, {"kept": 2})
    maybe_forget()
    below = await _put(coloured, left, {"n": 2}, {"kept": 2, "n": 2}, {"n": 2})
    assert await _values(coloured, root) == {"kept": "start", "n": 1}
    assert await _values(coloured, left) == {"kept": SIZES[size], "n": 1}
    assert await _values(coloured, right) == {"kept": fork, "n": 1}
    assert await _values(coloured, below) == {"kept": SIZES[size], "n": 2}


@every_size
async def test_replacing_a_checkpoint_leaves_what_its_children_carried(
    coloured: Coloured, maybe_forget, size: str
) -> None:
    parent = await _first(coloured, SIZES[size])
    child = await _put(coloured, parent, {"n": 2}, {"kept": 1, "n": 2}, {"n": 2})
    maybe_forget()
    again = checkpoint({"kept": "other"}, {"kept": 1}, id=parent["configurable"]["checkpoint_id"])
    await coloured.put(config("t"), again, LOOP, {"kept": 1})
    assert await _values(coloured, child) == {"kept": SIZES[size], "n": 2}
    assert await _values(coloured, parent) == {"kept": "other"}


@every_size
async def test_a_parent_replaced_by_another_saver_is_read_anew(
    coloured: Coloured, size: str
) -> None:
    """Even if all that changed is bytes in the middle of a value."""
    parent = await _first(coloured, [SIZES[size], "old", SIZES[size]])
    again = (await coloured.get_tuple(parent)).checkpoint
    again["channel_values"]["kept"][1] = "new"
    with neighbour_of(coloured) as other:
        await other.put(config("t"), again, LOOP, {"kept": 1, "n": 1})
        await other.prune(["t"])
    child = await _put(coloured, parent, {"n": 2}, {"kept": 1, "n": 2}, {"n": 2})
    assert await _values(coloured, child) == {"kept": [SIZES[size], "new", SIZES[size]], "n": 2}
    assert_nothing_missing(coloured.saver)


async def test_a_changed_version_outside_new_versions_takes_the_value_given(
    coloured: Coloured, maybe_forget
) -> None:
    parent = await _first(coloured, "old")
    maybe_forget()
    child = await _put(coloured, parent, {"kept": "copied"}, {"kept": 7}, {})
    assert await _values(coloured, child) == {"kept": "copied"}


async def test_a_value_without_a_version_is_stored(coloured: Coloured, maybe_forget) -> None:
    parent = await _first(coloured, "old")
    maybe_forget()
    child = await _put(coloured, parent, {"kept": "loose"}, {}, {})
    assert await _values(coloured, child) == {"kept": "loose"}


async def test_a_parent_of_another_thread_or_namespace_gives_nothing(coloured: Coloured) -> None:
    parent = await _first(coloured, "secret")
    named = parent["configurable"]["checkpoint_id"]
    for elsewhere in (config("other", named), config("t", named, ns="sub")):
        stored = await _put(coloured, elsewhere, {"n": 1}, {"kept": 1, "n": 1}, {})
        assert await _values(coloured, stored) == {"n": 1}


async def test_a_snapshot_of_a_delta_channel_is_inherited(coloured: Coloured, maybe_forget) -> None:
    snapshot = _DeltaSnapshot(["a", "b"] * 400)
    parent = await _put(coloured, config("t"), {"d": snapshot}, {"d": 1}, {"d": 1})
    maybe_forget()
    child = await _put(coloured, parent, {"n": 1}, {"d": 1, "n": 1}, {"n": 1})
    maybe_forget()
    grandchild = await _put(coloured, child, {"n": 1}, {"d": 2, "n": 1}, {"d": 2})
    assert await _values(coloured, child) == {"d": snapshot, "n": 1}
    assert await _values(coloured, grandchild) == {"n": 1}
    history = await coloured.get_delta_channel_history(config=grandchild, channels=["d"])
    assert history == {"d": {"writes": [], "seed": snapshot}}
