"""One checkpoint replaced again and again under its readers.

`python -m tests.survive.replacing PATH STATES SEED`: the readers are processes of their own.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import lgckpt
from lgckpt.saver import Saver
from tests.checkpoints import checkpoint, config
from tests.survive.crowd import fork, together
from tests.survive.harness import guard
from tests.survive.states import assert_values, expected

THREAD, NAME, ID = "t", "large-replaced", "1f000000-0000-6000-8000-000000000000"
LONGEST = 60
"""Messages in the largest state; the one after it may have a few."""


def _get(saver: Saver) -> Any:
    return saver.get_tuple(config(THREAD))


def _get_by_id(saver: Saver) -> Any:
    return saver.get_tuple(config(THREAD, ID))


def _list(saver: Saver) -> Any:
    (found,) = saver.list(config(THREAD))
    return found


def _aget(saver: Saver) -> Any:
    return asyncio.run(saver.aget_tuple(config(THREAD)))


READS: tuple[Callable[[Saver], Any], ...] = (_get, _get_by_id, _list, _aget)


def counters() -> Any:
    """How often each reader saw another state than before; shared with forked processes."""
    return fork.Array("i", len(READS))


def put(saver: Saver, step: int) -> None:
    """Put the state of a step in place of what is there, as if all of its channels had changed."""
    values = expected(NAME, step)
    versions = dict.fromkeys(values, step + 1)
    metadata = {"source": "loop", "step": step, "parents": {}, "name": NAME}
    saver.put(config(THREAD), checkpoint(values, versions, id=ID), metadata, versions)


def write(saver: Saver, seen: Sequence[int], enough: int, seed: int) -> None:
    """Replace until every reader has seen so many changes.

    Mostly by a neighbour, which shares most chunks; and prune, which drops those not shared.
    """
    rng = random.Random(seed)
    step = 0
    while min(seen) < enough:
        step = rng.choice([step + 1, step + 1, step - 1, rng.randrange(LONGEST)]) % LONGEST
        put(saver, step)
        if not rng.randrange(3):
            saver.prune([THREAD])


def read(saver: Saver, number: int, seen: Any, enough: int) -> None:
    """Read until every reader has seen so many changes; each state must be one that was put."""
    last = None
    try:
        while min(seen) < enough:
            found = READS[number](saver)
            step = found.metadata["step"]
            assert found.checkpoint["id"] == ID
            assert_values(found)
            values = found.checkpoint["channel_values"]
            assert found.checkpoint["channel_versions"] == dict.fromkeys(values, step + 1)
            seen[number] += step != last
            last = step
    finally:
        # The others go on for as long as a reader has not seen enough.
        seen[number] = max(seen[number], enough)


def _alone(path: str, act: Callable[[Saver], None]) -> None:
    with lgckpt.SqliteSaver(path, synchronous="NORMAL") as saver:
        act(saver)


def main(path: str, enough: int, seed: int) -> None:
    guard()
    seen = counters()
    _alone(path, partial(put, step=0))
    acts: list[Callable[[Saver], None]] = [
        partial(write, seen=seen, enough=enough, seed=seed),
        *(partial(read, number=i, seen=seen, enough=enough) for i in range(len(READS))),
    ]
    together([partial(_alone, path, act) for act in acts])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
