"""`lgckpt show`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import lgckpt as package
from tests.checkpoints import Thread
from tests.cli.command import lgckpt
from tests.cli.stored import Stored, damaged, stored
from tests.cli.terminal import on_terminal, styles_off
from tests.colours import Coloured
from tests.inspection.conversations import OBJECTS

__all__ = ["damaged", "stored"]

HOSTILE = "hostile  \\x1b[31mred\\x1b[0m \\x9b2J \\u202eturned [red]markup[/red]"


def test_a_state_is_readable_and_folded(stored: Stored) -> None:
    ended = lgckpt("show", stored.url, "talk", stored.ids[3])
    assert ended.code == 0
    text = ended.stdout
    assert "  human  h1\n    What is the weather in Paris?\n" in text
    assert '    → search({"query": "weather [bold]Paris[/bold]"})  call-1\n' in text
    assert "  tool search  answers call-1  t1\n    21 degrees\n" in text
    assert "<tests.inspection.conversations.Plan {goal: 'find out', parts: [1, {a: 'b'}]}>" in text
    assert HOSTILE in text
    assert "more characters)" in text
    assert "line 399" not in text
    assert "\npending writes\n  task-4  messages\n" in text


def test_nothing_is_folded_if_all_is_asked_for(stored: Stored) -> None:
    ended = lgckpt("show", stored.url, "talk", stored.ids[3], "--full", "--channel", "document")
    assert "line 399 of the document" in ended.stdout
    assert "weather" not in ended.stdout


def test_long_texts_are_wrapped_where_they_are_indented(stored: Stored) -> None:
    _, written = on_terminal(
        "show", stored.url, "talk", stored.ids[3], "--channel", "messages", columns=40
    )
    shown = styles_off(written).replace("\r", "")
    assert '    → search({"query": "weather\n    [bold]Paris[/bold]"})  call-1\n' in shown


def test_json_is_one_document_with_everything(stored: Stored) -> None:
    found = lgckpt("show", stored.url, "talk", stored.ids[3], "--json").json
    assert found["checkpoint_id"] == stored.ids[3]
    assert found["channels"]["document"] == OBJECTS["document"]
    assert found["channels"]["hostile"] == OBJECTS["hostile"]
    assert found["channels"]["plan"]["$type"] == "tests.inspection.conversations.Plan"
    assert found["channels"]["messages"][0]["value"]["content"] == "What is the weather in Paris?"
    assert found["writes"][0]["task_id"] == "task-4"


def test_no_sequence_or_markup_of_the_data_reaches_the_terminal(stored: Stored) -> None:
    code, written = on_terminal("show", stored.url, "talk", stored.ids[3])
    assert code == 0
    shown = styles_off(written)
    assert HOSTILE in shown
    for character in "\x1b\x9b\u202e":
        assert character not in shown
    assert "[bold]Paris[/bold]" in shown
    _, written = on_terminal("show", stored.url, "talk", stored.ids[3], "--json")
    for character in "\x1b\x9b":
        assert character not in written.decode()


def test_damage_is_named_and_the_rest_is_shown(damaged: Stored) -> None:
    ended = lgckpt("show", damaged.url, "talk", damaged.ids[3])
    assert ended.code == 1
    assert "It is 21 degrees." in ended.stdout
    (line,) = ended.stderr.splitlines()
    assert all(part in line for part in ("'talk'", damaged.ids[3], "channel 'document'"))


def test_an_id_that_several_have_is_wrong_usage(stored: Stored) -> None:
    ended = lgckpt("show", stored.url, "talk", stored.ids[0][:2])
    assert ended.code == 2
    assert "checkpoints of thread 'talk' match" in ended.stderr


def test_json_is_json_whatever_a_url_in_the_data_looks_like(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    link = "https://a:b@c/?q=1"

    async def put() -> None:
        async with package.from_url(url) as saver:
            await Thread(Coloured(saver, "async"), "t").put({"link": link})

    asyncio.run(put())
    assert lgckpt("show", url, "t", "--json").json["channels"] == {"link": link}
    assert f"link  {link}\n" in lgckpt("show", url, "t").stdout
