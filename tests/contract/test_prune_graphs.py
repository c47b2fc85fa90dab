"""Real graphs on a pruned thread: the state stays, and the run goes on as if nothing was pruned."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langgraph.graph import StateGraph
from langgraph.types import Command

from tests.checkpoints import config
from tests.colours import Coloured
from tests.contract.graphs import (
    DURABILITIES,
    Durability,
    Runner,
    chat,
    counting,
    parentless,
    with_subgraphs,
)
from tests.contract.stored import assert_nothing_missing, assert_nothing_unused

pytestmark = pytest.mark.anyio

BOTH = ("pruned", "twin")
every_durability = pytest.mark.parametrize("durability", DURABILITIES)


def _turn(number: int) -> dict[str, Any]:
    return {"turn": number, "log": [f"user {number}"]}


async def _prune(coloured: Coloured) -> None:
    await coloured.prune(["pruned"])
    assert_nothing_missing(coloured.saver)
    assert_nothing_unused(coloured.saver)


async def _namespaces(coloured: Coloured) -> list[str]:
    found = await coloured.list({"configurable": {"thread_id": "pruned"}})
    return sorted(one.config["configurable"]["checkpoint_ns"] for one in found)


async def _assert_twins(runner: Runner) -> None:
    pruned, twin = [await runner.state(thread) for thread in BOTH]
    assert pruned.values == twin.values
    assert pruned.next == twin.next


@every_durability
async def test_the_state_stays_and_the_next_turn_is_the_same(
    coloured: Coloured, durability: Durability
) -> None:
    runner = Runner(coloured, chat())
    for number in range(3):
        for thread in BOTH:
            await runner.invoke(_turn(number), thread, durability=durability)
    before = await runner.state("pruned")
    await _prune(coloured)
    assert await runner.history("pruned") == [parentless(before)]
    for thread in BOTH:
        await runner.invoke(_turn(3), thread, durability=durability)
    await _assert_twins(runner)


async def test_an_interrupt_that_waits_can_be_answered(coloured: Coloured) -> None:
    runner = Runner(coloured, chat(ask=True))
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
        await runner.invoke(Command(resume="one"), thread)
        await runner.invoke(_turn(1), thread)
    before = await runner.state("pruned")
    assert before.interrupts
    await _prune(coloured)
    assert await runner.state("pruned") == parentless(before)
    for thread in BOTH:
        assert (await runner.invoke(Command(resume="two"), thread))["log"][-1] == "answer: two"
    await _assert_twins(runner)


async def test_a_task_that_finished_before_a_failure_does_not_run_again(
    coloured: Coloured, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []
    failing: set[str] = set()
    saved = threading.Event()
    _tell_when_saved(coloured, monkeypatch, saved)

    def steady(state: Any) -> dict[str, Any]:
        runs.append("steady")
        return {"log": ["steady"]}

    def fragile(state: Any) -> dict[str, Any]:
        if failing:
            assert saved.wait(10)
            failing.clear()
            raise ZeroDivisionError("fragile")
        return {"log": ["fragile"]}

    builder = StateGraph(chat().state_schema)
    for node in (steady, fragile):
        builder.add_node(node.__name__, node)
        builder.set_entry_point(node.__name__)
    runner = Runner(coloured, builder)
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
        failing.add("fragile")
        saved.clear()
        with pytest.raises(ZeroDivisionError):
            await runner.invoke(_turn(1), thread)
    before = await runner.state("pruned")
    await _prune(coloured)
    assert await runner.state("pruned") == parentless(before)
    runs.clear()
    for thread in BOTH:
        await runner.invoke(None, thread)
    assert runs == []
    await _assert_twins(runner)


def _tell_when_saved(
    coloured: Coloured, monkeypatch: pytest.MonkeyPatch, saved: threading.Event
) -> None:
    """Set the event once the steady node's writes are stored."""
    saver = coloured.saver
    put_writes, aput_writes = saver.put_writes, saver.aput_writes

    def tell(writes: Any) -> None:
        if ("log", ["steady"]) in writes:
            saved.set()

    def put(config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        put_writes(config, writes, task_id, task_path)
        tell(writes)

    async def aput(config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        await aput_writes(config, writes, task_id, task_path)
        tell(writes)

    monkeypatch.setattr(saver, "put_writes", put)
    monkeypatch.setattr(saver, "aput_writes", aput)


async def test_an_interrupted_subgraph_can_be_resumed(coloured: Coloured) -> None:
    runner = Runner(coloured, with_subgraphs(call=counting(ask=True).compile()))
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
        await runner.invoke(Command(resume="one"), thread)
        await runner.invoke(_turn(1), thread)
    before = await runner.state("pruned", subgraphs=True)
    waiting = before.tasks[0].state.config["configurable"]["checkpoint_ns"]
    await _prune(coloured)
    assert await _namespaces(coloured) == ["", waiting]
    assert await runner.state("pruned", subgraphs=True) == parentless(before)
    for thread in BOTH:
        await runner.invoke(Command(resume="two"), thread)
    assert (await runner.state("pruned")).values["log"][-1] == "call 1 two in turn 1"
    await _assert_twins(runner)


@every_durability
async def test_a_subgraph_with_a_memory_keeps_it_and_finished_calls_go(
    coloured: Coloured, durability: Durability
) -> None:
    subgraphs = {
        "memory": counting().compile(checkpointer=True),
        "call": counting().compile(),
    }
    runner = Runner(coloured, with_subgraphs(**subgraphs))
    for number in range(3):
        for thread in BOTH:
            await runner.invoke(_turn(number), thread, durability=durability)
    await _prune(coloured)
    assert await _namespaces(coloured) == ["", "memory"]
    for thread in BOTH:
        await runner.invoke(_turn(3), thread, durability=durability)
    log = (await runner.state("pruned")).values["log"]
    assert "call 4 ok in turn 3" in log
    assert log[-1] == "call 1 ok in turn 3"
    await _assert_twins(runner)


async def test_a_call_within_an_interrupted_call_can_be_resumed(coloured: Coloured) -> None:
    inner = counting(ask=True).compile()
    outer = with_subgraphs(inner=inner).compile()
    runner = Runner(coloured, with_subgraphs(outer=outer))
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
        await runner.invoke(Command(resume="one"), thread)
        await runner.invoke(_turn(1), thread)
    await _prune(coloured)
    namespaces = await _namespaces(coloured)
    assert [ns.count("|") for ns in namespaces] == [0, 0, 1]
    for thread in BOTH:
        await runner.invoke(Command(resume="two"), thread)
    await _assert_twins(runner)


async def test_a_run_from_a_fork_goes_on_from_the_fork(coloured: Coloured) -> None:
    runner = Runner(coloured, chat())
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
        await runner.invoke(_turn(1), thread)
        older = next(s for s in await runner.history(thread) if s.values.get("turn") == 0)
        await runner.update(older.config, {"log": ["forked"]}, "last")
    await _prune(coloured)
    for thread in BOTH:
        await runner.invoke(_turn(2), thread)
    assert "forked" in (await runner.state("pruned")).values["log"]
    await _assert_twins(runner)


async def test_a_copy_of_the_kept_checkpoint_can_be_made(coloured: Coloured) -> None:
    runner = Runner(coloured, chat())
    for thread in BOTH:
        await runner.invoke(_turn(0), thread)
    await _prune(coloured)
    for thread in BOTH:
        await runner.update(thread, None, "__copy__")
        await runner.invoke(_turn(1), thread)
    await _assert_twins(runner)
    assert await coloured.get_tuple(config("pruned")) is not None
