"""Channel versions as LangGraph's own savers make them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeVar

from lgckpt.core import core

F = TypeVar("F", bound=Callable[..., Any])


def next_version(current: str | int | None) -> str:
    """The version after `current`: a counter that sorts as text, and a random part."""
    found = core.next_version(current)
    if found is not None:
        return found
    if current is None:
        counter = 0
    elif isinstance(current, int):
        counter = current
    else:
        counter = int(current.split(".")[0])
    return f"{counter + 1:032}.{random.random():016}"  # noqa: S311 - not a secret


def counting(function: F) -> F:
    """A method that gives what `next_version` gives: the native step then makes versions itself."""
    core.count_versions(function)
    return function
