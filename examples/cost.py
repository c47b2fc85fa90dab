"""One conversation through LangGraph on two savers: bytes on disk and time a checkpoint."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, MessagesState, StateGraph

import lgckpt
from benchmarks.workloads.chat import conversation

MESSAGES = 300
# Messages of a turn: a question, a tool call, the tool's output.
_TURN = 3
_THREAD: RunnableConfig = {"configurable": {"thread_id": "long"}}


@dataclass
class Bill:
    """What a conversation cost on one saver."""

    name: str
    path: Path
    puts: list[float] = field(default_factory=list)
    messages: list[AnyMessage] = field(default_factory=list)
    file_bytes: int = 0

    @property
    def checkpoints(self) -> int:
        """Checkpoints stored."""
        return len(self.puts)

    @property
    def bytes_per_checkpoint(self) -> float:
        """The closed file's size, shared out among the checkpoints."""
        return self.file_bytes / self.checkpoints

    @property
    def put_milliseconds(self) -> float:
        """The mean time of a put."""
        return 1_000 * statistics.fmean(self.puts)


def compare(directory: Path) -> tuple[Bill, Bill]:
    """Hold the same conversation on both savers, turn by turn, and return ours and theirs."""
    ours = Bill("lgckpt.SqliteSaver", directory / "cost-lgckpt.db")
    official = Bill("the official SqliteSaver", directory / "cost-official.db")
    with ExitStack() as stack:
        savers = (
            stack.enter_context(lgckpt.SqliteSaver.from_conn_string(str(ours.path))),
            stack.enter_context(SqliteSaver.from_conn_string(str(official.path))),
        )
        script = conversation(MESSAGES)
        chats = [
            _chat(_timed(saver, bill.puts), script)
            for saver, bill in zip(savers, (ours, official), strict=True)
        ]
        for asked in range(0, MESSAGES, _TURN):
            for chat in chats:
                chat(asked)
        for saver, bill in zip(savers, (ours, official), strict=True):
            found = saver.get_tuple(_THREAD)
            bill.messages = found.checkpoint["channel_values"]["messages"] if found else []
    for bill in (ours, official):
        bill.file_bytes = sum(file.stat().st_size for file in _files(bill.path))
    return ours, official


def _chat(saver: BaseCheckpointSaver[str], script: list[AnyMessage]) -> Callable[[int], object]:
    """Compile an agent that says its lines of a script, one a superstep, until a turn is over."""

    def agent(state: MessagesState) -> dict[str, list[AnyMessage]]:
        return {"messages": [script[len(state["messages"])]]}

    def route(state: MessagesState) -> str:
        return "agent" if len(state["messages"]) % _TURN else END

    builder = StateGraph(MessagesState)
    builder.add_node("agent", agent)
    builder.add_edge(START, "agent")
    builder.add_conditional_edges("agent", route, ["agent", END])
    graph = builder.compile(checkpointer=saver)
    return lambda at: graph.invoke({"messages": [script[at]]}, _THREAD, durability="sync")


def _timed(saver: BaseCheckpointSaver[str], seconds: list[float]) -> BaseCheckpointSaver[str]:
    """Have a saver note how long each of its puts takes."""
    put = saver.put

    @functools.wraps(put)
    def timed(*arguments: Any) -> RunnableConfig:
        start = time.perf_counter()
        try:
            return put(*arguments)
        finally:
            seconds.append(time.perf_counter() - start)

    saver.put = timed  # type: ignore[method-assign, assignment]
    return saver


def _files(path: Path) -> Iterator[Path]:
    return path.parent.glob(path.name + "*")
