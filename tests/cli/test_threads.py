"""`lgckpt threads`."""

from __future__ import annotations

from tests.cli.command import lgckpt
from tests.cli.stored import Stored, stored
from tests.cli.terminal import on_terminal, styles_off

__all__ = ["stored"]


def test_threads_are_listed_plainly_to_a_pipe(stored: Stored) -> None:
    ended = lgckpt("threads", stored.url)
    heading, *rows = ended.stdout.splitlines()
    assert heading == "THREAD\tCHECKPOINTS\tWRITES\tUPDATED"
    assert sorted(row.split("\t")[:3] for row in rows) == [
        ["talk", "5", "4"],
        ["talk [red]2[/red]", "5", "4"],
    ]
    assert (ended.code, ended.stderr) == (0, "")


def test_json_is_one_document(stored: Stored) -> None:
    ended = lgckpt("threads", stored.url, "--json", "--prefix", "talk ", "--limit", "1")
    (only,) = ended.json["threads"]
    assert (only["thread_id"], only["checkpoints"], only["damage"]) == (
        "talk [red]2[/red]",
        5,
        None,
    )
    assert ended.stderr == ""


def test_on_a_terminal_it_is_a_table_without_markup_of_the_data(stored: Stored) -> None:
    code, written = on_terminal("threads", stored.url)
    assert code == 0
    assert b"\x1b[1m" in written
    assert "talk [red]2[/red]" in styles_off(written)


def test_no_threads_and_no_database(stored: Stored) -> None:
    ended = lgckpt("threads", stored.url, "--prefix", "x")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "lgckpt: no threads\n")
    absent = f"{stored.url}.absent"
    ended = lgckpt("threads", absent)
    assert ended.code == 1
    assert ended.stderr.count("\n") == 1
    assert absent in ended.stderr
    assert not stored.path.with_name("agents.db.absent").exists()


def test_memory_is_of_no_use_here() -> None:
    ended = lgckpt("threads", "memory://")
    assert ended.code == 2
    assert "lgckpt.dump" in ended.stderr
    assert "file:///" in ended.stderr
