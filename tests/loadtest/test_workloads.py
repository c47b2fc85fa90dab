"""Each workload has what its name promises."""

from __future__ import annotations

from statistics import mean
from typing import Any

from langchain_core.messages import AIMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.serde.types import INTERRUPT, RESUME

from lgckpt.loadtest.calls import Call, Get, History, Pause, Put, PutWrites, Together, place_of
from lgckpt.loadtest.workloads import parse
from lgckpt.serde import Serializer

SEEDS = range(20)


def calls(name: str, seed: int) -> list[Call | Pause | Together]:
    return list(parse(name).script("t", seed))


def puts(name: str, seed: int) -> list[dict[str, Any]]:
    """The values of each superstep."""
    return [one.checkpoint["channel_values"] for one in calls(name, seed) if isinstance(one, Put)]


def test_a_chat_grows_with_tools_usage_and_a_system_prompt() -> None:
    for seed in SEEDS:
        states = [one["messages"] for one in puts("chat", seed)]
        assert [len(one) for one in states] == list(range(2, len(states) + 2))
        said = states[-1]
        assert isinstance(said[0], SystemMessage)
        answers = [one for one in said if isinstance(one, AIMessage)]
        assert all(one.usage_metadata for one in answers)
        asked = [call["id"] for one in answers for call in one.tool_calls]
        assert asked
        assert asked == [one.tool_call_id for one in said if isinstance(one, ToolMessage)]
    assert max(len(puts("chat", seed)) for seed in SEEDS) > 60


def test_research_has_large_documents_and_few_steps() -> None:
    for seed in SEEDS:
        states = puts("research", seed)
        assert len(states) <= 20
        texts = [len(one["text"]) for one in states[-1]["documents"]]
        assert min(texts) >= 15_000
        assert len(texts) >= 3


def test_fanout_has_many_small_writes_at_once() -> None:
    size = Serializer().dumps_typed
    for seed in SEEDS:
        rounds = [one.calls for one in calls("fanout", seed) if isinstance(one, Together)]
        assert len(rounds) >= 2
        for tasks in rounds:
            assert len({one.task_id for one in tasks}) == len(tasks) >= 16
            assert len({place_of(one.config) for one in tasks}) == 1
            assert all(len(size(value)[1]) < 1_000 for one in tasks for _, value in one.writes)


def test_wide_has_hundreds_of_channels_of_which_a_few_change() -> None:
    counts = []
    for seed in SEEDS:
        first, *others = [one for one in calls("wide", seed) if isinstance(one, Put)]
        values = first.checkpoint["channel_values"]
        counts.append(len(values))
        assert len(first.versions) >= len(values)
        for one in others:
            assert len(one.checkpoint["channel_values"]) == len(values)
            assert len(one.versions) <= 10
    assert min(counts) >= 150
    assert mean(counts) > 200


def test_hitl_interrupts_waits_resumes_and_looks_back() -> None:
    resumed = forks = paged = earlier = 0
    for seed in SEEDS:
        asked: dict[str, bool] = {}
        waits = waited = 0
        newest = ""
        for one in calls("hitl", seed):
            if isinstance(one, Pause):
                waits += one.seconds > 0
                waited += 1
            elif isinstance(one, PutWrites):
                channels = {channel for channel, _ in one.writes}
                if INTERRUPT in channels:
                    asked[one.task_id] = False
                elif RESUME in channels:
                    # Of the task that asked, once a person has thought about it.
                    assert asked[one.task_id] is False
                    assert waits == len(asked)
                    asked[one.task_id] = True
            elif isinstance(one, Put):
                forks += one.metadata["source"] == "fork"
                newest = one.checkpoint["id"]
            elif isinstance(one, Get):
                earlier += place_of(one.config)[2] not in (None, newest)
            elif isinstance(one, History):
                paged += one.before is not None
        assert asked
        assert all(asked.values())
        assert waits == waited
        resumed += len(asked)
    assert resumed > 2 * len(SEEDS)
    assert min(forks, paged, earlier) > 0


def test_mixed_has_all_of_them() -> None:
    marks = {"branch:to:agent", "documents", "topics", "field_000", "approved"}
    assert {mark for seed in range(60) for mark in marks & puts("mixed", seed)[0].keys()} == marks
