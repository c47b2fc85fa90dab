"""The one table of backends: every suite that runs against all of them takes it from here."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lgckpt


@dataclass(frozen=True)
class Backend:
    """One row of the table.

    Attributes:
        name: As it appears in test ids.
        open: Gives a saver on empty storage; everything is gone when it ends. Takes the
            options of the saver's constructor.
    """

    name: str
    open: Callable[..., AbstractContextManager[Any]]


@contextmanager
def _memory(**options: Any) -> Iterator[Any]:
    with lgckpt.MemorySaver(**options) as saver:
        yield saver


@contextmanager
def _sqlite_file(**options: Any) -> Iterator[Any]:
    with (
        tempfile.TemporaryDirectory() as directory,
        lgckpt.SqliteSaver(str(Path(directory) / "agents.db"), **options) as saver,
    ):
        yield saver


@contextmanager
def _sqlite_memory(**options: Any) -> Iterator[Any]:
    with lgckpt.SqliteSaver(":memory:", **options) as saver:
        yield saver


BACKENDS = [
    Backend("memory", _memory),
    Backend("sqlite", _sqlite_file),
    Backend("sqlite-memory", _sqlite_memory),
]
