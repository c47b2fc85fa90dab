"""Reads what it may not write: `python -m tests.survive.read_only DIR`, with the files set up.

Run as root it becomes nobody, for whom the mode bits mean something, once all it needs from
the interpreter's own directories is loaded.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.full_disk import assert_clear, refused
from tests.survive.harness import guard
from tests.survive.states import Conversation, assert_whole

NOBODY = 65534


def drop_rights() -> None:
    with lgckpt.SqliteSaver(":memory:") as saver:
        Conversation("large").put(saver)
        asyncio.run(saver.aget_tuple(config("large")))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def assert_reads(saver: Saver) -> None:
    found = saver.get_tuple(config("large-1"))
    assert found is not None
    assert_whole(found)
    assert len(list(saver.list(config("large-1")))) == found.metadata["step"] + 1
    assert asyncio.run(saver.aget_tuple(config("large-1"))) == found


def read_but_not_write(database: str) -> None:
    """The schema is there, so that no right to write is needed.

    Reading works; writing is refused, and reading works after that too.
    """
    with lgckpt.SqliteSaver(database) as saver:
        saver.setup()
        assert_reads(saver)
        refused(lambda: Conversation("large-1").put(saver), database)
        refused(lambda: asyncio.run(Conversation("large-1").aput(saver)), database)
        refused(lambda: saver.delete_thread("large-1"), database)
        assert_reads(saver)


def read_if_sqlite_can(database: str) -> None:
    """WAL wants to make its index beside the file; where it may not, that is said clearly."""
    with lgckpt.SqliteSaver(database) as saver:
        try:
            assert_reads(saver)
        except StorageError as exc:
            assert_clear(exc, database)


def main(directory: str) -> None:
    guard()
    drop_rights()
    root = Path(directory)
    read_but_not_write(str(root / "writable" / "agents.db"))
    read_but_not_write(str(root / "in-use" / "agents.db"))
    read_but_not_write(f"file:{root}/closed/agents.db?immutable=1")
    read_if_sqlite_can(str(root / "closed" / "agents.db"))
    absent = str(root / "closed" / "new.db")
    with lgckpt.SqliteSaver(absent) as saver:
        refused(lambda: Conversation("large-1").put(saver), absent)
        refused(lambda: saver.get_tuple(config("large-1")), absent)


if __name__ == "__main__":
    main(sys.argv[1])
