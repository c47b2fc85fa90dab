"""How a graph, and a run of it, are known to be accelerated by themselves.

A graph's channels are in a mapping that its copies share and every run is handed, and a run's
channels in one that every function of the step is handed. So the classes of those two mappings are
the marks: nothing is looked up by thread, task or context, and nothing outlives the graph or the
run.
"""

from __future__ import annotations

from typing import Any
from weakref import ref

from lgckpt.pregel import Channels


class Switch:
    """Whether something is accelerated: until it is taken back, or for as long as blocks last.

    Attributes:
        kept: It was switched on, and not off again.
        blocks: How many `with` blocks it is on for.
    """

    def __init__(self) -> None:
        self.kept = False
        self.blocks = 0

    @property
    def is_on(self) -> bool:
        """Whether it is on for one reason or another."""
        return self.kept or self.blocks > 0


class Specs(dict[str, Any]):
    """The channels of a compiled graph that can be accelerated by itself.

    Attributes:
        switch: Whether runs are accelerated.
    """

    def __init__(self, graph: Any) -> None:
        self._before: dict[str, Any] = graph.channels
        super().__init__(self._before)
        self._graph = ref(graph)
        self.switch = Switch()

    def give_back(self) -> None:
        """Have the graph hold the very mapping that it held before; copies of it keep this one."""
        graph = self._graph()
        if graph is not None and graph.channels is self:
            self._before.update(self)
            graph.channels = self._before


def is_native(specs: Any, parent: Any) -> bool:
    """Whether a run is accelerated.

    Args:
        specs: The channels of its graph.
        parent: How the task that began it reads its own run's channels, as LangGraph gives it to
            every task (a `functools.partial` over them); None if no task began it.
    """
    if type(specs) is Specs and specs.switch.is_on:
        return True
    return any(type(argument) is Channels for argument in getattr(parent, "args", ()))


__all__ = ["Channels", "Specs", "Switch", "is_native"]
