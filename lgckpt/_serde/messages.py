"""LangChain messages: constructors and validators that leave values in normal form alone.

Their code is recognised by its source, so that a release of langchain-core that changes one of
these functions sends its messages the general way until the change was looked at.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from lgckpt._serde.langgraph import digest

# Of langchain-core 1.0 to 1.8.
# `__init__`s that pass their keyword arguments on, but for `content_blocks`.
_INITS = {
    "09c034e4a151cc60",
    "1253679cad2dfa78",
    "14c2ea00bee82daf",
    "24333011de95ea60",
    "8c763ad44a46b2fd",
    "a730a76df70b5127",
    "ed97a8621b62b0d2",
}
# Makes every tool call anew from its name, args and id.
_TOOL_CALLS = {
    "139e70075fa3afe5",
    "2573b99ca859fc48",
    "ed71f42a3915b7fe",
}
_CREATE_TOOL_CALL = {"bfc2b83603d5b161"}
# Turns contents into strings, unless they are strings and dicts already.
_COERCE_ARGS = {
    "2f3a1c4b929ce158",
    "b0712fb4e9631daf",
}


@dataclasses.dataclass(frozen=True)
class Places:
    """Where a validator looks, by the places of the fields.

    Attributes:
        additional_kwargs: Holds the provider's own tool calls.
        tool_calls: The tool calls.
        invalid_tool_calls: Those that could not be parsed.
    """

    additional_kwargs: int
    tool_calls: int
    invalid_tool_calls: int

    @classmethod
    def of(cls, names: list[str]) -> Places:
        """Find the fields by their names."""
        return cls(*(names.index(field.name) for field in dataclasses.fields(cls)))


def is_known(init: Any) -> bool:
    """Whether an `__init__` is one that passes its keyword arguments on."""
    return digest(init) in _INITS


def validator_effect(function: Any) -> str | None:
    """What a message's validator does to values in normal form.

    Returns:
        "none" if it leaves them alone, "tool_calls" if it does so for tool calls in normal form
        only, and None if it is not a known one.
    """
    source = digest(getattr(function, "__func__", function))
    if source in _COERCE_ARGS:
        return "none"
    if source in _TOOL_CALLS:
        create = getattr(function, "__func__", function).__globals__.get("create_tool_call")
        return "tool_calls" if create is not None and digest(create) in _CREATE_TOOL_CALL else None
    return None
