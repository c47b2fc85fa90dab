"""The process that runs the agent, and that the demo kills: `worker DATABASE JOURNAL`."""

from __future__ import annotations

import sys
from pathlib import Path

from langchain_core.messages import HumanMessage
from langgraph.graph import MessagesState

import lgckpt
from examples.agent import COMPLAINT, THREAD, build_agent
from examples.journal import Journal

_WORDS = {
    "__interrupt__": "stopped: waits for a human",
    "__metadata__": "(its result was stored before the kill: not run again)",
}


def main() -> None:
    """Start the conversation, or go on from its last checkpoint if there is one."""
    database, journal = sys.argv[1:3]
    with lgckpt.SqliteSaver.from_conn_string(database) as saver:
        agent = build_agent(saver, Journal(Path(journal)))
        known = bool(agent.get_state(THREAD).values)
        asked: MessagesState = {"messages": [HumanMessage(COMPLAINT)]}
        # durability="sync": a superstep starts when the checkpoint before it is acknowledged.
        for update in agent.stream(
            None if known else asked, THREAD, stream_mode="updates", durability="sync"
        ):
            for node in update:
                print(f"   {_WORDS.get(node, f'{node} done')}", flush=True)


if __name__ == "__main__":
    main()
