"""On and off: nested, idempotent, exact, and said by `status`."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import lgckpt
import lgckpt.acceleration
from lgckpt._accelerate import places, probe, sources, steps
from lgckpt._accelerate.places import PLACES, Place
from tests.accelerate.scenarios import chain

ALL = [place for found in PLACES.values() for place in found]
ORIGINALS = {place: function.look_up() for function, found in PLACES.items() for place in found}
LOOP_APPLY = Place("langgraph.pregel._loop", "apply_writes")


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Acceleration as in a process that never had it."""
    monkeypatch.setattr(lgckpt.acceleration, "_STATE", lgckpt.acceleration._State())
    yield
    lgckpt.decelerate()


def originals_are_back() -> bool:
    return all(place.look_up() is function for place, function in ORIGINALS.items())


def scope() -> str:
    return lgckpt.status().acceleration.scope


def run() -> Any:
    return chain("a", "b").compile().invoke({"items": []})


# Imported, and not looked up at a barrier: `update_state` copies what it has read.
PLAIN = {("langgraph.pregel.main", "copy_checkpoint")}


def test_every_place_is_known() -> None:
    """No module of LangGraph's has one of the functions by a name that the table lacks."""
    found = {
        (name, attribute)
        for name, module in list(sys.modules.items())
        if name.startswith("langgraph.")
        for attribute, value in vars(module).items()
        if any(value is function for function in ORIGINALS.values())
    }
    defined = {tuple(function) for function in PLACES}
    known = {tuple(place) for place in ALL if "." not in place.name}
    assert found - defined - PLAIN == known - defined


def test_every_part_of_the_step_is_native() -> None:
    lgckpt.accelerate()
    found = lgckpt.status().acceleration
    assert found.scope == "all"
    assert found.native == tuple(sorted(map(str, ALL)))
    assert not found.others


def test_status_says_why_nothing_is_native() -> None:
    found = lgckpt.status()
    assert (found.core, found.acceleration.scope) == ("compiled", "none")
    assert found.acceleration.native == ()
    assert "accelerate() was not called" in found.acceleration.others["everything"]


def test_the_exact_originals_come_back(calls: Counter[str]) -> None:
    assert originals_are_back()
    lgckpt.accelerate()
    assert not any(place.look_up() is function for place, function in ORIGINALS.items())
    run()
    assert calls["apply_writes"]
    lgckpt.decelerate()
    assert originals_are_back()
    calls.clear()
    run()
    assert not calls


def test_idempotent() -> None:
    lgckpt.accelerate()
    lgckpt.accelerate()
    lgckpt.decelerate()
    assert originals_are_back()
    lgckpt.decelerate()
    assert originals_are_back()


def test_blocks_nest_and_leave_what_was_there() -> None:
    with lgckpt.accelerated():
        with lgckpt.accelerated():
            pass
        assert scope() == "all"
    assert originals_are_back()
    lgckpt.accelerate()
    with lgckpt.accelerated():
        lgckpt.decelerate()
        assert scope() == "all"
    assert originals_are_back()
    lgckpt.accelerate()
    with lgckpt.accelerated():
        pass
    assert scope() == "all"


def test_a_block_ends_with_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), lgckpt.accelerated():
        raise ZeroDivisionError
    assert originals_are_back()


def test_a_source_that_was_not_tested_with_is_left_alone(
    anew: None, monkeypatch: pytest.MonkeyPatch, calls: Counter[str]
) -> None:
    monkeypatch.setitem(sources.TESTED, "apply_writes", frozenset({"0" * 16}))
    with pytest.warns(RuntimeWarning, match="apply_writes: its source is not one") as caught:
        lgckpt.accelerate()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert run()["items"] == ["a", "b"]
    assert calls["triggers"]
    assert not calls["apply_writes"]
    found = lgckpt.status().acceleration
    assert set(found.others) == {str(place) for place in ALL if place.name == "apply_writes"}
    assert len(found.native) == len(ALL) - 3
    lgckpt.decelerate()
    assert originals_are_back()


def test_a_part_that_was_not_tested_with_counts(
    anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sources.TESTED, "_delta_channels_to_replay", frozenset())
    with pytest.warns(RuntimeWarning), lgckpt.accelerated():
        others = lgckpt.status().acceleration.others
    assert {name.rpartition(".")[2] for name in others} == {
        "channels_from_checkpoint",
        "achannels_from_checkpoint",
    }


