"""Ids of checkpoints, as LangGraph's step makes them."""

from __future__ import annotations

from langgraph.checkpoint.base import id as theirs

from lgckpt._serde.langgraph import digest
from lgckpt.core import core

_KNOWN = (digest(theirs.uuid6), digest(theirs.UUID.__init__)) == (
    "de56efe2079bf1d5",
    "411cef470acf5c46",
)
_UUID6 = theirs.uuid6


def checkpoint_id(step: int) -> str:
    """The text of `uuid6(clock_seq=step)`: the same clock, the same random numbers.

    Made natively where LangGraph's source is the one tested with, and nobody replaced it.

    Args:
        step: The number of the step.
    """
    if _KNOWN and theirs.uuid6 is _UUID6 and type(step) is int:
        found = core.uuid6(theirs, step)
        if found is not None:
            return found
    return str(theirs.uuid6(clock_seq=step))
