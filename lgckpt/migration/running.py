"""Coroutines run to their end by callers that have no event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from lgckpt.errors import ConfigurationError

T = TypeVar("T")


def refuse_running_loop() -> None:
    """Refuse to be called where an event loop runs.

    Raises:
        ConfigurationError: One does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise ConfigurationError(
        "this is not for a running event loop: await the function of the same name with an a "
        "before it, as amigrate is to migrate"
    )


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end.

    Raises:
        ConfigurationError: An event loop runs here.
    """
    try:
        refuse_running_loop()
    except ConfigurationError:
        coroutine.close()
        raise
    return asyncio.run(coroutine)
