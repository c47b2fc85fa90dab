"""Runs functions in forked processes that start at once; a script's tool, not a test's."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from tests.survive.harness import LIMIT, guard

CHILD_LIMIT = 20.0
"""Seconds before a forked child is taken to hang."""

fork = multiprocessing.get_context("fork")


def together(functions: Sequence[Callable[[], Any]]) -> None:
    """Fork a process for each function, let them go at the same moment, and wait for all.

    Call it before anything here has opened a database or started a thread.
    """
    gate = fork.Barrier(len(functions))
    processes = [fork.Process(target=_enter, args=(gate, function)) for function in functions]
    for process in processes:
        process.start()
    join(processes)


def _enter(gate: Any, function: Callable[[], Any]) -> None:
    guard()
    gate.wait()
    function()


def join(processes: Sequence[Any]) -> None:
    """Wait for processes that must end well within the script's limit."""
    deadline = time.monotonic() + float(os.environ.get(LIMIT, "60"))
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
    ended = [process.exitcode for process in processes]
    for process in processes:
        if process.exitcode is None:
            process.kill()
            process.join()
    if any(ended):
        sys.exit(f"forked processes ended with {ended}")
    if None in ended:
        sys.exit(f"forked processes hang: {ended}")


def threads(functions: Sequence[Callable[[], Any]]) -> None:
    """Run each function in a thread of its own; the first exception is raised here."""
    raised: list[BaseException] = []

    def run(function: Callable[[], Any]) -> None:
        try:
            function()
        except BaseException as exc:
            raised.append(exc)

    started = [Thread(target=run, args=(function,), daemon=True) for function in functions]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if raised:
        raise raised[0]


def fork_child(function: Callable[[], Any], *, soft: bool = False) -> int:
    """Fork a child that runs the function; gives its process id.

    Args:
        function: What to run; an exception makes the child fail, with its traceback.
        soft: Whether the child ends as a program does, by `sys.exit` up through its frames
            and the interpreter's own cleaning up; or at once, as `multiprocessing` does.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        guard(CHILD_LIMIT)
        function()
        code = 0
    except BaseException:
        traceback.print_exc()
    if soft:
        sys.exit(code)
    os._exit(code)


def reap(pids: Sequence[int]) -> None:
    """Wait for forked children, which must have ended well; one that hangs dumps its stacks."""
    ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    if any(ended):
        raise AssertionError(f"forked children ended with {ended}; {-signal.SIGALRM} is a hang")
