"""The writes of parallel tasks are put together, and each comes to what it would alone."""

from __future__ import annotations

import operator
import threading
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.graph import START, StateGraph

import lgckpt
from lgckpt.drafting import TaskWrites
from lgckpt.gathering import Gatherer
from tests.checkpoints import checkpoint, config

pytest.importorskip("lgckpt._core", reason="the pure core accelerates nothing")

CONFIG: Any = {"configurable": {"thread_id": "t"}}
BRANCHES = 60
AT = config("t", "1")


class State(TypedDict):
    seen: Annotated[list[Any], operator.add]


class Opaque:
    """No serializer takes it."""


class Held:
    """Stands where a run's threads are: runs nothing until it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []

    def submit(self, function: Any, *args: Any, **options: Any) -> Any:
        future: Future[Any] = Future()
        self.jobs.append((future, function, args, options))
        return future

    def run(self) -> None:
        jobs, self.jobs = self.jobs, []
        for future, function, args, _ in jobs:
            try:
                future.set_result(function(*args))
            except Exception as exc:
                future.set_exception(exc)


def graph(saver: Any, last: Any = None) -> Any:
    builder: Any = StateGraph(State)
    for n in range(BRANCHES):
        value = last if last is not None and n == BRANCHES - 1 else n
        builder.add_node(f"branch{n}", lambda state, value=value: {"seen": [value]})
        builder.add_edge(START, f"branch{n}")
    return builder.compile(checkpointer=saver)


def pending(saver: Any) -> list[Any]:
    """The writes of the checkpoint that the branches began with."""
    (found,) = [one for one in saver.list(CONFIG) if one.metadata["step"] == 0]
    return sorted((task, channel, value) for task, channel, value in found.pending_writes)


def stored_at(saver: Any) -> list[Any]:
    """The writes of the checkpoint at `AT`, which is put for that."""
    saver.put(config("t"), checkpoint({}, {}, id="1"), {"source": "loop"}, {})
    return saver.get_tuple(AT).pending_writes


@pytest.fixture
def gathered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tasks each `put_task_writes` was given."""
    found: list[int] = []
    put = lgckpt.MemorySaver.put_task_writes

    def counted(self: Any, config: Any, tasks: list[TaskWrites]) -> None:
        found.append(len(tasks))
        put(self, config, tasks)

    monkeypatch.setattr("lgckpt.saver.Saver.put_task_writes", counted)
    return found


@pytest.mark.parametrize("is_accelerated", [True, False])
def test_every_branch_has_its_writes(is_accelerated: bool, gathered: list[int]) -> None:
    how: AbstractContextManager[None] = lgckpt.accelerated() if is_accelerated else nullcontext()
    saver = lgckpt.MemorySaver()
    with how:
        result = graph(saver).invoke({"seen": []}, CONFIG)
    assert sorted(result["seen"]) == list(range(BRANCHES))
    assert sorted(value for _, _, (value,) in pending(saver)) == list(range(BRANCHES))
    assert len({task for task, _, _ in pending(saver)}) == BRANCHES
    if not is_accelerated:
        assert gathered == []


def test_only_accelerated_graphs_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Gatherer] = []
    init = Gatherer.__init__
    monkeypatch.setattr(
        Gatherer, "__init__", lambda self, *args: (made.append(self), init(self, *args))[1]
    )
    one, other = graph(lgckpt.MemorySaver()), graph(lgckpt.MemorySaver())
    with lgckpt.accelerated(one):
        made.clear()
        other.invoke({"seen": []}, CONFIG)
        assert made == []
        one.invoke({"seen": []}, CONFIG)
        assert made


@pytest.mark.parametrize("is_accelerated", [True, False])
def test_a_value_that_cannot_be_stored_is_told_and_the_others_are_stored(
    is_accelerated: bool, tmp_path: Path
) -> None:
    how: AbstractContextManager[None] = lgckpt.accelerated() if is_accelerated else nullcontext()
    with lgckpt.SqliteSaver(tmp_path / "agents.db") as saver:
        with how, pytest.raises(lgckpt.EncodeError):
            graph(saver, last=Opaque()).invoke({"seen": []}, CONFIG)
        assert len(pending(saver)) == BRANCHES - 1


def test_a_saver_with_a_put_writes_of_its_own_gets_each_call() -> None:
    calls: list[str] = []

    class Counting(lgckpt.MemorySaver):
        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            calls.append(task_id)
            super().put_writes(config, writes, task_id, task_path)

    saver = Counting()
    with lgckpt.accelerated():
        graph(saver).invoke({"seen": []}, CONFIG)
    assert {task for task, _, _ in pending(saver)} <= set(calls)
    assert len(calls) == len(set(calls))


def test_what_waits_for_a_thread_is_put_by_the_first(gathered: list[int]) -> None:
    saver, held = lgckpt.MemorySaver(), Held()
    gatherer = Gatherer(held.submit, put := saver.put_writes)
    elsewhere = config("t", "2")
    done = [gatherer.submit(put, AT, [("c", n)], f"task {n}", "") for n in range(5)]
    done += [gatherer.submit(put, elsewhere, [("c", n)], f"task {n}", "") for n in range(3)]
    assert len(held.jobs) == 1
    assert not any(one.done() for one in done)
    held.run()
    assert [one.result(0) for one in done] == [None] * 8
    assert gathered == [5, 3]
    later = gatherer.submit(put, AT, [("c", 9)], "task 9", "")
    assert len(held.jobs) == 1
    held.run()
    assert later.result(0) is None


def test_of_several_the_one_that_fails_has_the_error(gathered: list[int]) -> None:
    saver, held = lgckpt.MemorySaver(), Held()
    gatherer = Gatherer(held.submit, put := saver.put_writes)
    values = [1, Opaque(), 3]
    done = [gatherer.submit(put, AT, [("c", v)], f"task {n}", "") for n, v in enumerate(values)]
    ((of_all, *_),) = held.jobs
    held.run()
    assert [type(one.exception(0)) for one in done] == [type(None), lgckpt.EncodeError, type(None)]
    assert type(of_all.exception(0)) is lgckpt.EncodeError
    assert stored_at(saver) == [("task 0", "c", 1), ("task 2", "c", 3)]


def test_where_no_thread_can_be_had_nothing_is_kept() -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise RuntimeError("cannot schedule new futures after shutdown")

    saver = lgckpt.MemorySaver()
    gatherer = Gatherer(refuse, put := saver.put_writes)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="shutdown"):
            gatherer.submit(put, CONFIG, [("c", 1)], "task", "")


def test_anything_else_goes_its_own_way() -> None:
    saver, held = lgckpt.MemorySaver(), Held()
    gatherer = Gatherer(held.submit, saver.put_writes)
    gatherer.submit(print, 1, __cancel_on_exit__=True)
    ((_, function, args, options),) = held.jobs
    assert (function, args, options) == (print, (1,), {"__cancel_on_exit__": True})


def test_many_threads_hand_over_at_once() -> None:
    saver = lgckpt.MemorySaver()
    started = threading.Barrier(8)

    def start(function: Any, *args: Any) -> None:
        threading.Thread(target=function, args=args).start()

    gatherer = Gatherer(start, put := saver.put_writes)
    done: list[Any] = []

    def work(number: int) -> None:
        started.wait()
        for n in range(50):
            done.append(gatherer.submit(put, AT, [("c", n)], f"task {number} {n}", ""))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [one.result(30) for one in done] == [None] * 400
    assert len(stored_at(saver)) == 400
