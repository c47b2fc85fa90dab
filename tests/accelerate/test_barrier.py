"""A run's checkpoints are packed at the barrier, and stored as they were there."""

from __future__ import annotations

import asyncio
import gc
import operator
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.pregel._loop import PregelLoop

import lgckpt
from lgckpt import operations
from lgckpt.snapshots import Snapshot

pytest.importorskip("lgckpt._core", reason="the pure core accelerates nothing")

CONFIG: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 100}
STEPS = 6


class State(TypedDict):
    seen: Annotated[list[Any], operator.add]
    notes: dict[str, list[str]]
    n: int


class Opaque:
    """No serializer takes it."""


def graph(saver: Any, work: Any = None) -> Any:
    def node(state: State) -> dict[str, Any]:
        if work is not None:
            work(state)
        return {"seen": [state["n"]], "n": state["n"] + 1}

    builder: Any = StateGraph(State)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    builder.add_conditional_edges("node", lambda state: "node" if state["n"] < STEPS else END)
    return builder.compile(checkpointer=saver)


def start() -> dict[str, Any]:
    return {"seen": [], "notes": {"all": ["as it was"]}, "n": 0}


@pytest.fixture
def puts(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every put: whether it stores what was packed at the barrier."""
    found: list[bool] = []
    rows_of = operations.rows_of
    # The probe graph's puts are not counted.
    with lgckpt.accelerated():
        pass

    def noting(packer: Any, config: Any, checkpoint: Any, *given: Any) -> Any:
        rows = rows_of(packer, config, checkpoint, *given)
        found.append(isinstance(checkpoint, Snapshot) and rows is checkpoint.taken.rows)
        return rows

    monkeypatch.setattr(operations, "rows_of", noting)
    return found


@pytest.fixture(params=["memory", "sqlite"])
def saver(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/agents.db"
    with lgckpt.from_url(url) as opened:
        yield opened


def run(colour: str, graph: Any, given: Any, **options: Any) -> Any:
    if colour == "sync":
        return graph.invoke(given, CONFIG, **options)
    return asyncio.run(graph.ainvoke(given, CONFIG, **options))


@pytest.mark.parametrize("colour", ["sync", "async"])
@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_every_put_of_a_run_stores_its_snapshot(
    saver: Any, puts: list[bool], colour: str, durability: str
) -> None:
    with lgckpt.accelerated():
        found = run(colour, graph(saver), start(), durability=durability)
    assert found["seen"] == [*range(STEPS)]
    assert len(puts) == (1 if durability == "exit" else STEPS + 2)
    assert all(puts)


def test_only_runs_of_the_accelerated_graph_take_any(saver: Any, puts: list[bool]) -> None:
    one, other = graph(saver), graph(saver)
    with lgckpt.accelerated(one):
        run("sync", one, start())
        assert all(puts)
        before = len(puts)
        run("sync", other, start())
    assert not any(puts[before:])


@pytest.mark.parametrize("accelerate", [False, True])
@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_node_that_changes_its_input_in_place_tears_nothing(
    saver: Any, colour: str, accelerate: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LangGraph's own loop may pack a checkpoint while the next step runs; the control shows it."""
    changed, storage = threading.Event(), saver._handle.storage
    put, first = storage.put, []

    def slow(given: Any) -> Any:
        if not first:
            first.append(given)
            assert changed.wait(20)
        return put(given)

    def work(state: State) -> None:
        state["notes"]["all"].append(f"changed in step {state['n']}")
        changed.set()

    monkeypatch.setattr(storage, "put", slow)
    if colour == "async" and storage.inline:
        pytest.skip("its puts never wait")
    mine = graph(saver, work)
    with lgckpt.accelerated() if accelerate else nullcontext():
        run(colour, mine, start(), durability="async")
    monkeypatch.undo()
    history = [one.values for one in mine.get_state_history(CONFIG)]
    notes = [len(values["notes"]["all"]) for values in history if "notes" in values]
    assert len(notes) == STEPS + 1
    assert (set(notes) == {1}) is accelerate, notes


def test_snapshots_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    saver = lgckpt.MemorySaver()
    storage, take = saver._handle.storage, lgckpt.Saver.snapshot
    put, on_their_way, most = storage.put, set(), []

    def taken(self: Any, config: Any, checkpoint: Any, *given: Any) -> Any:
        on_their_way.add(checkpoint["id"])
        most.append(len(on_their_way))
        return take(self, config, checkpoint, *given)

    def slow(given: Any) -> Any:
        threading.Event().wait(0.05)
        on_their_way.remove(given.row.checkpoint_id)
        return put(given)

    with lgckpt.accelerated():
        monkeypatch.setattr("lgckpt.barrier.MOST", 3)
        monkeypatch.setattr(lgckpt.Saver, "snapshot", taken)
        monkeypatch.setattr(storage, "put", slow)
        run("sync", graph(saver), start(), durability="async")
    assert len(most) == STEPS + 2
    assert 2 <= max(most) <= 3


def test_other_savers_get_plain_checkpoints() -> None:
    kinds: set[type] = set()

    class Noting(InMemorySaver):
        def put(self, config: Any, checkpoint: Any, *given: Any) -> Any:
            kinds.add(type(checkpoint))
            return super().put(config, checkpoint, *given)

    with lgckpt.accelerated():
        run("sync", graph(Noting()), start())
    assert kinds == {dict}


def test_a_subclass_that_changes_what_is_put_is_obeyed(puts: list[bool]) -> None:
    class Redacting(lgckpt.MemorySaver):
        def put(self, config: Any, checkpoint: Any, *given: Any) -> Any:
            checkpoint["channel_values"]["notes"] = {"all": ["redacted"]}
            return super().put(config, checkpoint, *given)

    mine = graph(Redacting())
    with lgckpt.accelerated():
        run("sync", mine, start())
    assert not any(puts)
    assert mine.get_state(CONFIG).values["notes"] == {"all": ["redacted"]}


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_what_cannot_be_stored_fails_as_it_does_without(saver: Any, colour: str) -> None:
    given = {**start(), "notes": {"all": [Opaque()]}}
    errors = []
    for accelerate in (False, True):
        with lgckpt.accelerated() if accelerate else nullcontext():
            mine = graph(saver)
            with pytest.raises(lgckpt.EncodeError) as raised:
                run(colour, mine, given)
        errors.append((type(raised.value), str(raised.value)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_run_whose_put_failed_is_forgotten(saver: Any, colour: str) -> None:
    with lgckpt.accelerated(), pytest.raises(lgckpt.EncodeError):
        run(colour, graph(saver), {**start(), "notes": {"all": [Opaque()]}})
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, PregelLoop)]
