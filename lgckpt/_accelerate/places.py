"""Where LangGraph looks its step's functions up while it runs.

It imports them by name, so each module that calls one has it under a name of its own.
"""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from typing import Any, Final, NamedTuple

_ALGO = "langgraph.pregel._algo"
_CHECKPOINT = "langgraph.pregel._checkpoint"
_DRAW = "langgraph.pregel._draw"
_LOOP = "langgraph.pregel._loop"
_MAIN = "langgraph.pregel.main"


class Place(NamedTuple):
    """A module that looks a function up, and its name there: of a method, `Class.name`."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    def look_up(self) -> Any:
        """What the name stands for now; None if there is no such name."""
        *owners, name = self.name.split(".")
        try:
            return getattr(reduce(getattr, owners, import_module(self.module)), name, None)
        except (ImportError, AttributeError):
            return None

    def put(self, function: Any) -> None:
        """Have the name stand for a function."""
        *owners, name = self.name.split(".")
        setattr(reduce(getattr, owners, import_module(self.module)), name, function)


PLACES: Final[dict[Place, tuple[Place, ...]]] = {
    Place(_ALGO, "apply_writes"): (
        Place(_LOOP, "apply_writes"),
        Place(_MAIN, "apply_writes"),
        Place(_DRAW, "apply_writes"),
    ),
    Place(_CHECKPOINT, "create_checkpoint"): (
        Place(_LOOP, "create_checkpoint"),
        Place(_MAIN, "create_checkpoint"),
    ),
    Place(_CHECKPOINT, "channels_from_checkpoint"): (
        Place(_LOOP, "channels_from_checkpoint"),
        Place(_MAIN, "channels_from_checkpoint"),
        Place(_DRAW, "channels_from_checkpoint"),
    ),
    Place(_CHECKPOINT, "achannels_from_checkpoint"): (
        Place(_LOOP, "achannels_from_checkpoint"),
        Place(_MAIN, "achannels_from_checkpoint"),
    ),
    Place(_ALGO, "_triggers"): (Place(_ALGO, "_triggers"),),
    Place(_LOOP, "PregelLoop._put_checkpoint"): (Place(_LOOP, "PregelLoop._put_checkpoint"),),
    Place(_LOOP, "PregelLoop.put_writes"): (Place(_LOOP, "PregelLoop.put_writes"),),
    Place(_CHECKPOINT, "copy_checkpoint"): (Place(_LOOP, "copy_checkpoint"),),
}
"""By where a function is defined: every place where it is looked up."""
