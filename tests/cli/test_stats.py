"""`lgckpt stats`."""

from __future__ import annotations

from tests.cli.command import lgckpt
from tests.cli.stored import Stored, stored

__all__ = ["stored"]


def test_where_the_bytes_are(stored: Stored) -> None:
    ended = lgckpt("stats", stored.url)
    assert ended.code == 0
    text = ended.stdout
    assert text.startswith("2 threads, 10 checkpoints, 8 pending writes\n")
    assert "LARGEST THREADS\tCHECKPOINTS\tSTORED\tLOGICAL\n" in text
    assert "\ndocument\t8\t" in text
    assert "langgraph+postgresql\t" in text
    assert "estimated: " in text
    assert "not by writing it there" in text


def test_json_is_one_document(stored: Stored) -> None:
    found = lgckpt("stats", stored.url, "talk", "talk", "--json").json
    (only,) = found["threads"]
    assert only["thread_id"] == "talk"
    assert (
        only["stored"]
        == found["total"]["stored"]
        == only["rows"] + only["pending"] + only["chunks"]
    )
    assert {one["channel"] for one in only["channels"]} >= {"messages", "document"}
    assert set(found["namespaces"]) == {""}
    assert "method" in found


def test_a_thread_that_is_not_there_is_a_problem(stored: Stored) -> None:
    ended = lgckpt("stats", stored.url, "nobody")
    assert ended.code == 1
    assert "no thread 'nobody'" in ended.stderr
