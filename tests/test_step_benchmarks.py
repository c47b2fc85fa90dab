"""The benchmarks of channels, step and graphs time the same work on both sides, and ours native."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import _algo, _checkpoint

import lgckpt
from benchmarks.groups import channels, graph, step
from benchmarks.measures.idle_saver import IdleSaver
from benchmarks.runner import Settings
from benchmarks.workloads import graphs
from benchmarks.workloads.chat import conversation
from benchmarks.workloads.wide import CHANNELS, TASKS, Wide
from lgckpt import pregel


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(quick=True, samples=1, directory=tmp_path)


@pytest.mark.parametrize("row", channels.rows(), ids=lambda row: row.name.split(":")[0])
def test_channels_of_both_sides_agree(row: Any) -> None:
    assert row.check is not None
    kind, value = row.ours()
    row.check((kind, value), row.official())
    with pytest.raises(AssertionError, match="disagree"):
        row.check((kind, value), (kind, "another"))


def test_channels_of_our_side_are_ours() -> None:
    assert {row.name.split(":")[0] for row in channels.rows()} == set(channels.ours.__all__)
    made = [make(channels.ours) for _, make, _, _ in channels._KINDS]
    assert {type(channel).__module__ for channel in made} == {"lgckpt.channels"}
    mirrored = [make(channels.theirs) for _, make, _, _ in channels._KINDS]
    assert not {type(channel).__module__ for channel in mirrored} & {"lgckpt.channels"}


def test_a_wide_state_is_one_that_langgraph_has() -> None:
    wide = Wide(_algo.apply_writes, InMemorySaver())
    assert len(wide.channels) == CHANNELS == len(wide.checkpoint["channel_versions"])
    tasks = wide.tasks()
    assert len(tasks) == TASKS
    for _ in range(3):
        assert wide.apply(tasks) == {name for task in tasks for name, _ in task.writes}
    assert wide.held()[wide.sums[0]] == 4
    assert len(wide.held()) == CHANNELS - len(wide.triggers) + TASKS
    before = dict(wide.checkpoint["channel_versions"])
    changed = wide.change_two()
    versions = wide.checkpoint["channel_versions"]
    assert {n for n in versions if versions[n] != before[n]} == changed
    assert len(changed) == 2


def test_the_step_is_native_on_our_side_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (pregel.apply_writes, pregel.create_checkpoint) == step._OURS
    assert (_algo.apply_writes, _checkpoint.create_checkpoint) == step._THEIRS
    row = step._applied(step._OURS)
    theirs = row.official()
    monkeypatch.delattr(_algo, "apply_writes")
    ours = row.ours()
    step._equal(ours, theirs)
    with pytest.raises(AssertionError, match="disagree"):
        step._equal((set(), ours[1]), theirs)


@pytest.mark.parametrize("saver", [lgckpt.MemorySaver, InMemorySaver])
def test_saved_steps_are_read_back(saver: Any) -> None:
    side = step.Side(step._OURS, saver())
    for _ in range(3):
        assert side.save() > 0
    side.check()
    side.wide.channels[side.wide.names[0]].value = "never put"
    with pytest.raises(AssertionError, match="other values"):
        side.check()


def test_graphs_end_where_they_should(settings: Settings) -> None:
    messages = conversation(12)
    chat = graph.Graph(
        graphs.chat(lgckpt.MemorySaver(), messages), {"messages": messages[:1]}, accelerated=True
    )
    assert chat.run() > 0
    assert chat.last == {"messages": messages}
    value = {"results": [], "total": 0}
    parallel = graph.Graph(graphs.parallel(InMemorySaver(), 7), value, accelerated=False)
    assert parallel.run() > 0
    assert parallel.last == {"results": [*range(7)], "total": 21}


def test_the_saver_that_stores_nothing_is_called_as_any() -> None:
    calls: Counter[str] = Counter()

    class Counting(IdleSaver):
        def put(self, *given: Any) -> Any:
            calls["put"] += 1
            return super().put(*given)

        def put_writes(self, *given: Any) -> None:
            calls["put_writes"] += 1

    messages = conversation(8)
    run = graph.Graph(
        graphs.chat(Counting(), messages), {"messages": messages[:1]}, accelerated=True
    )
    run.run()
    assert run.last == {"messages": messages}
    assert calls["put"] >= 8
    assert calls["put_writes"] >= 7


@pytest.mark.parametrize("accelerated", [True, False])
def test_only_our_side_is_accelerated(accelerated: bool) -> None:
    if lgckpt.status().acceleration.scope == "all":
        pytest.skip("the whole run is accelerated")
    scopes: Counter[str] = Counter()

    class Looking:
        def invoke(self, value: Any, config: Any) -> Any:
            scopes[lgckpt.status().acceleration.scope] += 1
            return value

        def get_state(self, config: Any) -> Any:
            return SimpleNamespace(metadata={"step": 3})

    graph.Graph(Looking(), {}, accelerated=accelerated).run()
    assert scopes == {"all" if accelerated else "none": 1}


def test_rows_state_their_bars(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MESSAGES", 6)
    monkeypatch.setattr(graph, "BRANCHES", 3)
    rows = [
        *step.run(settings),
        *graph.run(settings),
        *graph.run(replace(settings, self_check=True)),
    ]
    bars = [(row.goal.bar, row.goal.aim) for row in rows if row.goal.bar is not None]
    assert bars == [(8, 25), (5, 15), (1.3, 1.5), (3, 4), (1.3, 1.5), (3, 4)]
    assert {(row.goal.bar, row.goal.aim) for row in channels.rows()} == {(1.5, 3)}
    assert sum("nothing stored" in row.name for row in rows) == 5
    assert all(row.ours.median > 0 for row in rows)
