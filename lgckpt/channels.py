"""LangGraph's channels with native methods.

Each class is a subclass of the one of the same name in `langgraph.channels`, and differs from it
in nothing but speed: constructor, attributes, values, errors, equality, copies, pickles and
checkpoints are LangGraph's. It is used like it, in `Annotated[...]` or among the channels of a
`Pregel`, mixed with LangGraph's own.

    import lgckpt.channels

    class State(TypedDict):
        messages: Annotated[list, lgckpt.channels.BinaryOperatorAggregate(list, operator.add)]

Without the compiled core, and for a class whose source or layout is not one that was tested with,
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
    from langgraph.channels import binop, topic
    from langgraph.channels.base import BaseChannel

    from lgckpt._serde.langgraph import digest

    Value = TypeVar("Value")

    # Of the sources that were tested with: each class, and what of others it shares.
    _TESTED = {
        "AnyValue": {"647d59c6c03369c1"},
        "BaseChannel": {"85106a7b923b1172"},
        "BinaryOperatorAggregate": {"26c7b0b07d96bec9"},
        "EphemeralValue": {"9dedc8b4149a0ba0"},
        "LastValue": {"6cde6cd04b9a15cd"},
        "LastValueAfterFinish": {"75be46ff0873d0fd"},
        "NamedBarrierValue": {"de2cdb43423ad2df"},
        "NamedBarrierValueAfterFinish": {"4cdc8c1a5e8acd23"},
        "Topic": {"4b94a0a8bd387226"},
        "_flatten": {"aa7e5d7d62061b42"},
        "_get_overwrite": {"1f6aa4838de382da"},
    }
    _HELPERS = {
        "BinaryOperatorAggregate": (binop, "_get_overwrite"),
        "Topic": (topic, "_flatten"),
    }

    def _is_known(source: Any) -> bool:
        return source is not None and digest(source) in _TESTED[source.__name__]

    _BASE_IS_KNOWN = core.BUILD_PROFILE != "pure" and _is_known(BaseChannel)

    def _is_tested(channel: type[Any]) -> bool:
        """Whether a class does what its native methods do."""
        helper = _HELPERS.get(channel.__name__)
        return (
            _BASE_IS_KNOWN
            and _is_known(channel)
            and (helper is None or _is_known(getattr(*helper, None)))
        )

    def _native(channel: type[Any]) -> type[Any]:
        """The subclass of one of LangGraph's channel classes, or that class itself."""
        if not _is_tested(channel):
            return channel
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
