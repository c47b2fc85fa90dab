"""Who is instrumented, who is not any more, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

import lgckpt
from lgckpt.saver import Saver
from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint
from tests.colours import COLOURS, Coloured
from tests.telemetry.conftest import Told

CONFIG: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
METHODS = [n for n, method in vars(Saver).items() if callable(method) and not n.startswith("_")]


def count(told: Told) -> int:
    return len(told.spans())


def test_off_the_methods_are_the_savers_own(told: Told) -> None:
    before = dict(vars(Saver))
    with lgckpt.MemorySaver() as saver:
        lgckpt.instrument(saver, **told.providers)
        assert vars(Saver)["put"] is not before["put"]
        lgckpt.uninstrument(saver)
        assert dict(vars(Saver)) == before
        assert saver._handle.driver(sync=True) == saver._handle.bridge.blocking
        saver.get_tuple(CONFIG)
    assert count(told) == 0


def test_once_nobody_is_left_the_methods_are_given_back_with_the_next_change(told: Told) -> None:
    before = dict(vars(Saver))
    saver = lgckpt.MemorySaver()
    lgckpt.instrument(saver, **told.providers)
    del saver
    lgckpt.uninstrument()
    assert dict(vars(Saver)) == before


@pytest.mark.parametrize("name", METHODS)
def test_signatures_stay(name: str, told: Told) -> None:
    before = inspect.signature(getattr(Saver, name))
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
    kind = [is_kind(getattr(Saver, name)) for is_kind in kinds]
    lgckpt.instrument(**told.providers)
    assert inspect.signature(getattr(Saver, name)) == before
    assert [is_kind(getattr(Saver, name)) for is_kind in kinds] == kind


@pytest.mark.anyio
async def test_taken_back_in_the_midst_of_use_nothing_is_told_any_more(
    coloured: Coloured, told: Told
) -> None:
    await coloured.get_tuple(CONFIG)
    for _ in range(2):
        lgckpt.instrument(coloured.saver, **told.providers)
        await coloured.get_tuple(CONFIG)
        lgckpt.uninstrument(coloured.saver)
        before = told.samples()
        made = checkpoint({"n": 1})
        await coloured.put(CONFIG, made, {"source": "loop", "step": 1}, {"n": 1})
        await coloured.get_tuple(CONFIG)
        await coloured.delete_thread("t")
        assert told.samples() == before
    assert count(told) == 2


@pytest.mark.parametrize("colour", COLOURS)
def test_many_at_once_while_it_is_switched_on_and_off(
    backend: Backend, colour: str, told: Told
) -> None:
    with backend.open() as saver:
        coloured = Coloured(saver, colour)

        async def work(name: str) -> None:
            for step in range(15):
                await Thread(coloured, f"{name}-{step}").put({"n": step})

        with ThreadPoolExecutor(4) as pool:
            working = [pool.submit(asyncio.run, work(str(n))) for n in range(4)]
            while not all(one.done() for one in working):
                lgckpt.instrument(saver, **told.providers)
                time.sleep(0.002)
                lgckpt.uninstrument(saver)
            for one in working:
                one.result()
        assert len([*saver.list(None)]) == 60


def test_another_saver_tells_nothing(told: Told) -> None:
    with lgckpt.MemorySaver() as one, lgckpt.MemorySaver() as other:
        lgckpt.instrument(one, **told.providers)
        other.get_tuple(CONFIG)
        assert count(told) == 0
        one.get_tuple(CONFIG)
        assert count(told) == 1


def test_all_are_those_made_before_and_after(told: Told) -> None:
    with lgckpt.MemorySaver() as before:
        before.get_tuple(CONFIG)
        lgckpt.instrument(**told.providers)
        with lgckpt.MemorySaver() as after:
            before.get_tuple(CONFIG)
            after.get_tuple(CONFIG)
            assert count(told) == 2
            assert told.point("lgckpt.storage.duration", db_operation_name="get").count == 2
            lgckpt.uninstrument(before)
            before.get_tuple(CONFIG)
            after.get_tuple(CONFIG)
            assert count(told) == 3
            lgckpt.uninstrument()
            before.get_tuple(CONFIG)
            after.get_tuple(CONFIG)
            assert count(told) == 3


def test_said_again_it_is_told_once(told: Told) -> None:
    with lgckpt.MemorySaver() as saver:
        lgckpt.instrument(saver, **told.providers)
        lgckpt.instrument(**told.providers)
        lgckpt.instrument(saver, **told.providers)
        saver.get_tuple(CONFIG)
        assert count(told) == 1
        assert told.point("lgckpt.storage.duration", db_operation_name="get").count == 1


def test_clones_and_subclasses_tell_too(told: Told) -> None:
    class Mine(lgckpt.InMemorySaver):
        def get_tuple(self, config: Any) -> Any:
            return super().get_tuple(config)

    with Mine() as saver:
        clone = saver.with_allowlist([("tests.telemetry.conftest", "Told")])
        clone.get_tuple(CONFIG)
        lgckpt.instrument(saver, **told.providers)
        saver.get_tuple(CONFIG)
        clone.get_tuple(CONFIG)
        assert count(told) == 2


@pytest.mark.anyio
async def test_a_graph_on_an_instrumented_saver(told: Told) -> None:
    class State(TypedDict):
        n: int

    builder = StateGraph(State)
    builder.add_node("one", lambda state: {"n": state["n"] + 1})
    builder.add_edge(START, "one")
    builder.add_edge("one", END)
    async with lgckpt.SqliteSaver(":memory:") as saver:
        graph = builder.compile(checkpointer=saver)
        lgckpt.instrument(saver, **told.providers)
        config: Any = {"configurable": {"thread_id": "t"}}
        graph.invoke({"n": 1}, config)
        await graph.ainvoke({"n": 2}, config)
        assert (await graph.aget_state(config)).values == {"n": 3}
        (latest,) = saver.get_tuple(config).metadata.keys() & {"step"}
    operations = {span.attributes["db.operation.name"] for span in told.spans()}
    assert {"put", "put_writes", "get_tuple"} <= operations
    assert latest == "step"


def test_what_is_remembered_of_threads_stays(told: Told) -> None:
    with lgckpt.MemorySaver() as saver:
        saver._handle.hints.put("t", "", hint := _Hint())
        lgckpt.instrument(saver, **told.providers)
        assert saver._handle.hints.get("t", "", "id") is hint


class _Hint:
    checkpoint_id = "id"

    def nbytes(self) -> int:
        return 1


SCRIPT = """
import sys
sys.modules["opentelemetry"] = None
import lgckpt
try:
    lgckpt.instrument()
except lgckpt.ConfigurationError as exc:
    print(exc)
with lgckpt.MemorySaver() as saver:
    print(saver.get_tuple({"configurable": {"thread_id": "t"}}))
"""


def test_without_opentelemetry_it_is_said_what_to_install() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert "lgckpt[otel]" in done.stdout
    assert "None" in done.stdout


def test_nothing_of_opentelemetry_is_loaded_before() -> None:
    script = "import sys, lgckpt; print([m for m in sys.modules if 'opentelemetry' in m])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
