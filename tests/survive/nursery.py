"""Forks writers from a warm process and kills them: `python -m tests.survive.nursery`.

It reads one round a line (JSON: path, colour, threads, fresh, delay, limit) and answers with
one line: what the writer had acknowledged when it was killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from threading import Thread
from typing import Any

import lgckpt
from tests.checkpoints import config
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation

Ack = Callable[..., None]


def write_sync(saver: lgckpt.SqliteSaver, names: list[str], ack: Ack) -> None:
    """One thread of this process for each LangGraph thread, until killed."""
    threads = [Thread(target=_continue, args=(saver, name, ack)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _continue(saver: lgckpt.SqliteSaver, name: str, ack: Ack) -> None:
    conversation = Conversation(name)
    conversation.resume(saver.get_tuple(config(name)))
    while True:
        ack("put", name, conversation.put(saver))
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
            ack("writes", name, conversation.parent, task)


def write_async(saver: lgckpt.SqliteSaver, names: list[str], ack: Ack) -> None:
    """One task for each LangGraph thread, until killed."""

    async def main() -> None:
        await asyncio.gather(*(_acontinue(saver, name, ack) for name in names))

    asyncio.run(main())


async def _acontinue(saver: lgckpt.SqliteSaver, name: str, ack: Ack) -> None:
    conversation = Conversation(name)
    conversation.resume(await saver.aget_tuple(config(name)))
    while True:
        ack("put", name, await conversation.aput(saver))
        for task in WRITERS:
            await saver.aput_writes(*conversation.writes(task))
            ack("writes", name, conversation.parent, task)


def writer(round_: dict[str, Any], pipe: int) -> None:
    """The child: writes for ever, and says so after each call came back."""

    def ack(*what: Any) -> None:
        os.write(pipe, (json.dumps(what) + "\n").encode())

    try:
        guard(round_["limit"] / 2)
        saver = lgckpt.SqliteSaver(round_["path"])
        write = write_sync if round_["colour"] == "sync" else write_async
        write(saver, round_["threads"], ack)
    except BaseException:
        ack("error", traceback.format_exc())
    finally:
        os._exit(1)


def kill_after(pid: int, pipe: int, round_: dict[str, Any]) -> list[Any]:
    """Kill the child after the delay, which starts at the fork or at the first acknowledgement."""
    got = b""
    deadline = time.monotonic() + (round_["delay"] if round_["fresh"] else round_["limit"])
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            break
        more = os.read(pipe, 65536)
        if not more:
            break
        if not got and not round_["fresh"]:
            deadline = time.monotonic() + round_["delay"]
        got += more
    os.kill(pid, signal.SIGKILL)
    while more := os.read(pipe, 65536):
        got += more
    os.waitpid(pid, 0)
    return [json.loads(line) for line in got.splitlines(keepends=True) if line.endswith(b"\n")]


def main() -> None:
    guard()
    for line in sys.stdin:
        round_ = json.loads(line)
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(read)
            writer(round_, write)
        os.close(write)
        print(json.dumps(kill_after(pid, read, round_)), flush=True)
        os.close(read)


if __name__ == "__main__":
    main()
