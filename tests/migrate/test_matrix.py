"""From every side to every other: a graph that goes on there does as it would have here."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command

import lgckpt
from tests.checkpoints import config
from tests.compat.delta_graphs import asking, both, chain, nested, sends
from tests.contract.graphs import chat, counting, with_subgraphs
from tests.migrate.places import SOURCES, TARGETS

Graph = Any
Go = Callable[[Graph], Any]


def _turn(number: int) -> dict[str, Any]:
    return {"turn": number, "log": [f"user {number}"]}


def _chat(saver: Any) -> Graph:
    return chat(ask=True).compile(checkpointer=saver)


def _subgraph(saver: Any) -> Graph:
    calls = counting(ask=True).compile(checkpointer=True)
    return with_subgraphs(calls=calls, last=counting().compile()).compile(checkpointer=saver)


def _forked(graph: Graph) -> None:
    """Two turns, a fork of the middle of the first, and an update of the last."""
    for n in range(2):
        graph.invoke(both(f"{n}"), config("t"))
    middle = list(graph.get_state_history(config("t")))[4]
    graph.invoke(None, middle.config)
    graph.update_state(config("t"), both("updated"), as_node="a")


def _travel(graph: Graph) -> list[Any]:
    """Go on from where it is, and from a checkpoint that was made on the source."""
    now = graph.invoke(both("more"), config("t"))
    past = list(graph.get_state_history(config("t")))[-4]
    return [now, graph.invoke(None, past.config), graph.get_state(config("t")).values]


def _interrupted(graph: Graph) -> None:
    graph.invoke(_turn(0), config("t"))
    graph.invoke(Command(resume="first"), config("t"))
    graph.invoke(_turn(1), config("t"))


def _resumed(graph: Graph) -> list[Any]:
    state = graph.get_state(config("t"), subgraphs=True)
    asked = [task.interrupts for task in state.tasks]
    return [
        asked, state.next,
        graph.invoke(Command(resume="second"), config("t")),
        graph.get_state(config("t")).values,
    ]  # fmt: skip


def _said(graph: Graph) -> Any:
    return graph.invoke(both("said"), config("t"))


LIVES: dict[str, tuple[Callable[[Any], Graph], Go, Go]] = {
    "interrupt": (_chat, _interrupted, _resumed),
    "subgraph": (_subgraph, lambda graph: graph.invoke(_turn(0), config("t")), _resumed),
    "pending writes": (asking(100), _said, _resumed),
    "delta and forks": (chain(3), _forked, _travel),
    "delta that is never a snapshot": (chain(10_000), _forked, _travel),
    "nested": (nested(100, True), _said, _said),
    "sends": (sends(3), _said, _said),
}

_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def told(found: Any) -> str:
    """What a graph gave, but for ids that are made anew in each run."""
    return _ID.sub("an id", repr(found))


def seen(saver: Any) -> list[Any]:
    """All that a saver shows of the thread, oldest first."""
    everything = saver.list({"configurable": {"thread_id": "t"}})
    return sorted(
        (
            one.config["configurable"]["checkpoint_ns"],
            one.config["configurable"]["checkpoint_id"],
            (one.parent_config or {}).get("configurable", {}).get("checkpoint_id"),
            told_checkpoint(one.checkpoint),
            repr(sorted(one.metadata.items())),
            [*map(repr, one.pending_writes or [])],
        )
        for one in everything
    )


def told_checkpoint(checkpoint: dict[str, Any]) -> str:
    kept = ("v", "id", "ts", "channel_versions", "versions_seen", "channel_values")
    return repr([(name, _plain(checkpoint[name])) for name in kept])


def _plain(value: Any) -> Any:
    """Without the order of dicts, and the snapshots that LangGraph's tables in Postgres repeat."""
    if not isinstance(value, dict):
        return value
    kept = {k: v for k, v in value.items() if not isinstance(v, _DeltaSnapshot)}
    return sorted(((k, _plain(v)) for k, v in kept.items()), key=repr)


@pytest.mark.parametrize("life", LIVES)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("source", SOURCES)
def test_a_graph_goes_on_on_the_target(source: str, target: str, life: str) -> None:
    build, begin, go_on = LIVES[life]
    with SOURCES[source]() as here, TARGETS[target]() as there:
        with here.saver() as saver:
            begin(build(saver))
            before = seen(saver)
        done = lgckpt.migrate(here.where, there.where, verify=True)
        assert done.verification is not None
        assert done.verification.differences == ()
        assert done.checkpoints == len(before) > 0
        again = lgckpt.migrate(here.where, there.where)
        assert (again.checkpoints, again.writes, again.skipped) == (0, 0, 0)
        with there.saver() as saver:
            assert seen(saver) == before
            theirs = told(go_on(build(saver)))
        with here.saver() as saver:
            ours = told(go_on(build(saver)))
        assert theirs == ours
