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
from tests.migrate.places import SOURCES, TARGETS, Place

Graph = Any
Go = Callable[[Graph, str], Any]


def _turn(number: int) -> dict[str, Any]:
    return {"turn": number, "log": [f"user {number}"]}


def _chat(saver: Any) -> Graph:
    return chat(ask=True).compile(checkpointer=saver)


def _subgraph(saver: Any) -> Graph:
    calls = counting(ask=True).compile(checkpointer=True)
    return with_subgraphs(calls=calls, last=counting().compile()).compile(checkpointer=saver)


def _forked(graph: Graph, thread: str) -> None:
    """Two turns, a fork of the middle of the first, and an update of the last."""
    for n in range(2):
        graph.invoke(both(f"{n}"), config(thread))
    middle = list(graph.get_state_history(config(thread)))[4]
    graph.invoke(None, middle.config)
    graph.update_state(config(thread), both("updated"), as_node="a")


def _travel(graph: Graph, thread: str) -> list[Any]:
    """Go on from where it is, and from a checkpoint that was made on the source."""
    now = graph.invoke(both("more"), config(thread))
    past = list(graph.get_state_history(config(thread)))[-4]
    return [now, graph.invoke(None, past.config), graph.get_state(config(thread)).values]


def _interrupted(graph: Graph, thread: str) -> None:
    graph.invoke(_turn(0), config(thread))
    graph.invoke(Command(resume="first"), config(thread))
    graph.invoke(_turn(1), config(thread))


def _resumed(graph: Graph, thread: str) -> list[Any]:
    state = graph.get_state(config(thread), subgraphs=True)
    asked = [task.interrupts for task in state.tasks]
    return [
        asked, state.next,
        graph.invoke(Command(resume="second"), config(thread)),
        graph.get_state(config(thread)).values,
    ]  # fmt: skip


def _said(graph: Graph, thread: str) -> Any:
    return graph.invoke(both("said"), config(thread))


def _begun(graph: Graph, thread: str) -> Any:
    return graph.invoke(_turn(0), config(thread))


LIVES: dict[str, tuple[Callable[[Any], Graph], Go, Go]] = {
    "interrupt": (_chat, _interrupted, _resumed),
    "subgraph": (_subgraph, _begun, _resumed),
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


def seen(saver: Any) -> dict[str, list[Any]]:
    """All that a saver shows of each life."""
    return {thread: seen_of(saver, thread) for thread in LIVES}


def seen_of(saver: Any, thread: str) -> list[Any]:
    """All that a saver shows of a thread, oldest first."""
    everything = saver.list({"configurable": {"thread_id": thread}})
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


def gone_on(saver: Any) -> dict[str, str]:
    """What each graph gives as it goes on."""
    return {
        thread: told(go_on(build(saver), thread)) for thread, (build, _, go_on) in LIVES.items()
    }


def moved(here: Place, there: Place, before: dict[str, list[Any]]) -> dict[str, str]:
    """Migrate all lives, see to it that all arrived, and go on; gives what that gave."""
    done = lgckpt.migrate(here.where, there.where, verify=True)
    assert done.verification is not None
    assert done.verification.differences == ()
    assert done.checkpoints == sum(map(len, before.values()))
    again = lgckpt.migrate(here.where, there.where)
    assert (again.checkpoints, again.writes, again.skipped) == (0, 0, 0)
    with there.saver() as saver:
        assert seen(saver) == before
        return gone_on(saver)


@pytest.mark.parametrize("source", SOURCES)
def test_every_graph_goes_on_on_every_target(source: str) -> None:
    """One source for all targets: graphs take more time than migrations. It goes on last."""
    theirs: dict[str, dict[str, str]] = {}
    with SOURCES[source]() as here:
        with here.saver() as saver:
            for thread, (build, begin, _) in LIVES.items():
                begin(build(saver), thread)
            before = seen(saver)
        assert all(before.values())
        for target, make in TARGETS.items():
            with make() as there:
                theirs[target] = moved(here, there, before)
        with here.saver() as saver:
            assert seen(saver) == before
            ours = gone_on(saver)
    for target in TARGETS:
        assert theirs[target] == ours, f"{source} to {target}"
