"""Writes to a file that others change the schema of: `python -m tests.survive.upgrading FILE N`.

It waits for a line after it has read. Threads of an even N expire.
"""

from __future__ import annotations

import sys
from pathlib import Path

import lgckpt
from tests.checkpoints import config
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation


def main(path: str, n: int) -> None:
    guard()
    with lgckpt.SqliteSaver(path, ttl=None if n % 2 else 1000) as saver:
        if Path(path).exists():
            assert saver.get_tuple(config("absent")) is None
        print("ready", flush=True)
        sys.stdin.readline()
        conversation = Conversation(f"large-{n}")
        for _ in range(3):
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))
    print("done")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
