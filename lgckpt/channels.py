"""LangGraph's channels with native methods.

Each class is a subclass of the one of the same name in `langgraph.channels`, and differs from it
in nothing but speed: constructor, attributes, values, errors, equality, copies, pickles and
checkpoints are LangGraph's. It is used like it, in `Annotated[...]` or among the channels of a
`Pregel`, mixed with LangGraph's own.

    class State(TypedDict):
        messages: Annotated[list, lgckpt.channels.BinaryOperatorAggregate(list, operator.add)]

Without the compiled core, and for a class that another release of LangGraph lays out differently,
the name is LangGraph's own class.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lgckpt.core import core

if TYPE_CHECKING:
    from langgraph.channels import (
        AnyValue,
        BinaryOperatorAggregate,
        EphemeralValue,
        LastValue,
        LastValueAfterFinish,
        NamedBarrierValue,
        NamedBarrierValueAfterFinish,
        Topic,
    )
else:
    from types import new_class

    from langgraph import channels as theirs

    Value = TypeVar("Value")

    def _native(channel: type[Any]) -> type[Any]:
        """The subclass of one of LangGraph's channel classes, or that class itself."""
        body = {"__slots__": (), "__module__": __name__, "__doc__": channel.__doc__}
        ours = new_class(channel.__name__, (channel[Value],), {}, lambda names: names.update(body))
        return ours if core.adopt_channel(channel.__name__, channel, ours) else channel

    AnyValue = _native(theirs.AnyValue)
    BinaryOperatorAggregate = _native(theirs.BinaryOperatorAggregate)
    EphemeralValue = _native(theirs.EphemeralValue)
    LastValue = _native(theirs.LastValue)
    LastValueAfterFinish = _native(theirs.LastValueAfterFinish)
    NamedBarrierValue = _native(theirs.NamedBarrierValue)
    NamedBarrierValueAfterFinish = _native(theirs.NamedBarrierValueAfterFinish)
    Topic = _native(theirs.Topic)

__all__ = [
    "AnyValue",
    "BinaryOperatorAggregate",
    "EphemeralValue",
    "LastValue",
    "LastValueAfterFinish",
    "NamedBarrierValue",
    "NamedBarrierValueAfterFinish",
    "Topic",
]
