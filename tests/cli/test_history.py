"""`lgckpt history`."""

from __future__ import annotations

import pytest

from lgckpt.cli.lanes import Lanes
from tests.cli.command import lgckpt
from tests.cli.stored import Stored, stored

__all__ = ["stored"]


def test_every_checkpoint_is_told(stored: Stored) -> None:
    ended = lgckpt("history", stored.url, "talk")
    lines = ended.stdout.splitlines()
    heads = [line for line in lines if "●" in line]
    assert [line.split()[1] for line in heads] == stored.ids[::-1]
    assert "step 3  loop" in heads[1]
    assert [("fork" in line) for line in heads] == [False, False, False, True, False]
    assert lines[3].split("  ", 1)[1].split() == ["changed", "messages", "pending", "messages"]
    assert ended.code == 0


def test_json_is_one_document(stored: Stored) -> None:
    ended = lgckpt("history", stored.url, "talk", "--json", "--limit", "2", "--ns", "")
    assert [one["checkpoint_id"] for one in ended.json["checkpoints"]] == stored.ids[:2:-1]
    assert ended.json["checkpoints"][1]["writes"] == {"messages": 1}


def test_a_thread_that_is_not_there_is_a_problem(stored: Stored) -> None:
    for options in ((), ("--json",)):
        ended = lgckpt("history", stored.url, "nobody", *options)
        assert (ended.code, ended.stdout) == (1, "")
        assert "no thread 'nobody'" in ended.stderr


@pytest.mark.parametrize(
    ("history", "drawn"),
    [
        ([("b", "a"), ("a", None)], ["●", "●"]),
        ([("c", "a"), ("b", "a"), ("a", None)], ["●", "│●", "●┘"]),
        ([("d", "b"), ("c", "a"), ("b", "a"), ("a", None)], ["●", "│●", "●│", "●┘"]),
        ([("d", "a"), ("c", "x"), ("b", "a"), ("a", None)], ["●", "│●", "││●", "●┼┘"]),
        ([("b", None), ("a", None)], ["●", "●"]),
    ],
)
def test_lines_lead_to_parents(history: list[tuple[str, str | None]], drawn: list[str]) -> None:
    lanes = Lanes()
    assert [lanes.step(*one)[0] for one in history] == drawn
