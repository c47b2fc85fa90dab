"""Channel versions as LangGraph's own savers make them."""

from __future__ import annotations

import random


def next_version(current: str | int | None) -> str:
    """The version after `current`: a counter that sorts as text, and a random part."""
    if current is None:
        counter = 0
    elif isinstance(current, int):
        counter = current
    else:
        counter = int(current.split(".")[0])
    return f"{counter + 1:032}.{random.random():016}"  # noqa: S311 - not a secret
