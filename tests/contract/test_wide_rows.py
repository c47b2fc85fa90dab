"""Rows of wide states that stay in this process are read as those that are written out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lgckpt
from lgckpt.backends.memory import MemoryStorage
from lgckpt.bulk import Room, nothing
from lgckpt.core import core
from lgckpt.hints import Hint
from lgckpt.rows import CheckpointKey, ThreadEdit
from lgckpt.saver import Saver
from tests.checkpoints import checkpoint, config
from tests.colours import Coloured

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        not hasattr(core.ObjectEncoder, "row"), reason="the pure Python core writes all rows out"
    ),
]

STEPS = 6
IDS = [f"{step:036}" for step in range(STEPS)]
KEYS = [CheckpointKey("t", "", i) for i in IDS]
PLACES = [("", i) for i in IDS]
NAMES = [f"channel {n}" for n in range(40)]
VERSIONS = [f"{step:032}.5" for step in range(STEPS)]
ROOM = Room(100, 1 << 20)


def put_step(saver: Any, step: int, values: dict[str, Any], source: str = "loop") -> Any:
    """The first step sets all channels, each further one the next of them."""
    versions = {
        **dict.fromkeys(NAMES, VERSIONS[0]),
        **dict(zip(NAMES, VERSIONS[:step], strict=False)),
    }
    fresh = {NAMES[step]: VERSIONS[step]} if step else versions
    made = checkpoint(values, {**versions, **fresh}, id=IDS[step], ts="2026-01-02")
    at = config("t", IDS[step - 1] if step else None)
    return saver.put(at, made, {"source": source, "step": step}, fresh)


def fill(saver: Any, given: dict[int, Any] | None = None, source: str = "loop") -> None:
    """All steps: what some of them set, and where the last one comes from, if not as usual."""
    values: dict[str, Any] = dict.fromkeys(NAMES, "first")
    for step in range(STEPS):
        values[NAMES[step]] = (given or {}).get(step, step)
        put_step(saver, step, values, source if step == STEPS - 1 else "loop")


@pytest.fixture
def staying() -> Iterator[lgckpt.MemorySaver]:
    with lgckpt.MemorySaver() as saver:
        fill(saver)
        thread = saver._handle.storage._all["t"]
        assert sum(type(row.state) is not bytes for row in thread.rows.values()) == STEPS - 1
        yield saver


@pytest.fixture
def written_out() -> Iterator[Saver]:
    with Saver(MemoryStorage()) as saver:
        fill(saver)
        yield saver


async def test_every_backend_gives_a_wide_state_back(coloured: Coloured) -> None:
    values: dict[str, Any] = dict.fromkeys(NAMES, "first")
    for step in range(STEPS):
        values[NAMES[step]] = step
        stored = await put_step(coloured, step, values)
        assert (await coloured.get_tuple(stored)).checkpoint["channel_values"] == values


def viewed(storage: Any) -> list[Any]:
    found = []

    async def decide(view: Any) -> ThreadEdit:
        found.extend([await view.row(*place) for place in PLACES])
        return ThreadEdit()

    storage.edit_thread("t", decide)
    return found


def copied(storage: Any) -> list[Any]:
    storage.copy_thread("t", "copy")
    return [storage.get_row(key._replace(thread_id="copy")) for key in KEYS]


WAYS: dict[str, Callable[[Any], Any]] = {
    "the latest": lambda it: it.get("t", "", None),
    "one": lambda it: [it.get(*key) for key in KEYS],
    "many": lambda it: it.get_many(KEYS),
    "a row alone": lambda it: [it.get_row(key) for key in KEYS],
    "ancestors": lambda it: it.chain(KEYS[-1], STEPS),
    "what an edit sees": viewed,
    "a copy": copied,
    "marks": lambda it: it.marks("t", None, STEPS),
    "a batch": lambda it: it.fetch("t", PLACES, nothing),
    "whole threads": lambda it: it.fetch_threads(["t"], ROOM),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_rows_that_are_written_out(
    staying: lgckpt.MemorySaver, written_out: Saver, way: str
) -> None:
    given = [WAYS[way](saver._handle.storage) for saver in (staying, written_out)]
    assert given[0] == given[1]


@pytest.mark.parametrize("step", [1, STEPS - 1])
def test_who_read_a_parent_takes_a_value_from_it(staying: lgckpt.MemorySaver, step: int) -> None:
    """A DeltaChannel gives no value: only the parent has it."""
    staying._handle.hints.reset()
    stored = put_step(staying, step, {NAMES[step]: "new"})
    found = staying.get_tuple(stored).checkpoint["channel_values"]
    carried = {name: n if n < step else "first" for n, name in enumerate(NAMES)}
    assert found == {**carried, NAMES[step]: "new"}


@pytest.mark.parametrize(
    "other",
    [{"given": {1: "other"}}, {"given": {STEPS - 1: "other"}}, {"source": "update"}],
    ids=["a carried value", "a new value", "metadata"],
)
def test_rows_that_differ_have_other_etags(
    staying: lgckpt.MemorySaver, other: dict[str, Any]
) -> None:
    """As they are stored, read by nobody yet: a put upon one of them claims its etag."""
    with lgckpt.MemorySaver() as beside:
        fill(beside, **other)
        rows = [it._handle.storage._all["t"].rows[PLACES[-1]] for it in (staying, beside)]
        assert rows[0].etag != rows[1].etag


def test_what_is_remembered_of_a_row_counts_its_values() -> None:
    values = {name: name * 100 for name in NAMES}
    with lgckpt.MemorySaver() as saver:
        put_step(saver, 0, values)
        hint = saver._handle.hints.get("t", "", IDS[0])
        assert isinstance(hint, Hint)
        assert hint.inline is not None
        assert hint.nbytes() > sum(map(len, values.values()))
