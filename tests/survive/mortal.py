"""Uses threads that expire at any moment: `python -m tests.survive.mortal FILE TTL SECONDS SEED`.

Several processes go on with the same threads. What one put may be gone when it is read, and
the thread may have been begun anew by another; what is there is whole.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter

import lgckpt
from tests.checkpoints import config
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation, assert_whole

NAMES = ("large-a", "large-b", "small-a", "small-b")


def main(path: str, ttl: float, seconds: float, seed: int) -> None:
    guard()
    rng = random.Random(seed)
    seen: Counter[str] = Counter()
    until = time.monotonic() + seconds
    conversations = {name: Conversation(name) for name in NAMES}
    with lgckpt.SqliteSaver(path, ttl=ttl, refresh_on_read=bool(seed % 2)) as saver:
        while time.monotonic() < until:
            conversation = conversations[rng.choice(NAMES)]
            found = saver.get_tuple(config(conversation.name))
            seen["absent" if found is None else "there"] += 1
            if rng.random() < 0.5:
                conversation.resume(found)
            elif found is not None:
                assert_whole(found)
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))
            for one in saver.list(None, limit=5):
                assert_whole(one)
            if rng.random() < 0.2:
                seen["swept"] += saver.sweep()
            time.sleep(rng.random() * ttl * 2)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
