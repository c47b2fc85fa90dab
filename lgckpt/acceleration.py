"""The native step in LangGraph's own loop: put there, taken back, and what is there now."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from threading import RLock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakValueDictionary

from lgckpt import forks
from lgckpt.core import REASON, core
from lgckpt.errors import ConfigurationError
from lgckpt.telling import tell

if TYPE_CHECKING:
    from langgraph.pregel import Pregel

    from lgckpt._accelerate.marks import Specs, Switch
    from lgckpt._accelerate.steps import Steps

logger = logging.getLogger(__name__)

Graph = Any
"""A compiled graph, of whatever state, context, input and output."""

# Of a warning, as seen from `_warn`: whoever called the public function that calls it.
_CALLER = 3
_EXTRA = 'acceleration needs LangGraph: pip install "lgckpt[graph]"'


@dataclass(frozen=True)
class Acceleration:
    """What of LangGraph's loop is native.

    Attributes:
        scope: The runs that take the native step: "none", those of the "graphs" that were
            accelerated one by one, or "all".
        native: Where LangGraph finds a native function, as module and name.
        others: By what LangGraph's own code does while it could be native, why it does.
    """

    scope: Literal["none", "graphs", "all"]
    native: tuple[str, ...]
    others: Mapping[str, str]


def accelerate(graph: Pregel[Any, Any, Any, Any] | None = None) -> None:
    """Have LangGraph run its graphs' steps natively, until `decelerate`.

    That is: applying writes, making checkpoints, restoring channels, and planning which nodes run.
    Values, checkpoints, events and errors are the same as before. A function of LangGraph's whose
    source was not tested with is left alone, as is one that somebody else replaced: one warning
    says so, and everything works. Running a small graph proves that the native functions are
    called. To call this again changes nothing.

    Args:
        graph: The only compiled graph to accelerate, with its copies and what its nodes run;
            None for all.

    Raises:
        ConfigurationError: LangGraph is not installed, or the graph is not a compiled one.
    """
    _, news = _STATE.change(graph, _keep)
    _warn(news, _CALLER)


def decelerate(graph: Pregel[Any, Any, Any, Any] | None = None) -> None:
    """Take `accelerate` back; a `with accelerated()` block stays accelerated until its end.

    Args:
        graph: The graph that was given to `accelerate`; None to take back every call.
    """
    _warn(_STATE.give_up(graph), _CALLER)


@contextmanager
def accelerated(graph: Pregel[Any, Any, Any, Any] | None = None) -> Iterator[None]:
    """Accelerate for as long as a block lasts, in all threads.

    Blocks may lie within each other or overlap, and leave as it was what was accelerated before.

    Args:
        graph: As for `accelerate`.

    Raises:
        ConfigurationError: As for `accelerate`.
    """
    switch, news = _STATE.change(graph, _enter)
    try:
        _warn(news, _CALLER + 1)
        yield
    finally:
        if switch is not None:
            _warn(_STATE.leave(switch), _CALLER + 1)


def acceleration() -> Acceleration:
    """What of LangGraph's loop is native now, and why the rest is not."""
    return _STATE.report()


def _keep(switch: Switch) -> None:
    switch.kept = True


def _enter(switch: Switch) -> None:
    switch.blocks += 1


class _State:
    """What is accelerated in this process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._all: Switch | None = None
        self._graphs: WeakValueDictionary[int, Specs] = WeakValueDictionary()
        self._steps: Steps | None = None
        self._said: Mapping[str, str] = {}
        forks.register(self)

    def change(
        self, graph: Graph | None, how: Callable[[Switch], None]
    ) -> tuple[Switch | None, str]:
        """Switch everything on, or one graph.

        Returns:
            The switch, or None where there is nothing to switch; and what the user must know.
        """
        _require(graph)
        if core.BUILD_PROFILE == "pure":
            return None, f"nothing is accelerated, for lack of the compiled core: {REASON}"
        with self._lock:
            switch = self._switch(graph)
            how(switch)
            return switch, self._settle()

    def give_up(self, graph: Graph | None) -> str:
        """Take back what `accelerate` did; returns what the user must know."""
        with self._lock:
            if graph is None:
                switches = [specs.switch for specs in self._graphs.values()]
                switches += [self._all] if self._all is not None else []
            else:
                specs = self._graphs.get(id(getattr(graph, "channels", None)))
                switches = [specs.switch] if specs is not None else []
            for switch in switches:
                switch.kept = False
            return self._settle()

    def leave(self, switch: Switch) -> str:
        """End a block; returns what the user must know."""
        with self._lock:
            switch.blocks -= 1
            return self._settle()

    def report(self) -> Acceleration:
        """What is native now."""
        with self._lock:
            native = tuple(self._steps.native()) if self._steps is not None else ()
            return Acceleration(self._scope(), native, MappingProxyType(self._others()))

    def before_fork(self) -> None:
        """Let no other thread be half-way."""
        self._lock.acquire()

    def after_fork(self, *, child: bool) -> None:
        """Go on."""
        self._lock.release()

    def _switch(self, graph: Graph | None) -> Switch:
        marks = import_module("lgckpt._accelerate.marks")
        if graph is None:
            if self._all is None:
                self._all = marks.Switch()
            return self._all
        if type(graph.channels) is not marks.Specs:
            graph.channels = marks.Specs(graph)
        specs = graph.channels
        self._graphs[id(specs)] = specs
        switch: Switch = specs.switch
        return switch

    def _scope(self) -> Literal["none", "graphs", "all"]:
        if self._all is not None and self._all.is_on:
            return "all"
        return "graphs" if any(s.switch.is_on for s in self._graphs.values()) else "none"

    def _settle(self) -> str:
        """Make the places what the switches say; returns what the user must know."""
        news = ""
        scope = self._scope()
        if scope != "none":
            if self._steps is None:
                self._steps = import_module("lgckpt._accelerate.steps").Steps()
            self._steps.put(everywhere=scope == "all")
            news = self._news(self._steps.reasons)
        elif self._steps is not None and (covered := self._steps.take_back()):
            names = ", ".join(map(str, covered))
            news = f"somebody else's function stays in front of the native one: {names}"
        for specs in [specs for specs in self._graphs.values() if not specs.switch.is_on]:
            specs.give_back()
            del self._graphs[id(specs)]
        return news

    def _news(self, reasons: Mapping[str, str]) -> str:
        if not reasons or reasons == self._said:
            return ""
        self._said = dict(reasons)
        parts = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return f"LangGraph's own code stays in use for some of the step. {parts}"

    def _others(self) -> dict[str, str]:
        if core.BUILD_PROFILE == "pure":
            return {"everything": f"the compiled core is not in use: {REASON}"}
        if self._scope() == "none":
            return {"everything": "accelerate() was not called, or was taken back"}
        others = dict(self._steps.reasons) if self._steps is not None else {}
        if self._scope() == "graphs":
            others["all other graphs"] = "accelerate() was called with a graph"
        return others


def _require(graph: Graph | None) -> None:
    try:
        found = import_module("langgraph.pregel")
    except ImportError as error:
        raise ConfigurationError(_EXTRA) from error
    if graph is not None and not isinstance(graph, found.Pregel):
        raise ConfigurationError(
            f"only a compiled graph can be accelerated, and this is a {type(graph).__name__}"
        )


def _warn(news: str, level: int) -> None:
    if news:
        tell(logger, logging.INFO, "fallback", "%s", news, what="acceleration")
        warnings.warn(news, RuntimeWarning, stacklevel=level)


_STATE = _State()

__all__ = ["Acceleration", "accelerate", "accelerated", "acceleration", "decelerate"]
