"""`python -m examples.demo [EMPTY_DIRECTORY]`: an agent is killed, and nothing lost.

Shows a LangGraph agent on `lgckpt.SqliteSaver`: run, killed with SIGKILL, resumed,
interrupted for a human's answer, its history, a fork, and what all that costs beside the
official saver. Exits with 1 if anything it claims does not hold.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from langchain_core.messages import ToolMessage
from langgraph.types import Command, StateSnapshot

import lgckpt
from examples import cost
from examples.agent import THREAD, THREAD_ID, Agent, build_agent
from examples.journal import Journal

OWN_DIRECTORY = Path("build/demo")
DIRECTORY = Path(sys.argv[1]) if len(sys.argv) > 1 else OWN_DIRECTORY
DATABASE = DIRECTORY / "agents.db"
JOURNAL = DIRECTORY / "journal.log"
PATIENCE_SECONDS = 20.0

failed: list[str] = []


def main() -> int:
    """Tell the story from beginning to end; 1 if a check failed."""
    if DIRECTORY == OWN_DIRECTORY:
        shutil.rmtree(DIRECTORY, ignore_errors=True)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    if any(DIRECTORY.iterdir()):
        raise SystemExit(f"{DIRECTORY} is not empty")
    journal = Journal(JOURNAL)
    run_and_kill(journal)
    resume(journal)
    with lgckpt.SqliteSaver.from_conn_string(str(DATABASE)) as saver:
        agent = build_agent(saver, journal)
        answer_interrupt(agent, journal)
        show_history(agent, saver)
        fork(agent)
    compare_cost()
    print(f"\n{DATABASE} is kept for you to look into.")
    if failed:
        print(f"{len(failed)} checks FAILED: {'; '.join(failed)}")
    return 1 if failed else 0


def run_and_kill(journal: Journal) -> None:
    """Run the agent in a process of its own and kill it while a tool is at work."""
    title("1. An agent runs on agents.db in a process of its own")
    process = start_worker()
    with lgckpt.SqliteSaver.from_conn_string(str(DATABASE)) as saver:
        # check_stock has finished and its write is stored; inspect_photo is still at work.
        wait_until(lambda: began(journal, "inspect_photo") and stored(saver, "No teapot left"))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        print(f"   killed with SIGKILL while inspect_photo was at work (process {process.pid})")
        found = saver.get_tuple(THREAD)
    check(found is not None, "the last acknowledged checkpoint is readable")
    if found is not None:
        count = len(found.checkpoint["channel_values"]["messages"])
        print(f"   on disk: step {found.metadata['step']}, {count} messages")


def resume(journal: Journal) -> None:
    """Start the same worker again: it goes on where the last one was killed."""
    title("2. The same program is started again")
    before = journal.entries()
    process = start_worker()
    process.wait()
    after = journal.entries()[len(before) :]
    done = {entry.action for entry in before if entry.event == "finished"}
    interrupted = {entry.action for entry in before if entry.event == "began"} - done
    again = {entry.action for entry in after if entry.event == "began"}
    print(f"   done before the kill: {', '.join(sorted(done))}")
    print(f"   run after it:         {', '.join(sorted(again))}")
    check(process.returncode == 0, "the second process ended by itself")
    check(not done & again, "no acknowledged step was run again")
    check(interrupted == {"inspect_photo 1042"} <= again, "only the killed tool was run again")


def answer_interrupt(agent: Agent, journal: Journal) -> None:
    """Answer the question the agent stopped at, from yet another process: this one."""
    title("3. The agent waits for a human")
    waiting = agent.get_state(THREAD)
    questions = [item.value for item in waiting.interrupts]
    print(f"   it asks: {questions}")
    check(questions == ["Refund 48.00 EUR for order 1042?"], "the question is in the checkpoint")
    print("   we answer: approve")
    final = agent.invoke(Command(resume="approve"), THREAD, durability="sync")
    print(f"   it says: {final['messages'][-1].content}")
    refunds = [(entry.event, entry.action) for entry in journal.entries()]
    check(refunds.count(("finished", "refund 1042")) == 1, "the refund was paid exactly once")
    check(agent.get_state(THREAD).next == (), "the agent has finished")


def show_history(agent: Agent, saver: lgckpt.SqliteSaver) -> None:
    """List the checkpoints of the thread, newest first."""
    title("4. Its history, newest first")
    print(f"   {'step':>4}  {'source':<7}{'messages':>9}  {'next':<14}checkpoint")
    snapshots = list(agent.get_state_history(THREAD))
    for snapshot in snapshots:
        print(f"   {line(snapshot)}")
    inner = [
        found
        for found in saver.list({"configurable": {"thread_id": THREAD_ID}})
        if found.config["configurable"]["checkpoint_ns"]
    ]
    print(f"   and {len(inner)} checkpoints of the subgraph, in a checkpoint_ns of its own")
    steps = [snapshot.metadata["step"] for snapshot in snapshots if snapshot.metadata]
    check(len(inner) > 0, "the subgraph's checkpoints are there")
    check(steps == list(range(steps[0], -2, -1)), "every superstep has its checkpoint")


def fork(agent: Agent) -> None:
    """Go back to an earlier checkpoint, change what a tool said, and run on from there."""
    title("5. A fork: what if the parcel had been signed for?")
    original = agent.get_state(THREAD)
    earlier = next(
        snapshot
        for snapshot in agent.get_state_history(THREAD)
        if snapshot.values["messages"] and snapshot.values["messages"][-1].name == "look_up_order"
    )
    told = earlier.values["messages"][-1]
    changed = ToolMessage(
        "Order 1042: one teapot, 48.00 EUR, signed for on 3 May.",
        name=told.name,
        tool_call_id=told.tool_call_id,
        id=told.id,
    )
    start = agent.update_state(earlier.config, {"messages": [changed]}, as_node="tools")
    final = agent.invoke(None, start, durability="sync")
    print(f"   a tool's message is changed to: {changed.content}")
    print(f"   the fork ends: {final['messages'][-1].content}")
    check("cannot refund" in final["messages"][-1].content, "the fork took another way")
    check(agent.get_state(THREAD).values == final, "the thread's newest checkpoint is the fork's")
    kept = agent.get_state(original.config)
    check(kept.values == original.values, "the original is as it was")


def compare_cost() -> None:
    """Run one longer conversation on our saver and on the official one."""
    title(f"6. What it costs: a conversation of {cost.MESSAGES} messages on both savers")
    ours, official = cost.compare(DIRECTORY)
    print(f"   {'':<24}{'checkpoints':>12}{'file':>11}{'per checkpoint':>17}{'put':>10}")
    for bill in (ours, official):
        print(
            f"   {bill.name:<24}{bill.checkpoints:>12}{bill.file_bytes / 1e6:>8.2f} MB"
            f"{bill.bytes_per_checkpoint:>15,.0f} B{bill.put_milliseconds:>7.2f} ms"
        )
    smaller = official.bytes_per_checkpoint / ours.bytes_per_checkpoint
    faster = official.put_milliseconds / ours.put_milliseconds
    print(f"   {smaller:.1f} times smaller, {faster:.1f} times faster a checkpoint")
    check(ours.messages == official.messages, "both hold the same conversation")
    check(smaller > 1, "lgckpt's file is the smaller one")


def start_worker() -> subprocess.Popen[bytes]:
    """Start the agent's process."""
    return subprocess.Popen([sys.executable, "-m", "examples.worker", DATABASE, JOURNAL])


