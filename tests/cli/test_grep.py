"""`lgckpt grep`."""

from __future__ import annotations

from tests.cli.command import lgckpt
from tests.cli.stored import Stored, damaged, stored

__all__ = ["damaged", "stored"]


def test_what_is_found_is_told_with_its_place(stored: Stored) -> None:
    ended = lgckpt("grep", stored.url, "it is [0-9]+", "--ignore-case", "--prefix", "talk [")
    assert ended.code == 0
    (line,) = ended.stdout.splitlines()
    assert line.startswith("talk [red]2[/red] ")
    assert line.endswith(" messages[3].content: It is 21 degrees.")


def test_json_is_one_document(stored: Stored) -> None:
    found = lgckpt("grep", stored.url, "What is", "--json").json
    assert {one["thread_id"] for one in found["matches"]} == {"talk", "talk [red]2[/red]"}
    first = next(one for one in found["matches"] if one["thread_id"] == "talk")
    assert (first["checkpoint_id"], first["channel"]) == (stored.ids[0], "messages")
    assert (found["skipped"], found["damage"]) == ({}, [])


def test_nothing_found_is_no_problem_and_no_pattern_is_wrong_usage(stored: Stored) -> None:
    ended = lgckpt("grep", stored.url, "nothing of the kind")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
    ended = lgckpt("grep", stored.url, "(")
    assert ended.code == 2
    assert ended.stderr.count("\n") == 1


def test_damage_is_a_problem(damaged: Stored) -> None:
    ended = lgckpt("grep", damaged.url, "21 degrees")
    assert ended.code == 1
    assert ended.stdout
    assert "channel 'document'" in ended.stderr
