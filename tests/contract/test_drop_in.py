"""What people do with the official savers, one import line changed."""

from __future__ import annotations

import inspect
import sqlite3
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver as OfficialInMemorySaver
from langgraph.checkpoint.memory import PersistentDict
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

import lgckpt
from lgckpt.errors import ConfigurationError, CorruptCheckpointError
from tests.backends import Backend
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.contract.stored import stored

pytestmark = pytest.mark.anyio


def test_a_given_connection_by_name_is_there_and_stays_open(tmp_path: Path) -> None:
    given = sqlite3.connect(tmp_path / "a.db", check_same_thread=False)
    with lgckpt.SqliteSaver(conn=given) as saver:
        saver.setup()
        assert saver.conn is given
    assert given.execute("SELECT 1").fetchone() == (1,)
    given.close()


def test_a_given_connection_with_work_of_its_own_is_committed(tmp_path: Path) -> None:
    given = sqlite3.connect(tmp_path / "a.db", check_same_thread=False)
    given.execute("CREATE TABLE mine (x)")
    saver = lgckpt.SqliteSaver(given)
    given.execute("INSERT INTO mine VALUES (1)")
    assert saver.get_tuple(config("t")) is None
    saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
    given.rollback()
    assert given.execute("SELECT x FROM mine").fetchall() == [(1,)]
    given.close()


def test_a_saver_without_a_given_connection_says_so() -> None:
    with lgckpt.SqliteSaver(":memory:") as saver, pytest.raises(ConfigurationError):
        saver.conn  # noqa: B018


def test_a_relative_path_is_of_the_directory_it_was_given_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    with lgckpt.SqliteSaver("a.db") as saver:
        saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
        monkeypatch.chdir("sub")
        with saver._handle.storage._write():
            reader = saver._handle.storage._connections._take_reader()
            assert reader.execute("SELECT count(*) FROM lgckpt_checkpoints").fetchone() == (1,)
            reader.close()
    assert not list((tmp_path / "sub").iterdir())


def test_in_memory_data_outlives_the_block() -> None:
    with lgckpt.InMemorySaver() as saver:
        saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
    assert saver.get_tuple(config("t")) is not None


def test_the_default_factory_of_dicts_is_accepted() -> None:
    official = inspect.signature(OfficialInMemorySaver).parameters
    ours = inspect.signature(lgckpt.InMemorySaver).parameters
    for name, parameter in official.items():
        assert ours[name].kind == parameter.kind
        assert ours[name].default == parameter.default
    with lgckpt.InMemorySaver(factory=defaultdict, serde=JsonPlusSerializer()) as saver:
        saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
        assert saver.get_tuple(config("t")) is not None


def test_a_factory_that_would_have_no_effect_is_refused(tmp_path: Path) -> None:
    persistent = partial(PersistentDict, filename=str(tmp_path / "checkpoints"))
    for factory in (persistent, PersistentDict, dict):
        with pytest.raises(ConfigurationError, match=r"use lgckpt\.SqliteSaver\(path\)"):
            lgckpt.InMemorySaver(factory=factory)


def test_an_interrupt_while_a_put_begins_leaves_no_transaction(tmp_path: Path) -> None:
    with lgckpt.SqliteSaver(tmp_path / "a.db") as saver:
        saver.setup()
        connections = saver._handle.storage._connections
        real = connections._writer

        class Interrupted:
            def __getattr__(self, name: str):
                return getattr(real, name)

            def execute(self, statement: str, *parameters: object):
                done = real.execute(statement, *parameters)
                if statement == "BEGIN IMMEDIATE":
                    raise KeyboardInterrupt
                return done

        connections._writer = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
        connections._writer = real
        saver.put(config("t"), checkpoint({"a": 1}), {}, {"a": 1})
        assert saver.get_tuple(config("t")) is not None


async def test_damage_ends_a_list_after_all_else_was_given(
    coloured: Coloured, backend: Backend
) -> None:
    for name in ("a", "hurt", "z"):
        await Thread(coloured, name).put({"n": 1}, mark=name)
    (row,) = [row for row in stored(coloured.saver).checkpoints if row.thread_id == "hurt"]
    backend.damage(
        coloured.saver, "checkpoints", "metadata", lambda m: b"?" if m == row.metadata else m
    )
    for asked in ({}, {"filter": {"source": "loop"}}):
        found: list[str] = []

        def collect(asked=asked, found=found) -> None:
            for one in coloured.saver.list(None, **asked):
                found.append(one.config["configurable"]["thread_id"])

        with pytest.raises(CorruptCheckpointError, match="'hurt'"):
            collect()
        assert sorted(found) == ["a", "z"]


def test_a_row_that_changes_between_two_reads_is_not_mixed(tmp_path: Path) -> None:
    """The second read of one get finds a longer value with the same complete leaves."""
    messages = [{"id": i, "text": f"message {i} " * 6} for i in range(225)]
    other_value = [f"{i * i}" * 9 for i in range(900)]
    calls = []
    with (
        lgckpt.SqliteSaver(tmp_path / "a.db") as saver,
        lgckpt.SqliteSaver(tmp_path / "a.db") as other,
    ):
        first = checkpoint({"m": messages, "k": other_value})
        at = other.put(config("t"), first, {}, {"m": 1, "k": 1})
        saver.put(config("t"), {**first, "channel_values": {"m": messages}}, {}, {"m": 1})
        other.put(config("t"), first, {}, {"m": 1, "k": 1})
        storage = saver._handle.storage
        read = storage._read

        def late(**options):
            calls.append(1)
            longer = {"m": [*messages, {"id": 225}], "k": other_value}
            versions = {"m": 2, "k": 1}
            other.put(
                config("t"),
                {**first, "channel_values": longer, "channel_versions": versions},
                {},
                {"m": 2},
            )
            return read(**options)

        storage._read = late
        found = saver.get_tuple(at)
        storage._read = read
        assert calls
        assert found.checkpoint["channel_versions"]["m"] == 2
        assert len(found.checkpoint["channel_values"]["m"]) == 226
