"""Calls a graph in either colour, and writes down all that comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import lgckpt
from tests.accelerate.canonical import Canonical

MODES = ["values", "updates", "custom", "messages", "tasks", "checkpoints", "debug"]


class Driver:
    """A scenario's hand on its graphs.

    Args:
        colour: "sync" or "async".
        prepare: What is done to each graph that is compiled.
    """

    def __init__(self, colour: str, prepare: Callable[[Any], None] = lambda graph: None) -> None:
        self._async = colour == "async"
        self._prepare = prepare
        self._canonical = Canonical()
        self.log: list[Any] = []
        self.config: dict[str, Any] = {
            "configurable": {"thread_id": "1"},
            "recursion_limit": 30,
        }

    def compile(self, builder: Any, **options: Any) -> Any:
        """Compile a graph, with a saver unless told otherwise."""
        options.setdefault("checkpointer", lgckpt.MemorySaver())
        graph = builder.compile(**options)
        self._prepare(graph)
        return graph

    def functional(self, graph: Any) -> Any:
        """Take a graph that a decorator made."""
        self._prepare(graph)
        return graph

    def note(self, what: Any) -> None:
        """Write something down."""
        self.log.append(self._canonical(what))

    def invoke(self, graph: Any, value: Any, config: Any = None, **options: Any) -> None:
        """Run a graph."""
        config = config or self.config

        async def call() -> Any:
            return await graph.ainvoke(value, config, **options)

        self._do(lambda: graph.invoke(value, config, **options), call)

    def stream(
        self, graph: Any, value: Any, config: Any = None, *, ordered: bool = True, **options: Any
    ) -> None:
        """Run a graph, and write down the events of all modes, of subgraphs too.

        Args:
            graph: The graph.
            value: Its input.
            config: Another than usual.
            ordered: Events come in one order; tasks in parallel end in any.
            options: Of `stream`.
        """
        config = config or self.config
        options = {"stream_mode": MODES, "subgraphs": True} | options

        async def call() -> Any:
            return [event async for event in graph.astream(value, config, **options)]

        self._do(lambda: list(graph.stream(value, config, **options)), call, ordered=ordered)

    def state(self, graph: Any, config: Any = None, *, subgraphs: bool = True) -> None:
        """Read the state."""
        config = config or self.config

        async def call() -> Any:
            return await graph.aget_state(config, subgraphs=subgraphs)

        self._do(lambda: graph.get_state(config, subgraphs=subgraphs), call)

    def update(self, graph: Any, values: Any, config: Any = None, **options: Any) -> Any:
        """Change the state; returns the new checkpoint's config."""
        config = config or self.config

        async def call() -> Any:
            return await graph.aupdate_state(config, values, **options)

        return self._do(lambda: graph.update_state(config, values, **options), call)

    def history(self, graph: Any, config: Any = None) -> list[Any]:
        """Read the history, and return it."""
        config = config or self.config

        async def call() -> Any:
            return [state async for state in graph.aget_state_history(config)]

        found: list[Any] = self._do(lambda: list(graph.get_state_history(config)), call)
        return found

    def checkpoints(self, graph: Any) -> None:
        """Write down what the saver holds."""
        self.note(
            [(c.checkpoint, c.metadata, c.pending_writes) for c in graph.checkpointer.list(None)]
        )

    def _do(self, sync: Callable[[], Any], call: Callable[[], Any], *, ordered: bool = True) -> Any:
        try:
            result = asyncio.run(call()) if self._async else sync()
        except Exception as error:
            self.note(error)
            return None
        if ordered:
            self.note(result)
        else:
            unnamed = Canonical(unnamed=True)
            self.log.append(sorted(repr(unnamed(event)) for event in result))
        return result
