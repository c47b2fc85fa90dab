"""Goes on with threads that others write too: `python -m tests.survive.neighbour FILE CODEC TURNS`.

CODEC is "zstd", "lz4" or "none"; LGCKPT_PURE chooses the core.
"""

from __future__ import annotations

import json
import random
import sys

import lgckpt
from tests.checkpoints import config
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation

NAMES = ("large-a", "large-b", "small-a")


def main(path: str, codec: str, turns: int) -> None:
    guard()
    rng = random.Random(codec)
    with lgckpt.SqliteSaver(path, compression=None if codec == "none" else codec) as saver:
        for _ in range(turns):
            name = rng.choice(NAMES)
            conversation = Conversation(name)
            conversation.resume(saver.get_tuple(config(name)))
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))
    print(json.dumps(turns))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
