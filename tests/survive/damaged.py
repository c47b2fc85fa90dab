"""Reads files that were damaged: `python -m tests.survive.damaged HOW DIR ROUNDS SEED`.

HOW is a key of `DAMAGES`. Whatever the damage, a read gives something whole, nothing, or an
error of ours.
"""

from __future__ import annotations

import json
import random
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lgckpt
from lgckpt.errors import CorruptCheckpointError, LgckptError, StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.damages import DAMAGES, copy, ends_with_an_index
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation, assert_values, assert_whole

SIZES = ("small", "large")
THREADS = 8
STEPS = 6

Acknowledged = dict[str, dict[str, tuple[int, int]]]
"""For each thread and checkpoint id: its step, and how many writes it has."""


class Round:
    """What is asked of one damaged file, and what had been acknowledged when it was whole."""

    def __init__(self, saver: Saver, acknowledged: Acknowledged) -> None:
        self.saver = saver
        self.acknowledged = {name: dict(steps) for name, steps in acknowledged.items()}

    def get(self, name: str) -> str:
        found = self.saver.get_tuple(config(name))
        if found is None:
            return "absent"
        kind = self._kind(found, name)
        latest = max(self.acknowledged[name])
        return "earlier" if kind == "whole" and found.checkpoint["id"] != latest else kind

    def listed(self, name: str) -> str:
        found = list(self.saver.list(config(name)))
        kinds = {self._kind(one, name) for one in found}
        if len(found) < len(self.acknowledged[name]):
            kinds.add("earlier")
        return min(kinds - {"whole"}, default="listed")

    def put(self, name: str) -> str:
        stored = Conversation(name).put(self.saver)
        self.acknowledged[name][stored] = (0, 0)
        return "put"

    def pruned(self, name: str) -> str:
        self.saver.prune([name])
        return "pruned"

    def _kind(self, found: Any, name: str) -> str:
        """Whether it has all of the writes acknowledged, as many as there once were, or others.

        An index that is out of order hides writes, and no checksum covers their keys. Values
        that were never acknowledged for this thread and id are an assertion's failure.
        """
        assert_values(found)
        step, count = self.acknowledged[name].get(found.checkpoint["id"], (None, 0))
        assert (found.metadata["name"], found.metadata["step"]) == (name, step), "another's row"
        try:
            assert_whole(found)
        except AssertionError:
            return "torn writes"
        return "whole" if len(found.pending_writes) == count else "earlier"


def write(saver: Saver, conversations: dict[str, Conversation]) -> Acknowledged:
    """Go some steps on in each conversation; gives what is stored by then."""
    for conversation in conversations.values():
        for _ in range(STEPS):
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))
    acknowledged: Acknowledged = {}
    for name in conversations:
        found = list(saver.list(config(name)))
        assert len(found) % STEPS == 0, f"{name}: {len(found)} checkpoints"
        for one in found:
            assert_whole(one)
        acknowledged[name] = {
            one.checkpoint["id"]: (one.metadata["step"], len(one.pending_writes)) for one in found
        }
    return acknowledged


def attempt(call: Callable[[], Any], path: Path, outcomes: Counter[str]) -> None:
    try:
        outcomes[call()] += 1
    except CorruptCheckpointError as exc:
        outcomes["corrupt" if exc.thread_id in str(exc) else "escaped: unnamed corruption"] += 1
    except StorageError as exc:
        outcomes["storage" if str(path) in str(exc) else f"escaped: no file named in {exc}"] += 1
    except LgckptError:
        outcomes["other"] += 1
    except Exception as exc:
        where = traceback.extract_tb(exc.__traceback__)[-1]
        outcomes[f"escaped: {exc!r:.80} in {where.name}, {Path(where.filename).name}"] += 1


def use(path: Path, acknowledged: Acknowledged, outcomes: Counter[str], *, prune: bool) -> None:
    with lgckpt.SqliteSaver(path, synchronous="NORMAL") as saver:
        now = Round(saver, acknowledged)
        for call in (now.get, now.listed, now.pruned if prune else now.put, now.get):
            for name in acknowledged:
                attempt(partial(call, name), path, outcomes)


def main(how: str, directory: str, rounds: int, seed: int) -> None:
    guard()
    rng = random.Random(seed)
    names = [f"{SIZES[i % 2]}-{i}" for i in range(THREADS)]
    rng.shuffle(names)
    conversations = {name: Conversation(name) for name in names}
    whole = Path(directory) / "whole.db"
    outcomes: Counter[str] = Counter()
    with lgckpt.SqliteSaver(whole, synchronous="NORMAL") as saver:
        acknowledged = write(saver, conversations)
        if how != "wal":
            saver.close()
        while how == "last-page" and ends_with_an_index(whole):
            with lgckpt.SqliteSaver(whole) as again:
                acknowledged = write(again, conversations)
        for i in range(rounds):
            path = Path(directory) / f"damaged-{i}.db"
            copy(whole, path)
            DAMAGES[how](path, rng)
            use(path, acknowledged, outcomes, prune=bool(i % 2))
            path.unlink()
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
