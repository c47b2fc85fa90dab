"""Writes until there is no room, then makes some: `python -m tests.survive.full_disk HOW DIR`.

HOW is "rlimit" (no file of this process may grow past a size), "tmpfs" (a small file system,
mounted here in a mount namespace of our own) or "pages" (SQLite's own bound on a database).
"""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.saver import Saver
from tests.checkpoints import config
from tests.survive.checker import check_file
from tests.survive.harness import guard
from tests.survive.states import Conversation, assert_whole

ROOM = 2_000_000
"""Bytes before the disk is full."""

STEPS = 3_000
"""More than fits."""

MakeRoom = Callable[[], object]


def by_rlimit(path: Path) -> tuple[Saver, MakeRoom]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    return lgckpt.SqliteSaver(path), lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def by_tmpfs(path: Path) -> tuple[Saver, MakeRoom]:
    size = 4 * ROOM
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path.parent)]
    subprocess.run(command, check=True)
    ballast = path.with_name("ballast")
    ballast.write_bytes(bytes(size - ROOM))
    return lgckpt.SqliteSaver(path), ballast.unlink


def by_pages(path: Path) -> tuple[Saver, MakeRoom]:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute(f"PRAGMA max_page_count = {ROOM // 4096}")
    return lgckpt.SqliteSaver(connection), lambda: connection.execute(
        "PRAGMA max_page_count = 1000000"
    )


def fill(saver: Saver, conversation: Conversation) -> StorageError:
    """Put until it fails."""
    for _ in range(STEPS):
        try:
            conversation.put(saver)
        except StorageError as exc:
            return exc
    raise AssertionError("it never was full")


def refused(call: Callable[[], Any], named: str) -> None:
    """The call raises our error, which names the database and has SQLite's as its cause."""
    try:
        call()
    except StorageError as exc:
        assert_clear(exc, named)
    else:
        raise AssertionError("there was room after all")


def assert_clear(exc: StorageError, named: str) -> None:
    assert named in str(exc), f"does not name {named}: {exc}"
    assert isinstance(exc.__cause__, sqlite3.Error), repr(exc.__cause__)


def assert_readable(saver: Saver, conversation: Conversation) -> None:
    """All that was acknowledged is there and whole, and the one that failed is not."""
    found = list(saver.list(config(conversation.thread_id)))
    steps = [one.metadata["step"] for one in found]
    assert steps == list(range(conversation.step, -1, -1)), "lost, or half stored"
    for one in found:
        assert_whole(one)


def main(how: str, directory: str) -> None:
    guard()
    path = Path(directory) / "agents.db"
    saver, make_room = {"rlimit": by_rlimit, "tmpfs": by_tmpfs, "pages": by_pages}[how](path)
    named = str(path)
    conversation = Conversation("large-1")
    assert_clear(fill(saver, conversation), named)
    assert conversation.step > 3
    refused(lambda: conversation.put(saver), named)
    refused(lambda: asyncio.run(conversation.aput(saver)), named)
    assert_readable(saver, conversation)
    if how != "pages":
        with lgckpt.SqliteSaver(path) as another:
            assert_readable(another, conversation)
    make_room()
    conversation.put(saver)
    asyncio.run(conversation.aput(saver))
    assert_readable(saver, conversation)
    saver.close()
    check_file(path)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
