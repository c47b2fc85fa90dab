"""Writes the databases of older releases of LangGraph's savers, once.

Run by the Python of an environment with such a release, and with nothing of this repository in it:

    python write_langgraph.py NAME [postgresql://…]

It fills `langgraph/NAME.db` and, of the Postgres tables, `langgraph/NAME.json`: no two releases
of pg_dump write the same. `langgraph/README.md` says which releases each NAME had.
"""

from __future__ import annotations

import base64
import json
import operator
import sqlite3
import sys
from pathlib import Path
from typing import Annotated, Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph, add_messages
from typing_extensions import TypedDict

try:
    from langgraph.types import Send
except ImportError:
    from langgraph.constants import Send

HERE = Path(__file__).parent / "langgraph"
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_migrations")


class State(TypedDict, total=False):
    messages: Annotated[list, add_messages]
    turns: Annotated[list, operator.add]
    topics: list
    joined: Annotated[list, operator.add]
    note: Any


def answer(state: State) -> dict[str, Any]:
    said = state["messages"][-1].content
    turns = len(state.get("turns", []))
    return {
        "messages": [AIMessage(f"answer {turns} to {said}", id=f"answer {turns}")],
        "turns": [turns],
        "topics": ["one", "two"],
        "note": {"none": None, "number": 1.5, "bytes": b"\0\xff", "yes": True},
    }


def each(state: Any) -> dict[str, Any]:
    return {"joined": [f"topic {state['topic']}"]}


def ask(state: State) -> dict[str, Any]:
    return {"joined": [f"asked after {len(state['joined'])}"]}


def build() -> StateGraph:
    """Messages, a Send to each topic, and a node before which the graph stops."""
    builder = StateGraph(State)
    for node in (answer, each, ask):
        builder.add_node(node.__name__, node)
    builder.add_edge(START, "answer")
    builder.add_conditional_edges(
        "answer", lambda state: [Send("each", {"topic": t}) for t in state["topics"]], ["each"]
    )
    builder.add_edge("each", "ask")
    builder.add_edge("ask", END)
    return builder


def inner() -> StateGraph:
    """A subgraph that stops within itself."""
    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_edge(START, "ask")
    return builder


def outer() -> StateGraph:
    builder = StateGraph(State)
    builder.add_node("inner", inner().compile(interrupt_before=["ask"]))
    builder.add_edge(START, "inner")
    return builder


def fill(saver: Any) -> None:
    """One thread that is through, one that stopped, one that stopped in a subgraph."""
    given = {"messages": [HumanMessage("hello", id="question")], "joined": []}
    whole = build().compile(checkpointer=saver)
    for turn in range(2):
        said = {"messages": [HumanMessage(f"question {turn}", id=f"question {turn}")]}
        whole.invoke({**given, **said}, {"configurable": {"thread_id": "whole"}})
    stops = build().compile(checkpointer=saver, interrupt_before=["each", "ask"])
    stops.invoke(given, {"configurable": {"thread_id": "stopped"}})
    nested = outer().compile(checkpointer=saver)
    nested.invoke({"joined": ["before"]}, {"configurable": {"thread_id": "nested"}})


def dump(connection: Any) -> dict[str, Any]:
    """The rows of the Postgres tables that are there, and their columns."""
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute("SELECT to_regclass(%s) AS name", (table,))
            (name,) = cursor.fetchone().values()
            if name is None:
                continue
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1")
            columns = [column.name for column in cursor.description]
            rows = [[cell(row[c]) for c in columns] for row in cursor.fetchall()]
            found[table] = {"columns": columns, "rows": rows}
    return found


def cell(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return value


def main(name: str, postgres: str | None = None) -> None:
    path = HERE / f"{name}.db"
    if path.exists():
        raise SystemExit(f"{path} is there: golden files are never written again")
    HERE.mkdir(exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False)
    saver = SqliteSaver(connection)
    fill(saver)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    if postgres:
        with PostgresSaver.from_conn_string(postgres) as saver:
            saver.setup()
            fill(saver)
            (HERE / f"{name}.json").write_text(json.dumps(dump(saver.conn), indent=0) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
