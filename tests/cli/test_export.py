"""`lgckpt export` and `lgckpt import`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import lgckpt as library
from tests.checkpoints import config
from tests.cli.command import lgckpt, started
from tests.cli.stored import Stored, damaged, stored
from tests.cli.terminal import on_terminal

__all__ = ["damaged", "stored"]


def piped(*args: str, **streams: object) -> tuple[int, bytes, bytes]:
    process = started(args, text=False, **streams)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def ids(path: Path, thread_id: str) -> list[str]:
    with library.SqliteSaver(path) as saver:
        return [one.checkpoint["id"] for one in saver.list(config(thread_id))]


def test_threads_go_through_a_file_and_through_pipes(stored: Stored, tmp_path: Path) -> None:
    path = tmp_path / "threads.lgckpt"
    with path.open("wb") as file:
        code, _, err = piped("export", stored.url, "talk", stdout=file)
    assert (code, err[:18]) == (0, b"exported 1 thread,")
    with path.open("rb") as file:
        code, out, err = piped("import", f"sqlite:///{tmp_path}/a.db", stdin=file)
    assert (code, out, err[:18]) == (0, b"", b"imported 1 thread,")
    assert ids(tmp_path / "a.db", "talk") == ids(stored.path, "talk")

    sender = started(["export", stored.url, "--all"], text=False, stdout=subprocess.PIPE)
    code, out, _ = piped("import", f"sqlite:///{tmp_path}/b.db", "--json", stdin=sender.stdout)
    assert sender.stdout is not None
    sender.stdout.close()
    sender.communicate(timeout=60)
    assert (code, sender.returncode, out[:13]) == (0, 0, b'{"threads": 2')


def test_a_file_is_named_and_a_thread_renamed(stored: Stored, tmp_path: Path) -> None:
    path, target = tmp_path / "threads.lgckpt", tmp_path / "c.db"
    ended = lgckpt("export", stored.url, "talk", "-o", str(path), "--json")
    assert (ended.code, ended.json["checkpoints"]) == (0, 5)
    ended = lgckpt("import", f"sqlite:///{target}", str(path), "--as", "renamed")
    assert ended.code == 0
    assert ids(target, "renamed") == stored.ids[::-1]
    assert ids(target, "talk") == []
    assert lgckpt("threads", path.as_uri()).stdout.splitlines()[1].startswith("talk\t5\t4\t")


def test_it_is_not_for_a_terminal(stored: Stored) -> None:
    code, written = on_terminal("export", stored.url, "talk")
    assert code == 2
    assert b"not for a terminal" in written
    assert b"\x89lgckpt" not in written


def test_wrong_usage_and_problems(stored: Stored, damaged: Stored, tmp_path: Path) -> None:
    assert lgckpt("export", stored.url).code == 2
    assert lgckpt("export", stored.url, "talk", "--all").code == 2
    ended = lgckpt("export", stored.url, "nobody", "-o", str(tmp_path / "x"))
    assert (ended.code, (tmp_path / "x").exists()) == (1, False)
    ended = lgckpt("export", damaged.url, "talk", "-o", str(tmp_path / "x"))
    assert (ended.code, (tmp_path / "x").exists()) == (1, False)
    assert "channel 'document'" in ended.stderr
    ended = lgckpt("import", f"sqlite:///{tmp_path}/d.db", stdin="something else")
    assert ended.code == 1
    assert "standard input cannot be read: it is no portable file" in ended.stderr
    assert not (tmp_path / "d.db").exists()
