"""Counts the savers that tests make, and the saves they ask of ours."""

import functools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver


@dataclass
class Tally:
    """Savers constructed, by official class name, and calls of put and put_writes."""

    official: Counter[str] = field(default_factory=Counter)
    ours: Counter[str] = field(default_factory=Counter)
    saves: int = 0

    def clear(self) -> None:
        """Start again, for the next test."""
        self.official.clear()
        self.ours.clear()
        self.saves = 0


TALLY = Tally()


def watch_official() -> None:
    """Count every construction of an official saver, or of a subclass, from now on."""
    for saver in (InMemorySaver, SqliteSaver, AsyncSqliteSaver):
        _watch(saver)


def _watch(saver: Any) -> None:
    construct = saver.__init__

    @functools.wraps(construct)
    def counted(self: Any, *args: Any, **kwargs: Any) -> None:
        TALLY.official[saver.__name__] += 1
        construct(self, *args, **kwargs)

    saver.__init__ = counted
