"""Our savers under the official names, with every construction and save counted."""

import os
from typing import Any

import langgraph.checkpoint.memory
import langgraph.checkpoint.sqlite
import langgraph.checkpoint.sqlite.aio

import lgckpt
from lgckpt_suite import on_server
from lgckpt_suite.tally import TALLY

_NAMES = ("InMemorySaver", "SqliteSaver", "AsyncSqliteSaver")


def put_in_place() -> None:
    """Make what LangGraph's tests import from `langgraph.checkpoint` ours.

    Must run before any of the suite's modules is imported.
    """
    kinds = _kinds()
    memory = counted(kinds["InMemorySaver"], "InMemorySaver")
    langgraph.checkpoint.memory.InMemorySaver = memory
    langgraph.checkpoint.memory.MemorySaver = memory
    sqlite = counted(kinds["SqliteSaver"], "SqliteSaver")
    langgraph.checkpoint.sqlite.SqliteSaver = sqlite
    asyncio = counted(kinds["AsyncSqliteSaver"], "AsyncSqliteSaver")
    langgraph.checkpoint.sqlite.aio.AsyncSqliteSaver = asyncio


def _kinds() -> dict[str, Any]:
    """Ours by official name: of that name, or all on one server."""
    server = os.environ.get("LGCKPT_SUITE_SERVER")
    if server is not None:
        return on_server.kinds(server)
    return {name: getattr(lgckpt, name) for name in _NAMES}


def counted(saver: Any, name: str) -> Any:
    """A subclass of one of our savers that counts, and does nothing else of its own."""

    class Counted(saver):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            TALLY.ours[name] += 1
            super().__init__(*args, **kwargs)

        def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            TALLY.saves += 1
            return super().put(config, checkpoint, metadata, new_versions)

        async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
            TALLY.saves += 1
            return await super().aput(config, checkpoint, metadata, new_versions)

        def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
            TALLY.saves += 1
            super().put_writes(config, writes, task_id, task_path)

        async def aput_writes(
            self, config: Any, writes: Any, task_id: str, task_path: str = ""
        ) -> None:
            TALLY.saves += 1
            await super().aput_writes(config, writes, task_id, task_path)

    Counted.__name__ = Counted.__qualname__ = name
    return Counted
