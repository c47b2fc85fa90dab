"""A small graph, run to see which of LangGraph's places are really looked up.

It runs in a thread of its own with an empty context: the caller may be on an event loop, or in a
node of a graph.
"""

from __future__ import annotations

import asyncio
import operator
from collections import Counter
from collections.abc import Callable
from contextvars import Context, ContextVar
from threading import Thread
from typing import Annotated, Any, TypedDict

from langgraph.graph import StateGraph
from langsmith import tracing_context

from lgckpt.memory import MemorySaver

_SEEN: ContextVar[Counter[Any] | None] = ContextVar("lgckpt_probe", default=None)


class _State(TypedDict):
    words: Annotated[list[str], operator.add]
    last: str


def counted(key: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that counts the calls that the probe makes, and no others."""

    def counting(*args: Any, **kwargs: Any) -> Any:
        seen = _SEEN.get()
        if seen is not None:
            seen[key] += 1
        return function(*args, **kwargs)

    return counting


def run() -> Counter[Any]:
    """Run the probe.

    Returns:
        How often each `counted` function was called.

    Raises:
        RuntimeError: The graph failed, or gave another result than it has to.
    """
    seen: Counter[Any] = Counter()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            _SEEN.set(seen)
            with tracing_context(enabled=False):
                _check(_sync(_graph()), "sync")
                _check(asyncio.run(_async(_graph())), "async")
        except BaseException as failure:
            failures.append(failure)

    thread = Thread(target=Context().run, args=(work,), name="lgckpt-probe")
    thread.start()
    thread.join()
    if failures:
        raise RuntimeError(f"{type(failures[0]).__name__}: {failures[0]}") from failures[0]
    return seen


def _graph() -> Any:
    builder: Any = StateGraph(_State)
    builder.add_node("one", lambda state: {"words": ["one"], "last": "one"})
    builder.add_node("two", lambda state: {"words": [f"{state['last']} two"], "last": "two"})
    builder.add_edge("__start__", "one")
    builder.add_edge("one", "two")
    return builder.compile(checkpointer=MemorySaver())


_CONFIG: Any = {"configurable": {"thread_id": "probe"}}
_INPUT: Any = {"words": ["zero"], "last": "zero"}
_UPDATE: Any = {"words": ["three"]}
_NODES = {"__start__", "one", "two", "__end__"}
_EXPECTED = {"words": ["zero", "one", "one two", "three"], "last": "two"}


def _sync(graph: Any) -> Any:
    graph.invoke(_INPUT, _CONFIG)
    graph.update_state(_CONFIG, _UPDATE)
    return graph.get_state(_CONFIG).values, set(graph.get_graph().nodes)


async def _async(graph: Any) -> Any:
    await graph.ainvoke(_INPUT, _CONFIG)
    await graph.aupdate_state(_CONFIG, _UPDATE)
    state = await graph.aget_state(_CONFIG)
    return state.values, set((await graph.aget_graph()).nodes)


def _check(found: Any, colour: str) -> None:
    if found != (_EXPECTED, _NODES):
        raise RuntimeError(f"the {colour} probe graph gave {found}")
