"""What is hidden of a text, and what is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lgckpt.cli import secrets
from lgckpt.cli.secrets import hidden, learn, without_urls

URL = "postgresql://somebody:pass%40word@db/agents?sslpassword=another"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(secrets, "_seen", {})
    return


@pytest.mark.parametrize(
    "text",
    [URL, f"({URL})", "pass%40word", "bad password pass@word", "key another", f"--x={URL} {URL}"],
)
def test_a_password_is_hidden_wherever_it_stands(text: str) -> None:
    learn([f"--option={URL}"])
    for word in ("pass%40word", "pass@word", "another"):
        assert word not in hidden(text)
    assert "***" in hidden(text)


def test_a_url_that_was_never_given_is_hidden_too() -> None:
    assert hidden("no redis://u:word@h:1/0 there") == "no redis://u:***@h:1/0 there"


def test_what_has_no_password_stays_as_it_is() -> None:
    for text in ("sqlite:////var/lib/x.db", "memory://", "redis://h/0?lgckpt_prefix=a%20b", "x: y"):
        learn([text])
        assert hidden(text) == text
        assert without_urls(text) == text


def test_a_short_password_is_no_reason_to_change_every_word() -> None:
    learn(["redis://u:a@h/0"])
    assert hidden("a database at redis://u:a@h/0") == "a database at redis://u:***@h/0"


def test_data_is_not_changed_where_a_word_in_it_is_like_a_password() -> None:
    learn(["redis://u:hello@h/0"])
    text = '{"content": "hello, see https://a:b@c/", "url": "redis://u:hello@h/0"}'
    assert without_urls(text) == (
        '{"content": "hello, see https://a:b@c/", "url": "redis://u:***@h/0"}'
    )
