"""The native step gives what LangGraph's gives, on any state."""

from __future__ import annotations

import asyncio
import logging
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from langgraph.pregel import _algo, _checkpoint

from lgckpt import pregel
from tests.channels.kinds import outcome, seen_of
from tests.pregel.states import State

SEEDS = range(1500)


def twice(seed: int) -> tuple[State, State]:
    return State(Random(seed)), State(Random(seed))


def held(state: State) -> Any:
    return (
        {name: seen_of(channel) for name, channel in state.channels.items()},
        state.checkpoint,
    )


def applied(function: Any, state: State, versioned: bool) -> Any:
    next_version = state.next_version if versioned else None
    return outcome(
        lambda: function(
            state.checkpoint, state.channels, iter(state.tasks), next_version,
            state.trigger_to_nodes,
        )
    )  # fmt: skip


def test_apply_writes(caplog: pytest.LogCaptureFixture) -> None:
    raised = updated = 0
    with caplog.at_level(logging.WARNING):
        for seed in SEEDS:
            mine, original = twice(seed)
            for versioned in (True, True, False):
                caplog.clear()
                found = applied(pregel.apply_writes, mine, versioned)
                said = caplog.messages.copy()
                caplog.clear()
                wanted = applied(_algo.apply_writes, original, versioned)
                assert found == wanted, seed
                assert said == caplog.messages, seed
                if found[0] == "raises":
                    raised += 1
                    break
                assert held(mine) == held(original), seed
                updated += bool(found[1][1])
    assert raised > 50
    assert updated > 500


def test_what_a_failed_step_leaves() -> None:
    for seed in SEEDS:
        mine, original = twice(seed)
        if applied(pregel.apply_writes, mine, True)[0] == "raises":
            assert applied(_algo.apply_writes, original, True)[0] == "raises"
            for name, channel in mine.channels.items():
                assert seen_of(channel) == seen_of(original.channels[name]), seed
            assert mine.checkpoint["versions_seen"] == original.checkpoint["versions_seen"]


def test_create_checkpoint() -> None:
    for seed in SEEDS:
        state = State(Random(seed))
        random = Random(seed)
        deltas = {name for name in state.channels if random.random() < 0.2}
        given: Any = {
            "id": "given",
            "updated_channels": random.choice((None, set(), {"c2", "c1"})),
            "get_next_version": state.next_version,
            "trigger_to_nodes": state.trigger_to_nodes,
        }
        for extra in ({}, {"channels_to_snapshot": set()}, {"channels_to_snapshot": deltas}):
            for channels in (state.channels, None):
                args = (state.checkpoint, channels, 3)
                calls = [
                    outcome(lambda: without_time(function(*args, **given, **extra)))  # noqa: B023
                    for function in (pregel.create_checkpoint, _checkpoint.create_checkpoint)
                ]
                assert calls[0] == calls[1], seed


def without_time(checkpoint: Any) -> Any:
    assert checkpoint.pop("ts") > "2020"
    order = [list(checkpoint), list(checkpoint["channel_values"])]
    return [str(checkpoint), order]


def test_a_checkpoint_is_its_own() -> None:
    state = State(Random(7))
    applied(pregel.apply_writes, state, True)
    state.checkpoint["channel_values"] = {}
    for _ in range(3):
        before = state.checkpoint
        after = pregel.create_checkpoint(before, state.channels, 1)
        assert len(str(after["id"])) == 36
        assert after["channel_values"] is not before["channel_values"]
        assert after["channel_versions"] is not before["channel_versions"]
        assert list(after) == list(_checkpoint.create_checkpoint(before, state.channels, 1))
        state.checkpoint = after


class History:
    """A saver that has a history for every channel."""

    def get_delta_channel_history(self, *, config: Any, channels: Any) -> Any:
        return {name: {"writes": [("t", name, [1]), ("t", name, [2])]} for name in channels}

    async def aget_delta_channel_history(self, *, config: Any, channels: Any) -> Any:
        return self.get_delta_channel_history(config=config, channels=channels)


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("history", [False, True])
def test_channels_from_checkpoint(asynchronous: bool, history: bool) -> None:
    given: Any = {"saver": History(), "config": {}} if history else {}

    def restored(module: Any, specs: Any, checkpoint: Any) -> Any:
        if asynchronous:
            made = module.achannels_from_checkpoint(specs, checkpoint, **given)
            channels, managed = asyncio.run(made)
        else:
            channels, managed = module.channels_from_checkpoint(specs, checkpoint, **given)
        kinds = [(name, type(channel)) for name, channel in channels.items()]
        return [kinds, [seen_of(channel) for channel in channels.values()], str(managed)]

    for seed in SEEDS[:: 10 if asynchronous else 1]:
        state = State(Random(seed))
        specs: Any = dict(state.channels)
        if seed % 3 == 0:
            specs["managed"] = SimpleNamespace
        mine = outcome(lambda: restored(pregel, specs, state.checkpoint))  # noqa: B023
        original = outcome(lambda: restored(_checkpoint, specs, state.checkpoint))  # noqa: B023
        assert mine == original, seed


def test_triggers_and_plans() -> None:
    planned = 0
    for seed in SEEDS:
        state, random = State(Random(seed)), Random(seed)
        names = list(state.channels) or ["none"]
        processes = {
            f"n{index}": SimpleNamespace(triggers=random.choices(names, k=2)) for index in (2, 0, 3)
        }
        if names == ["none"]:
            processes = {}
        versions, seen = (state.checkpoint[key] for key in ("channel_versions", "versions_seen"))
        null = state.version()
        runs = []
        for name, proc in processes.items():
            args = (state.channels, versions, seen.get(name), null, proc)
            wanted = outcome(lambda: _algo._triggers(*args))  # noqa: B023
            assert outcome(lambda: pregel.triggers(*args)) == wanted, seed  # noqa: B023
            if wanted[1][1] is True and versions:
                runs.append(name)
        found = pregel.triggered_nodes(state.checkpoint, processes, state.channels)
        assert found == runs, seed
        nodes = {"c1": ["n3", "n0", "unknown"], "c2": ["n0"]}
        known = pregel.triggered_nodes(
            state.checkpoint, processes, state.channels,
            trigger_to_nodes=nodes, updated_channels={"c1", "c2", "c9"},
        )  # fmt: skip
        assert known == [name for name in ("n0", "n3") if name in runs], seed
        planned += len(found)
    assert planned > 300
