"""Which threads are looked after, and how old what goes is."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from lgckpt.bulk import Mark, ThreadPage
from lgckpt.errors import ConfigurationError
from lgckpt.storage import Driver

PAGE = 256
"""Threads, or places of a thread, that are asked for at once."""

_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def age(text: str | timedelta) -> timedelta:
    """Read an age: "90s", "45m", "12h", "30d", "4w".

    Raises:
        ConfigurationError: It is none, or below zero.
    """
    if isinstance(text, timedelta):
        if text < timedelta(0):
            raise ConfigurationError(f"an age is not below zero: {text}")
        return text
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ConfigurationError(
            f"an age is a number and one of s, m, h, d, w, as in 30d, not {text!r}"
        )
    try:
        return timedelta(seconds=float(found[1]) * _SECONDS[found[2]])
    except OverflowError as exc:
        raise ConfigurationError(f"no checkpoint can be as old as {text!r}") from exc


def names(given: Sequence[str], what: str) -> tuple[str, ...]:
    """Names that were asked for, each once.

    Raises:
        ConfigurationError: It is a single string.
    """
    if isinstance(given, str):
        raise ConfigurationError(f"{what} is a sequence of ids, not a str")
    return tuple(dict.fromkeys(given))


async def all_threads(
    driver: Driver, only: Sequence[str] = (), prefix: str = ""
) -> AsyncIterator[str]:
    """The threads asked for: these, or all; of them those that begin with a prefix."""
    if only:
        for thread_id in only:
            if thread_id.startswith(prefix):
                yield thread_id
        return
    after: str | None = ""
    while after is not None:
        page: ThreadPage = await driver("threads", after, PAGE)
        for thread_id in page.threads:
            if thread_id.startswith(prefix):
                yield thread_id
        after = page.after


async def all_marks(driver: Driver, thread_id: str) -> AsyncIterator[list[Mark]]:
    """All places of a thread, in pages."""
    after = None
    while page := await driver("marks", thread_id, after, PAGE):
        yield page
        after = page[-1].place
