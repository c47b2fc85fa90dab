"""LangGraph's tests of `prune` are for its Postgres saver; ours follow the same rules.

They are skipped without Docker, so with the official savers they do not run. With ours in
place of the Postgres fixtures they do, but for those that hook into its SQL, or expect it to
refuse threads with a DeltaChannel, which ours prunes.
"""

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import langgraph.checkpoint.memory
import langgraph.checkpoint.sqlite
import pytest

MODULE = "test_prune_postgres.py"


@contextmanager
def _memory() -> Iterator[Any]:
    with langgraph.checkpoint.memory.InMemorySaver() as saver:
        yield saver


@contextmanager
def _sqlite_memory() -> Iterator[Any]:
    with langgraph.checkpoint.sqlite.SqliteSaver.from_conn_string(":memory:") as saver:
        yield saver


@contextmanager
def _sqlite_file() -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "agents.db")
        with langgraph.checkpoint.sqlite.SqliteSaver.from_conn_string(path) as saver:
            yield saver


_OPENERS = {"": _memory, "_pipe": _sqlite_memory, "_pool": _sqlite_file}
"""By the suffix of the Postgres fixture in whose place it is."""


@contextmanager
def opened() -> Iterator[None]:
    """Where that module is imported, it gets our savers and is not skipped."""
    fixtures: Any = sys.modules["tests.conftest_checkpointer"]
    for suffix, opener in _OPENERS.items():
        _put(fixtures, f"_checkpointer_postgres{suffix}", opener)
        _put(fixtures, f"_checkpointer_postgres_aio{suffix}", _asynchronous(opener))
    conftest: Any = sys.modules["tests.conftest"]
    conftest.NO_DOCKER = False
    try:
        yield
    finally:
        conftest.NO_DOCKER = True


def _put(fixtures: Any, name: str, opener: Any) -> None:
    """Under the name of the other, so that test ids are the same."""

    def named() -> Any:
        return opener()

    named.__name__ = getattr(fixtures, name).__name__
    setattr(fixtures, name, named)


def _asynchronous(opener: Any) -> Any:
    @asynccontextmanager
    async def asynchronous() -> AsyncIterator[Any]:
        with opener() as saver:
            yield saver

    return asynchronous


def skip_what_is_of_postgres(items: list[pytest.Item]) -> list[str]:
    """Leave out the tests that only that saver can pass; says so if there are any."""
    tests = [item for item in items if item.path.name == MODULE]
    for item in tests:
        if "_refuses_" in item.name or "make_checkpointer" not in item.fixturenames:
            item.add_marker(pytest.mark.skip("only for the Postgres saver"))
    return [f"{MODULE}: {' '.join(str(__doc__).split())}"] if tests else []
