"""Reads files that were damaged: `python -m tests.survive.damaged HOW DIR ROUNDS SEED`.

HOW is "truncate", "wal" (the write-ahead log alone is truncated) or "flip". Whatever the
damage, a read gives something whole, nothing, or an error of ours.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import lgckpt
from lgckpt.errors import CorruptCheckpointError, LgckptError, StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.harness import guard
from tests.survive.states import WRITERS, Conversation, assert_values

NAMES = [f"{size}-{i}" for size in ("small", "large") for i in range(4)]
STEPS = 6


def write(saver: Saver) -> None:
    for name in NAMES:
        conversation = Conversation(name)
        for _ in range(STEPS):
            conversation.put(saver)
            for task in WRITERS:
                saver.put_writes(*conversation.writes(task))


def copy(source: Path, target: Path) -> None:
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{source}{suffix}", f"{target}{suffix}")


def truncate(path: Path, rng: random.Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(rng.randrange(size // 10, size))


def truncate_wal(path: Path, rng: random.Random) -> None:
    truncate(path.with_name(f"{path.name}-wal"), rng)


def flip(path: Path, rng: random.Random) -> None:
    """Change some bytes anywhere but in the first page, which says that it is SQLite at all."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(rng.choice([1, 8, 64])):
            file.seek(rng.randrange(4096, size))
            file.write(rng.randbytes(1))


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


def get(saver: Saver, name: str) -> str:
    found = saver.get_tuple(config(name))
    if found is None:
        return "absent"
    return _whole(found, name)


def listed(saver: Saver, name: str) -> str:
    for found in saver.list(config(name)):
        _whole(found, name)
    return "listed"


def _whole(found: Any, name: str) -> str:
    """A page of an index can name another thread's row, which no checksum of ours can tell."""
    assert_values(found)
    return "whole" if found.metadata["name"] == name else "astray"


def put(saver: Saver, name: str) -> str:
    Conversation(name).put(saver)
    return "put"


def pruned(saver: Saver, name: str) -> str:
    saver.prune([name])
    return "pruned"


DAMAGES = {"truncate": truncate, "wal": truncate_wal, "flip": flip}


def use(path: Path, outcomes: Counter[str], write: Callable[[Saver, str], str]) -> None:
    with lgckpt.SqliteSaver(path, synchronous="NORMAL") as saver:
        for call in (get, listed, write, get):
            for name in NAMES:
                attempt(partial(call, saver, name), path, outcomes)


def main(how: str, directory: str, rounds: int, seed: int) -> None:
    guard()
    rng = random.Random(seed)
    whole = Path(directory) / "whole.db"
    outcomes: Counter[str] = Counter()
    with lgckpt.SqliteSaver(whole, synchronous="NORMAL") as saver:
        write(saver)
        if how != "wal":
            saver.close()
        for i in range(rounds):
            path = Path(directory) / f"damaged-{i}.db"
            copy(whole, path)
            DAMAGES[how](path, rng)
            use(path, outcomes, pruned if i % 2 else put)
            path.unlink()
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
