"""`lgckpt diff`."""

from __future__ import annotations

from tests.cli.command import lgckpt
from tests.cli.stored import Stored, stored
from tests.cli.terminal import on_terminal, styles_off

__all__ = ["stored"]


def test_messages_are_told_one_by_one(stored: Stored) -> None:
    ended = lgckpt("diff", stored.url, "talk", stored.ids[2], "latest")
    assert ended.code == 0
    text = ended.stdout
    assert "~ messages  messages: 1 removed, 1 changed, 1 unchanged\n" in text
    assert "  - tool search  answers call-1  t1\n    - 21 degrees\n" in text
    assert "  ~ ai  a1\n    - Let me look.\n    - → search(" in text
    assert "    + Let me look!\n" in text
    assert "- plan\n" in text


def test_what_did_not_change_is_folded(stored: Stored) -> None:
    text = lgckpt("diff", stored.url, "talk", stored.ids[0], stored.ids[3]).stdout
    assert "~ messages  messages: 3 added, 1 unchanged\n" in text
    assert text.splitlines()[-1].startswith("unchanged: by_number, document, hostile, ")
    assert "line 0 of the document" not in text
    assert "What is the weather" not in text
    same = lgckpt("diff", stored.url, "talk", stored.ids[0], stored.ids[0])
    assert "no channel differs" in same.stdout


def test_json_is_one_document(stored: Stored) -> None:
    found = lgckpt("diff", stored.url, "talk", stored.ids[2], stored.ids[4], "--json").json
    messages = next(one for one in found["channels"] if one["name"] == "messages")
    removed, changed = messages["changes"]
    assert (removed["kind"], removed["path"], "after" in removed) == ("removed", "t1", False)
    assert (changed["before"]["text"], changed["after"]["text"]) == ("Let me look.", "Let me look!")
    assert found["before"]["checkpoint_id"] == stored.ids[2]


def test_on_a_terminal_it_has_colours(stored: Stored) -> None:
    code, written = on_terminal("diff", stored.url, "talk", stored.ids[0], stored.ids[1])
    assert code == 0
    assert b"\x1b[32m" in written
    assert '→ search({"query": "weather [bold]Paris[/bold]"})' in styles_off(written)
