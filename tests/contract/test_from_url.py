"""`from_url`: a saver from one string, or an error that says what is wrong with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest

import lgckpt
from lgckpt.errors import ConfigurationError
from tests.checkpoints import Thread
from tests.colours import Coloured


def _use(saver) -> None:
    with saver:
        asyncio.run(Thread(Coloured(saver, "async")).put({"n": 1}))
        assert len([*saver.list(None)]) == 1


@pytest.mark.parametrize("url", ["memory://", "memory:", "MEMORY://"])
def test_memory(url: str) -> None:
    saver = lgckpt.from_url(url)
    assert type(saver) is lgckpt.MemorySaver
    _use(saver)


@pytest.mark.parametrize("name", ["agents.db", "my agents.db", "50%.db", "a?b#c.db", "ünï🙂.db"])
def test_an_absolute_path(tmp_path: Path, name: str) -> None:
    saver = lgckpt.from_url(f"sqlite:///{quote(str(tmp_path / name))}")
    assert type(saver) is lgckpt.SqliteSaver
    _use(saver)
    assert (tmp_path / name).is_file()


def test_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _use(lgckpt.from_url("sqlite:///agents.db"))
    assert (tmp_path / "agents.db").is_file()


def test_a_sqlite_database_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _use(lgckpt.from_url("sqlite:///:memory:"))
    assert list(tmp_path.iterdir()) == []


def test_options_go_to_the_saver() -> None:
    serde = lgckpt.Serializer()
    for url in ("memory://", "sqlite:///:memory:"):
        with lgckpt.from_url(url, serde=serde, compression=None) as saver:
            assert saver.serde is serde
    with pytest.raises(ConfigurationError, match="synchronous"):
        lgckpt.from_url("sqlite:///:memory:", synchronous="MAYBE")
    with pytest.raises(ConfigurationError, match="compression"):
        lgckpt.from_url("memory://", compression="gzip")
    with pytest.raises(TypeError, match="unknown_option"):
        lgckpt.from_url("memory://", unknown_option=1)


@pytest.mark.parametrize(
    "url",
    [
        "", "agents.db", "/var/lib/agents.db", "mysql://host/db", "file:agents.db", "://",
        "sqlite:", "sqlite://", "sqlite:///", "sqlite:////", "sqlite://agents.db",
        "sqlite://host/agents.db", "memory://host", "memory:///path", "sqlite:///a.db?mode=ro",
        "sqlite:///a.db#x", "http://[broken", "redis+x://host", "redis+sentinel://host",
    ],
)  # fmt: skip
def test_a_url_that_makes_no_sense_is_refused(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError):
        lgckpt.from_url(url)