def began(journal: Journal, action: str) -> bool:
    """Whether an action has begun."""
    return any(entry.action.startswith(action) for entry in journal.entries())


def stored(saver: lgckpt.SqliteSaver, text: str) -> bool:
    """Whether a pending write with a text is stored with the newest checkpoint."""
    found = saver.get_tuple(THREAD)
    writes = found.pending_writes if found else None
    return any(text in str(value) for _, _, value in writes or ())


def wait_until(condition: Any) -> None:
    """Poll until a condition holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the agent did not get as far as expected")
        time.sleep(0.02)


def line(snapshot: StateSnapshot) -> str:
    """One row of the history."""
    metadata = snapshot.metadata or {}
    step, source = metadata["step"], metadata["source"]
    count = len(snapshot.values.get("messages", ()))
    following = ", ".join(snapshot.next) or "(end)"
    identity = snapshot.config["configurable"]["checkpoint_id"]
    return f"{step:>4}  {source:<7}{count:>9}  {following:<14}{identity}"


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{text}", flush=True)


def check(holds: bool, claim: str) -> None:
    """Print a claim and whether it holds."""
    print(f"   {'ok    ' if holds else 'FAILED'} {claim}", flush=True)
    if not holds:
        failed.append(claim)


if __name__ == "__main__":
    raise SystemExit(main())
