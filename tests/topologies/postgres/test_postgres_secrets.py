"""A password is never told, whatever is wrong with it or with the URL that holds it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

import lgckpt
from lgckpt.backends.postgres_errors import place_of
from tests.services.postgres import PASSWORD, PostgresServer
from tests.topologies.postgres.load import assert_told, assert_unspoken


def test_a_password_is_in_no_error_of_a_server_that_refuses_it(own_server: PostgresServer) -> None:
    url = own_server.url.replace(quote(PASSWORD), "not%20the%20password")
    with (
        lgckpt.PostgresSaver(url, retry_for=0.2) as saver,
        pytest.raises(lgckpt.StorageError) as raised,
    ):
        saver.setup()
    assert_told(
        raised.value,
        f"database 'postgres' at 127.0.0.1:{own_server.port}",
        "not the password",
        "not%20the%20password",
    )


def test_a_password_is_in_no_error_where_nobody_listens() -> None:
    url = "postgresql://user:se%20cret@127.0.0.1:1/some?connect_timeout=2"
    for password in ({}, {"password": "se cret"}, {"password": lambda: "se cret"}):
        with (
            lgckpt.PostgresSaver(url, retry_for=0.2, **password) as saver,
            pytest.raises(lgckpt.StorageError) as raised,
        ):
            saver.setup()
        assert_told(raised.value, "database 'some' at 127.0.0.1:1", "se cret", "se%20cret")


@pytest.mark.parametrize("char", list("/#?@[]:%; '\"\\&=\t\0"))
def test_a_password_that_is_not_percent_encoded_is_in_no_error(char: str) -> None:
    """What is before and after the character must not show up as a host or a database."""
    url = f"postgresql://user:first{char}second@127.0.0.1:1/some"
    with pytest.raises((lgckpt.StorageError, lgckpt.ConfigurationError)) as raised:  # noqa: PT012
        saver = lgckpt.PostgresSaver(url, retry_for=0)
        with saver:
            saver.setup()
    assert_unspoken(raised.value, "first", "second")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:12/second@127.0.0.1:1/some",
        "postgresql://user:12#second@127.0.0.1:1/some",
        "postgresql://127.0.0.1:second/some",
        "postgresql://user@[::1:second/some",
        "mysql://user:second@127.0.0.1/some",
        "user:second@127.0.0.1",
    ],
)
def test_a_malformed_url_is_refused_at_once_and_not_shown(url: str) -> None:
    with pytest.raises(lgckpt.ConfigurationError) as raised:
        lgckpt.PostgresSaver(url)
    assert_unspoken(raised.value, "second")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("postgresql://", "database 'the default' at localhost"),
        ("postgres://a:b@one:1,two:2,three/db", "database 'db' at one:1,two:2,three"),
        ("postgresql://[::1]:5432/db%20name", "database 'db name' at [::1]:5432"),
        ("postgresql:///db?host=/run/socket", "database 'db' at /run/socket"),
        ("postgresql://u@%2Frun%2Fsocket:5433/db", "database 'db' at /run/socket:5433"),
        ("postgresql://one/db?user=me@tenant&password=x", "database 'db' at one"),
    ],
)
def test_a_url_is_named_by_its_hosts_and_database(url: str, place: str) -> None:
    assert place_of(url) == place
