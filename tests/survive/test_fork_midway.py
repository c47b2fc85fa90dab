"""A child forked in the middle of a transaction that does not end is refused the file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

import lgckpt
from lgckpt.backends import sqlite_connections
from lgckpt.errors import StorageError
from tests.checkpoints import checkpoint, config

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def attempt(saver: lgckpt.SqliteSaver) -> str:
    try:
        saver.get_tuple(config("t"))
    except StorageError as exc:
        return str(exc)
    return "read"


def test_a_child_forked_midway_cannot_use_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_connections, "FORK_TIMEOUT", 0.05)
    path = tmp_path / "agents.db"
    saver = lgckpt.SqliteSaver(path)
    saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with saver._handle.storage._write():
            inside.set()
            done.wait(30)

    holding = threading.Thread(target=hold)
    holding.start()
    assert inside.wait(10)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        said = [attempt(saver), attempt(lgckpt.SqliteSaver(path))]
        os.write(write, "\n".join(said).encode())
        os._exit(0)
    os.waitpid(child, 0)
    done.set()
    holding.join()
    os.close(write)
    said = os.read(read, 10_000).decode().split("\n")
    os.close(read)
    assert len(said) == 2
    for one in said:
        assert "forked in the middle of a transaction" in one
        assert str(path) in one
    assert attempt(saver) == "read"
    saver.close()
