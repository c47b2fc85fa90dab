"""Ctrl-C in a command that can end in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from lgckpt.cli.app import complain


@contextmanager
def ending_in_order(stop: asyncio.Event, doing: str) -> Iterator[None]:
    """The first Ctrl-C sets an event, and a second one ends at once; SIGTERM sets it too.

    Args:
        stop: The event.
        doing: What is said to be done after the first: "ending the test".
    """
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        complain(f"{doing}; again to end at once")
        loop.remove_signal_handler(signal.SIGINT)

    # Not there on Windows: then the first Ctrl-C ends at once.
    with suppress(NotImplementedError):
        loop.add_signal_handler(signal.SIGINT, end)
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)
            loop.remove_signal_handler(signal.SIGTERM)
