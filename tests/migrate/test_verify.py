"""A verification finds every difference, names it, and finds none where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lgckpt
from lgckpt.backends.memory_thread import Thread
from lgckpt.core import core
from lgckpt.errors import FrameError
from lgckpt.migration.compare import _same
from lgckpt.migration.engine import passes
from lgckpt.migration.plain import plain
from lgckpt.migration.progress import Progress
from lgckpt.migration.thread import How
from lgckpt.migration.verify import verify
from lgckpt.packing import Packer, State, unpack_state
from lgckpt.rows import HIDDEN, CheckpointRow
from lgckpt.serde import Serializer
from tests.checkpoints import checkpoint, config
from tests.contract.hospital import flip
from tests.migrate.sides import Foreign, Watched, fill

LATEST = 3


@pytest.fixture
def pair() -> Iterator[tuple[lgckpt.MemorySaver, lgckpt.MemorySaver]]:
    """Two savers that hold the same: threads "a" and "b" of four checkpoints each."""
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver() as target:
        for name in "ab":
            asyncio.run(fill(source, name, LATEST + 1))
        assert lgckpt.migrate(source, target, verify=True).ok
        yield source, target


def of(saver: lgckpt.Saver, name: str = "a") -> Thread:
    thread: Thread = saver._handle.storage._all[name]
    return thread


def found(pair: tuple[lgckpt.Saver, lgckpt.Saver], **options: Any) -> list[tuple[str, str, str]]:
    """Kind, thread and what of each difference."""
    done = lgckpt.migrate(*pair, verify_only=True, **options)
    assert done.verification is not None
    assert done.ok is (not done.verification.differences)
    assert done.verification.different == len(done.verification.differences)
    return sorted((d.kind, d.thread_id, d.what) for d in done.verification.differences)


def test_two_that_are_equal_are_equal(pair) -> None:
    done = lgckpt.migrate(*pair, verify_only=True)
    assert done.ok
    assert done.verification.equal
    counted = done.verification
    assert (counted.threads, counted.checkpoints, counted.writes) == (2, 8, 24)
    assert (done.checkpoints, done.passes) == (0, 0)


def test_a_missing_and_an_extra_thread(pair) -> None:
    source, target = pair
    asyncio.run(fill(target, "c", 1))
    asyncio.run(fill(source, "d", 2))
    expected = [("extra", "c", "thread"), *[("missing", "d", "checkpoint")] * 2]
    assert found(pair) == expected
    assert found(pair, threads=["a"]) == []


def test_a_missing_and_an_extra_checkpoint_are_named(pair) -> None:
    source, target = pair
    gone = max(of(target).rows)
    of(target).drop(gone)
    done = lgckpt.migrate(source, target, verify_only=True)
    (difference,) = done.verification.differences
    assert (difference.kind, difference.thread_id, difference.what) == (
        "missing", "a", "checkpoint",
    )  # fmt: skip
    assert (difference.checkpoint_ns, difference.checkpoint_id) == gone
    assert gone[1] in str(difference)
    assert found((target, source)) == [("extra", "a", "checkpoint")]


def test_a_checkpoint_of_which_only_the_writes_are_there(pair) -> None:
    thread = of(pair[1])
    gone = max(thread.rows)
    writes = thread.writes[gone]
    thread.drop(gone)
    thread.writes[gone] = writes
    assert found(pair) == [("missing", "a", "checkpoint")]


def test_a_missing_an_extra_and_a_changed_write(pair) -> None:
    batches = of(pair[1]).writes
    first, second, third, *_ = sorted(batches)
    (name,) = [n for n, w in batches[first].items() if w.channel == "v"]
    del batches[first][name]
    row = batches[second][name[0].replace("0", "1"), name[1]]
    batches[second]["another", 0] = row._replace(task_id="another", idx=0)
    key = name[0].replace("0", "2"), name[1]
    batches[third][key] = batches[third][key]._replace(value=core.seal(b"\0\x07", None))
    assert found(pair) == [
        ("changed", "a", "write 1 of task task 2 to v"),
        ("extra", "a", "write 0 of task another to v"),
        ("missing", "a", "write 1 of task task 0 to v"),
    ]


@pytest.mark.parametrize("field", ["task_path", "channel"])
def test_the_names_of_a_write(pair, field: str) -> None:
    batch = of(pair[1]).writes[max(of(pair[1]).writes)]
    for name, row in batch.items():
        if row.channel == "v":
            batch[name] = row._replace(**{field: "other"})
    assert found(pair) == [("changed", "a", "write 1 of task task 3 to v")]


def _state(change: Callable[[State], State]) -> Callable[[CheckpointRow], CheckpointRow]:
    def changed(row: CheckpointRow) -> CheckpointRow:
        packer = Packer(Serializer(), "lz4")
        state, refs = packer.state(change(unpack_state(row)))
        return row._replace(state=state, refs=refs, etag=core.etag(state, refs, row.metadata))

    return changed


def _value(state: State) -> State:
    n = state.values["n"]
    return state._replace(values={**state.values, "n": n._replace(tail=b"\x63")})


def _without(state: State) -> State:
    return state._replace(values={"n": state.values["n"]})


def _checkpoint(state: State) -> State:
    made = {**core.decode(state.checkpoint), "versions_seen": {"x": {"n": 1}}}
    return state._replace(checkpoint=core.encode(made))


def _metadata(row: CheckpointRow) -> CheckpointRow:
    frame = core.seal(b"msgpack\0" + core.encode({"step": 99}), None)
    return row._replace(metadata=frame, etag=core.etag(row.state, row.refs, frame))


CHANGES: dict[str, Callable[[CheckpointRow], CheckpointRow]] = {
    "parent": lambda row: row._replace(parent_id="other"),
    "run": lambda row: row._replace(run_id="other"),
    "visibility": lambda row: row._replace(flags=HIDDEN),
    "metadata": _metadata,
    "checkpoint": _state(_checkpoint),
    "channel n": _state(_value),
    "channel large": _state(_without),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_of_a_checkpoint_changed_is_named(pair, what: str) -> None:
    rows = of(pair[1]).rows
    rows[max(rows)] = CHANGES[what](rows[max(rows)])
    assert found(pair) == [("changed", "a", what)]


def test_a_value_of_which_a_chunk_differs_is_named(pair) -> None:
    source, target = pair
    other = checkpoint({"large": ["else"] * 3000, "n": 3}, id=max(of(target).rows)[1])
    rows = of(target).rows
    before = rows[max(rows)]
    target.put(config("a", before.parent_id), other, {"step": 3}, {"large": 9, "n": 9})
    kept = max(rows)
    rows[kept] = rows[kept]._replace(metadata=before.metadata)
    whats = {what for kind, _, what in found(pair) if kind == "changed"}
    assert "channel large" in whats
    assert "channel n" not in whats
    assert source is not None


@pytest.mark.parametrize("side", ["source", "target"])
def test_damage_is_a_difference_that_names_its_side(pair, side: str) -> None:
    thread = of(pair[0 if side == "source" else 1])
    key = max(thread.chunks, key=lambda h: len(thread.chunks[h]))
    thread.chunks[key] = flip(500)(thread.chunks[key])
    told = found(pair)
    assert told
    assert all(kind == "changed" and name == "a" for kind, name, _ in told)
    assert all(f"damaged on the {side}" in what for _, _, what in told)


def test_a_chunk_lost_on_the_target_is_a_difference(pair) -> None:
    of(pair[1]).chunks.clear()
    assert len(found(pair)) == 8
    assert all("is missing" in what for _, _, what in found(pair))


def test_other_compressions_and_packings_are_no_difference() -> None:
    """The same threads, put by one saver in another compression, and with another layout."""
    with lgckpt.MemorySaver() as source, lgckpt.MemorySaver(compression="zstd") as target:
        for saver in (source, target):
            above = config("a")
            for n in range(3):
                made = checkpoint(
                    {"large": [f"{i} {n}" * 9 for i in range(900)], "n": n},
                    id=f"0000000{n}", ts="now",
                )  # fmt: skip
                above = saver.put(above, made, {"step": n}, {"large": n, "n": n})
                saver.put_writes(above, [("w", ["x" * 50] * 200)], "task")
        rows = of(target).rows
        last = max(rows)
        state = unpack_state(rows[last])
        packer = Packer(Serializer(), None)
        values = {}
        for channel, value in state.values.items():
            values[channel], chunk = packer.settle(value)
            if chunk is not None:
                of(target).chunks[chunk.hash] = chunk.frame
        packed, refs = packer.state(state._replace(values=values))
        assert refs != rows[last].refs
        rows[last] = rows[last]._replace(
            state=packed, refs=refs, etag=core.etag(packed, refs, rows[last].metadata)
        )
        assert lgckpt.migrate(source, target, verify_only=True).ok
        # And a run that compares the two by their etags finds nothing to move either.
        done = lgckpt.migrate(source, target)
        assert done.writes == 0


def test_msgpack_and_json_of_one_metadata_are_no_difference(pair) -> None:
    rows = of(pair[1]).rows
    row = rows[max(rows)]
    data = core.decode(core.unseal(row.metadata).partition(b"\0")[2])
    import json  # noqa: PLC0415

    frame = core.seal(b"json\0" + json.dumps(data).encode(), None)
    rows[max(rows)] = row._replace(metadata=frame, etag=core.etag(row.state, row.refs, frame))
    assert found(pair) == []


def test_foreign_sides_are_compared_by_content() -> None:
    source, target = Watched(), Foreign()
    asyncio.run(fill(source.saver, "a"))

    async def work() -> list[str]:
        progress = Progress()
        await passes(source, target, How(), 2, progress, None, count=False)
        rows = of(target.saver).rows
        rows[max(rows)] = rows[max(rows)]._replace(run_id=None, parent_id="other")
        told = await verify(source, target, 2, progress, extra=target, count=False)
        return [d.what for d in told.differences]

    assert asyncio.run(work()) == ["parent"]


def test_the_differences_listed_are_bounded_and_all_counted(pair, monkeypatch) -> None:
    from lgckpt.migration import verify as module  # noqa: PLC0415

    monkeypatch.setattr(module, "LISTED", 3)
    of(pair[1]).chunks.clear()
    done = lgckpt.migrate(*pair, verify_only=True)
    assert (done.verification.different, len(done.verification.differences)) == (8, 3)


def test_no_class_of_anybodys_is_needed(pair, monkeypatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("deserialized")

    monkeypatch.setattr(Serializer, "loads_typed", refuse)
    with lgckpt.MemorySaver() as other:
        done = lgckpt.migrate(pair[0], other, verify=True, re_encode="zstd")
        assert done.ok


def test_the_order_of_a_set_is_no_difference() -> None:
    packed = [Serializer().dumps_typed({"names": found}) for found in (_set(1), _set(-1))]
    assert packed[0] != packed[1]
    assert _same(*packed)
    assert not _same(packed[0], Serializer().dumps_typed({"names": {"a", "z"}}))


def _set(step: int) -> set[int]:
    """A set that is iterated in another order for another step."""
    made = set(range(0, 32 * 8, 8))
    made.clear()
    for n in (0, 8, 16, 24)[::step]:
        made.add(n)
    return made


def test_what_is_nested_too_deeply_to_be_compared_is_not_called_equal() -> None:
    texts = [b"[" * 900 + end + b"]" * 900 for end in (b"1", b"2")]
    for one, other in (texts, [b"[" * 100_000 + b"]" * 100_000, texts[0]]):
        assert _same(("json", one), ("json", one))
        assert not _same(("json", one), ("json", other))


def test_json_that_is_nested_too_deeply_is_damaged() -> None:
    with pytest.raises(FrameError, match="damaged JSON"):
        plain("json", b"[" * 100_000 + b"]" * 100_000)
