"""Puts, says so, and kills itself right after the last: `python -m tests.survive.acknowledger`."""

from __future__ import annotations

import json
import os
import signal
import sys

import lgckpt
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation


def main(path: str, steps: int) -> None:
    guard()
    saver = lgckpt.SqliteSaver(path)
    conversations = [Conversation("large-1"), Conversation("small-1")]
    for step in range(steps):
        conversation = conversations[step % 2]
        print(json.dumps(["put", conversation.name, conversation.put(saver)]), flush=True)
        for task in WRITERS:
            saver.put_writes(*conversation.writes(task))
            print(json.dumps(["writes", conversation.name, conversation.parent, task]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
