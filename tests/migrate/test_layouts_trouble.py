"""LangGraph's layouts where something is wrong: absent, encrypted, damaged, or too much to hold."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer

import lgckpt
from lgckpt.errors import (
    ConfigurationError,
    CorruptCheckpointError,
    MissingError,
    StorageError,
)
from lgckpt.migration.opening import open_side
from lgckpt.rows import CheckpointRow
from tests.checkpoints import checkpoint, config
from tests.migrate.golden import connected
from tests.migrate.layouts import (
    LAYOUTS,
    POSTGRES,
    SQLITE,
    Layout,
    Sides,
    every_thread,
    move,
    nothing,
    path_of,
    postgres_database,
    sqlite_database,
    sqlite_saver,
    tuples,
)

pytestmark = pytest.mark.anyio

KEY = b"sixteen byte key"
PLACE = [("", "1")]


async def test_a_source_is_never_made(tmp_path: Path) -> None:
    path = tmp_path / "absent.db"
    async with Sides() as side:
        with pytest.raises(MissingError, match=r"langgraph\+sqlite:///.*absent.db: there is"):
            await side(f"langgraph+sqlite:///{path}").threads("", 1)
        assert not path.exists()
        path.touch()
        with pytest.raises(MissingError, match="has no table 'checkpoints'"):
            await side(f"langgraph+sqlite:///{path}").marks("t", None, 1)
        assert path.read_bytes() == b""
        path.write_bytes(b"no database of any kind" * 100)
        with pytest.raises(StorageError, match=r"absent\.db: file is not a database"):
            await side(f"langgraph+sqlite:///{path}").fetch("t", PLACE, nothing)


async def test_an_empty_postgres_database_is_left_so() -> None:
    with postgres_database() as url:
        async with Sides() as side:
            with pytest.raises(MissingError, match="has no table 'checkpoints'") as raised:
                await side(url).threads("", 1)
            assert "of%20the%20tests" in url
            assert "of%20the%20tests" not in str(raised.value)
            assert "***" in str(raised.value)
        with connected(url) as connection:
            tables = connection.execute("SELECT * FROM pg_tables WHERE schemaname = 'public'")
            assert tables.fetchall() == []


async def test_the_shallow_saver_is_named() -> None:
    with postgres_database() as url:
        with connected(url) as connection:
            connection.execute("CREATE TABLE checkpoints (thread_id text, checkpoint jsonb)")
            connection.execute("CREATE TABLE checkpoint_blobs (thread_id text)")
            connection.execute("CREATE TABLE checkpoint_writes (thread_id text)")
        async with Sides() as side:
            with pytest.raises(ConfigurationError, match="ShallowPostgresSaver"):
                await side(url).threads("", 1)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("langgraph+sqlite://host/a.db", "three slashes"),
        ("langgraph+sqlite:///", "three slashes"),
        ("langgraph+sqlite:///a.db?mode=ro", "nothing after it"),
        ("langgraph+mysql://u:secret@h/d", "no layout of LangGraph's"),
        ("langgraph+postgresql://u:sec@ret@h/d", "percent-encoded"),
    ],
)
def test_urls_that_make_no_sense(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        open_side(url)
    assert "sec" not in str(raised.value).replace("percent", "")


async def test_what_is_encrypted_as_a_whole_needs_its_serializer() -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    long = ["secret " * 1000]
    with (
        sqlite_database() as url,
        sqlite_database() as new,
        lgckpt.MemorySaver(serde=serde) as ours,
    ):
        with sqlite_saver(url, serde=serde) as official:
            made = checkpoint({"a": long, "b": 1}, id="1")
            at = official.put(config("t"), made, {"step": 1}, {"a": 1, "b": 1})
            official.put_writes(at, [("a", long)], "task")
            before = tuples(official)
        async with Sides() as side:
            with pytest.raises(CorruptCheckpointError, match=r"serde=.*--skip-corrupt") as raised:
                await side(url).fetch("t", PLACE, nothing)
            assert (raised.value.thread_id, raised.value.checkpoint_id) == ("t", "1")
            batch = await side(url, serde=serde).fetch("t", PLACE, nothing)
            assert not any(b"secret" in chunk.frame for chunk in batch.chunks)
            await move(side(url, serde=serde), side(ours))
            assert tuples(ours) == before
            with pytest.raises(CorruptCheckpointError, match="serde="):
                await move(side(ours), side(new))
            await move(side(ours), side(new, serde=serde))
        with sqlite_saver(new, serde=serde) as official:
            assert tuples(official) == before
        cells = sqlite3.connect(path_of(new)).execute("SELECT type, checkpoint FROM checkpoints")
        assert [(tag, b"secret" in data) for tag, data in cells] == [("msgpack+aes", False)]


async def test_encrypted_values_pass_as_they_are_where_they_lie_apart() -> None:
    serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    long = ["secret " * 1000]
    with (
        postgres_database() as url,
        lgckpt.MemorySaver(serde=serde) as ours,
        POSTGRES.saver(url) as official,
    ):
        official.serde = serde
        made = checkpoint({"a": long, "b": 1}, id="1")
        at = official.put(config("t"), made, {"step": 1}, {"a": 1, "b": 1})
        official.put_writes(at, [("a", long)], "task")
        async with Sides() as side:
            await move(side(url), side(ours))
        assert tuples(ours) == tuples(official)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("checkpoint", b"\x81\xa2id"),
        ("checkpoint", b"\x81\xa2id\xa1x"),
        ("checkpoint", "text"),
        ("checkpoint", None),
        ("type", None),
        ("type", "pickle"),
        ("metadata", b"{"),
        ("metadata", b"[]"),
    ],
)
async def test_damage_in_one_row_is_named_and_others_are_read(column: str, value: Any) -> None:
    with sqlite_database() as url, lgckpt.MemorySaver() as ours:
        with sqlite_saver(url) as official:
            for name in ("1", "2"):
                official.put(config("t"), checkpoint({"a": name}, id=name), {"step": 1}, {"a": 1})
            official.conn.execute(
                f"UPDATE checkpoints SET {column} = ? WHERE checkpoint_id = '1'", (value,)
            )
            official.conn.commit()
        async with Sides() as side:
            source = side(url)
            with pytest.raises(CorruptCheckpointError) as raised:
                await source.fetch("t", [("", "1"), ("", "2")], nothing)
            assert (raised.value.thread_id, raised.value.checkpoint_id) == ("t", "1")
            batch = await source.fetch("t", [("", "2")], nothing)
            assert await side(ours).load("t", batch)
            assert ours.get_tuple(config("t")).checkpoint["channel_values"] == {"a": "2"}


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
async def test_a_damaged_row_is_not_stored_anywhere(layout: Layout) -> None:
    with layout.database() as url, lgckpt.MemorySaver() as ours:
        made = checkpoint({"a": [f"{i}" * 90 for i in range(300)]}, id="1")
        ours.put(config("t"), made, {"step": 1}, {"a": 1})
        async with Sides() as side:
            target = side(url)
            await target.setup()
            batch = await side(ours).fetch("t", PLACE, nothing)
            chunks = [chunk._replace(frame=chunk.frame[:-1]) for chunk in batch.chunks]
            with pytest.raises(CorruptCheckpointError) as raised:
                await target.load("t", batch._replace(chunks=chunks))
            assert raised.value.channel == "a"
            assert await every_thread(target) == []


@pytest.mark.parametrize(
    "value",
    [float("inf"), 1e16, -0.0, 1e-9, "\0", "a\0b", 2**64 - 1, -(2**63), True, None, 1.0, "", b"\0"],
)
async def test_what_json_would_change_is_kept_in_a_blob(value: Any) -> None:
    with postgres_database() as url, lgckpt.MemorySaver() as ours:
        ours.put(config("t"), checkpoint({"a": value}, id="1"), {"step": 1}, {"a": 1})
        async with Sides() as side:
            await move(side(ours), side(url))
        with POSTGRES.saver(url) as official:
            found = official.get_tuple(config("t")).checkpoint["channel_values"]["a"]
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("values", "versions", "metadata", "thread", "message"),
    [
        ({}, {}, {"deep": {"nan": float("nan")}}, "t", "JSON"),
        ({}, {}, {"deep": ["a\0b"]}, "t", "NUL in JSON"),
        ({}, {}, {}, "a\0b", "NUL in a name"),
        ({"a": {1, 2}}, {}, {}, "t", "without a version"),
        ({"a": [1.5]}, {}, {}, "t", "without a version"),
    ],
)
async def test_what_postgres_cannot_hold_is_said(
    values: Any, versions: Any, metadata: Any, thread: str, message: str
) -> None:
    with postgres_database() as url, lgckpt.MemorySaver() as ours:
        made = checkpoint(values, versions, id="1")
        ours.put(config(thread), made, {"step": 1, **metadata}, {})
        async with Sides() as side:
            with pytest.raises(CorruptCheckpointError, match=message) as raised:
                await move(side(ours), side(url))
            assert raised.value.thread_id == thread
            assert await every_thread(side(url)) == []


async def test_a_backslash_is_no_nul() -> None:
    with postgres_database() as url, lgckpt.MemorySaver() as ours:
        ours.put(config("t"), checkpoint({}, id="1"), {"step": 1, "deep": ["\\u0000"]}, {})
        async with Sides() as side:
            await move(side(ours), side(url))
        with POSTGRES.saver(url) as official:
            assert official.get_tuple(config("t")).metadata["deep"] == ["\\u0000"]


@pytest.mark.parametrize("size", [1, 10])
async def test_two_values_of_a_counted_version_are_not_mixed_up(size: int) -> None:
    """A fork counts on from its parent; LangGraph's Postgres tables have one value a version."""
    with postgres_database() as url, lgckpt.MemorySaver() as ours:
        for name in ("1", "2"):
            ours.put(config("t"), checkpoint({"a": [name]}, id=name), {"step": 1}, {"a": 1})
        async with Sides() as side:
            with pytest.raises(CorruptCheckpointError, match="another value of version '1'"):
                await move(side(ours), side(url), size=size)


async def test_objects_in_metadata_become_the_json_that_langgraph_makes_of_them() -> None:
    from uuid import UUID  # noqa: PLC0415

    run = UUID(int=7)
    for layout in LAYOUTS:
        with layout.database() as url, lgckpt.MemorySaver() as ours:
            ours.put(config("t"), checkpoint({}, id="1"), {"step": 1, "run_id": run}, {})
            async with Sides() as side:
                await move(side(ours), side(url))
                with layout.saver(url) as official:
                    assert official.get_tuple(config("t")).metadata["run_id"] == str(run)
                batch = await side(url).fetch("t", PLACE, nothing)
                rows: list[CheckpointRow] = list(batch.rows)
                assert [row.run_id for row in rows] == [str(run)]


async def test_a_closed_file_says_so() -> None:
    with SQLITE.database() as url:
        side = open_side(url)
        await side.setup()
        await side.close()
        await side.close()
        with pytest.raises(lgckpt.LgckptError, match="was closed"):
            await side.threads("", 1)