def test_what_somebody_else_put_there_stays(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def theirs(*args: Any) -> Any:
        return ORIGINALS[LOOP_APPLY](*args)

    monkeypatch.setattr("langgraph.pregel._loop.apply_writes", theirs)
    with pytest.warns(RuntimeWarning, match="_loop.apply_writes: somebody else") as caught:
        lgckpt.accelerate()
    assert len(caught) == 1
    assert LOOP_APPLY.look_up() is theirs
    assert lgckpt.status().acceleration.others == {str(LOOP_APPLY): steps.FOREIGN}
    lgckpt.decelerate()
    assert LOOP_APPLY.look_up() is theirs
    monkeypatch.undo()


def test_what_somebody_else_put_over_ours_stays_until_they_take_it_back() -> None:
    lgckpt.accelerate()
    ours = LOOP_APPLY.look_up()

    def theirs(*args: Any) -> Any:
        return ours(*args)

    LOOP_APPLY.put(theirs)
    assert str(LOOP_APPLY) not in lgckpt.status().acceleration.native
    with pytest.warns(RuntimeWarning, match="stays in front of the native one: .*_loop.apply"):
        lgckpt.decelerate()
    assert LOOP_APPLY.look_up() is theirs
    assert run()["items"] == ["a", "b"]
    LOOP_APPLY.put(ours)
    lgckpt.decelerate()
    assert originals_are_back()


def test_a_place_that_the_probe_does_not_come_by_is_left_alone(
    anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_async", no_async)
    with pytest.warns(RuntimeWarning, match=steps.UNSEEN):
        lgckpt.accelerate()
    others = lgckpt.status().acceleration.others
    assert set(others) == {str(p) for p in ALL if p.name == "achannels_from_checkpoint"}
    assert set(others.values()) == {steps.UNSEEN}


async def no_async(graph: Any) -> Any:
    return probe._EXPECTED, probe._NODES


def test_a_probe_that_fails_leaves_everything_alone(
    anew: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_EXPECTED", {})
    with pytest.warns(RuntimeWarning, match="the sync probe graph gave"):
        lgckpt.accelerate()
    assert originals_are_back()
    assert set(lgckpt.status().acceleration.others) == set(map(str, ALL))
    assert run()["items"] == ["a", "b"]


def test_the_probe_leaves_no_trace(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in a graph in whose node it runs, nor on a running loop."""
    node = lambda state: lgckpt.accelerate() or {"items": ["in a node"]}  # noqa: E731
    builder = chain("a", "b")
    builder.add_node("c", node)
    builder.add_edge("b", "c")
    saver = lgckpt.MemorySaver()
    config = {"configurable": {"thread_id": "1"}}
    graph = builder.compile(checkpointer=saver)
    events = list(graph.stream({"items": []}, config, stream_mode="updates", subgraphs=True))
    assert [list(update) for _, update in events] == [["a"], ["b"], ["c"]]
    assert {found.config["configurable"]["thread_id"] for found in saver.list(None)} == {"1"}
    assert scope() == "all"


@pytest.mark.anyio
async def test_on_a_running_loop(anew: None) -> None:
    lgckpt.accelerate()
    assert (await chain("a").compile().ainvoke({"items": []}))["items"] == ["a"]
    assert not lgckpt.status().acceleration.others


def test_with_the_pure_core(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from lgckpt import _fallback  # noqa: PLC0415

    monkeypatch.setattr(lgckpt.acceleration, "core", _fallback)
    with pytest.warns(RuntimeWarning, match="nothing is accelerated") as caught:
        lgckpt.accelerate()
    assert len(caught) == 1
    with pytest.warns(RuntimeWarning, match="nothing is accelerated"), lgckpt.accelerated():
        assert originals_are_back()
    lgckpt.decelerate()
    assert "compiled core" in lgckpt.status().acceleration.others["everything"]


def test_without_langgraph(anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langgraph.pregel", None)
    for call in (lgckpt.accelerate, lambda: lgckpt.accelerated().__enter__()):
        with pytest.raises(lgckpt.ConfigurationError, match=r"lgckpt\[graph\]"):
            call()
    assert scope() == "none"
    lgckpt.decelerate()


@pytest.mark.parametrize("pure", ["", "1"])
def test_lgckpt_imports_no_graph_until_it_is_asked_to(pure: str) -> None:
    code = """if True:
        import sys, warnings, lgckpt
        assert lgckpt.status().acceleration.scope == "none"
        lgckpt.decelerate()
        assert "langgraph.pregel" not in sys.modules
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            lgckpt.accelerate()
        print(len(caught), len(lgckpt.status().acceleration.native))
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"LGCKPT_PURE": pure, "PATH": "", "PYTHONPATH": str(Path(lgckpt.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == (["1", "0"] if pure else ["0", str(len(ALL))]), done.stderr


def test_no_warning_where_all_is_well(anew: None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        lgckpt.accelerate()


def test_places_that_are_not_there_are_looked_up_as_nothing() -> None:
    assert Place("langgraph.pregel.nowhere", "any").look_up() is None
    assert Place("langgraph.pregel.main", "nothing").look_up() is None
    assert import_module(places.__name__) is places
