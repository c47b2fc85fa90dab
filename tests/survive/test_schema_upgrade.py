"""From schema version 1 to 2: by the first write, once, beside releases that know only 1."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

import lgckpt
from lgckpt.errors import StorageError
from lgckpt.rows import CheckpointKey, CheckpointRow
from tests.checkpoints import Thread, checkpoint, config
from tests.colours import Coloured
from tests.golden.threads import CODECS, STEPS
from tests.survive.checker import check_file
from tests.survive.harness import finish, started
from tests.survive.states import Conversation
from tests.survive.version_one import VersionOne

GOLDEN = Path(__file__).parents[1] / "golden" / "sqlite" / "0.1.0.db"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of version 1, of a release that wrote it."""
    return Path(shutil.copy(GOLDEN, tmp_path / "agents.db"))


@pytest.fixture
def old(tmp_path: Path) -> Iterator[VersionOne]:
    """A release of version 1 on a new file."""
    release = VersionOne(tmp_path / "new.db")
    release.create()
    yield release
    release.close()


def version(path: Path) -> tuple[dict[str, int], bool]:
    """What the file says of its schema, and whether it has the column that came with 2."""
    with closing(sqlite3.connect(path)) as connection:
        meta = dict(connection.execute("SELECT key, value FROM lgckpt_meta"))
        columns = [row[1] for row in connection.execute("PRAGMA table_info(lgckpt_threads)")]
    return meta, "expires_at" in columns


def assert_reads(saver: lgckpt.SqliteSaver) -> None:
    """Every read there is, on what the golden file holds."""
    for codec in CODECS:
        found = list(saver.list(config(f"thread {codec}")))
        assert len(found) == STEPS
        assert saver.get_tuple(found[0].config) == found[0]
        assert asyncio.run(saver.aget_tuple(config(f"thread {codec}"))) == found[0]
        assert len(list(saver.list(None, filter={"run_id": "run 0"}, limit=5))) == 5
        history = saver.get_delta_channel_history(config=found[0].config, channels=["small"])
        assert len(history["small"]["writes"]) == STEPS - 1
    assert saver.get_tuple(config("absent")) is None
    storage = saver._handle.storage
    assert {f"thread {codec}" for codec in CODECS} <= {*storage.threads("", 100).threads}
    for codec in CODECS:
        marks = storage.marks(f"thread {codec}", None, 100)
        batch = storage.fetch(f"thread {codec}", [mark.place for mark in marks], lambda _: False)
        assert len(batch.rows) == STEPS
        assert {chunk.hash for chunk in batch.chunks} <= dict(
            storage.chunk_page(f"thread {codec}", "", 1000).chunks
        ).keys()


def row_of(thread_id: str, n: int) -> CheckpointRow:
    """A row as any release stores it."""
    made = checkpoint({"n": n})
    with lgckpt.SqliteSaver(":memory:") as saver:
        saver.put(config(thread_id), made, {"step": n}, {"n": 1})
        found = saver._handle.storage.get_row(CheckpointKey(thread_id, "", made["id"]))
    assert found is not None
    return found


def expire(path: Path, thread_id: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        done = connection.execute(
            "UPDATE lgckpt_threads SET expires_at = 1 WHERE thread_id = ?"
            " AND expires_at IS NOT NULL",
            (thread_id,),
        )
        assert done.rowcount == 1


def expires(path: Path, thread_id: str) -> int | None:
    with closing(sqlite3.connect(path)) as connection:
        ((found,),) = connection.execute(
            "SELECT expires_at FROM lgckpt_threads WHERE thread_id = ?", (thread_id,)
        )
    return found


@pytest.mark.parametrize("parameters", ["mode=ro", "immutable=1"])
def test_a_file_that_may_not_be_written_is_read_as_it_is(path: Path, parameters: str) -> None:
    before = path.read_bytes()
    with lgckpt.SqliteSaver(f"file:{path}?{parameters}", ttl=60, refresh_on_read=True) as saver:
        saver.setup()
        assert_reads(saver)
        with pytest.raises(StorageError, match="readonly"):
            Conversation("small").put(saver)
        saver.setup()
        assert_reads(saver)
    assert path.read_bytes() == before


def test_reading_changes_nothing_and_the_first_write_does(path: Path) -> None:
    with lgckpt.SqliteSaver(path) as saver:
        assert_reads(saver)
        assert version(path) == ({"schema": 1, "min_reader": 1}, False)
        Conversation("small").put(saver)
        assert version(path) == ({"schema": 2, "min_reader": 1}, True)
        assert_reads(saver)
    check_file(path, exact=True)


def test_setup_changes_it(path: Path) -> None:
    with lgckpt.SqliteSaver(path) as saver:
        saver.setup()
    assert version(path) == ({"schema": 2, "min_reader": 1}, True)
    with lgckpt.SqliteSaver(path) as saver:
        assert_reads(saver)


@pytest.mark.parametrize("call", ["sweep", "put_writes", "copy_thread", "prune", "delete_thread"])
def test_any_write_may_be_the_first(path: Path, call: str) -> None:
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        {
            "sweep": saver.sweep,
            "put_writes": lambda: saver.put_writes(config("t", "1"), [("n", 1)], "task"),
            "copy_thread": lambda: saver.copy_thread("thread lz4", "copy"),
            "prune": lambda: saver.prune(["thread lz4"]),
            "delete_thread": lambda: saver.delete_thread("thread lz4"),
        }[call]()
    assert version(path) == ({"schema": 2, "min_reader": 1}, True)
    check_file(path, exact=True)


def test_a_new_file_has_what_a_changed_one_has(path: Path, tmp_path: Path) -> None:
    found = []
    for name in (path, tmp_path / "new.db"):
        with lgckpt.SqliteSaver(name) as saver:
            saver.setup()
        with closing(sqlite3.connect(name)) as connection:
            tables = connection.execute(
                "SELECT type, name FROM sqlite_master WHERE name LIKE 'lgckpt%' ORDER BY name"
            ).fetchall()
            columns = {
                table: [row[1:3] for row in connection.execute(f"PRAGMA table_info({table})")]
                for kind, table in tables
                if kind == "table"
            }
        found.append((tables, columns, version(name)))
    assert found[0] == found[1]


def test_a_reader_goes_on_while_another_process_changes_it(path: Path) -> None:
    """One that reads only, one that has written nothing yet: both see what expires from then on."""
    with (
        lgckpt.SqliteSaver(f"file:{path}?mode=ro") as reader,
        lgckpt.SqliteSaver(path) as idle,
        lgckpt.SqliteSaver(path, ttl=1000) as saver,
    ):
        assert_reads(reader)
        assert_reads(idle)
        at = asyncio.run(Thread(Coloured(saver, "sync"), "new").put({"n": 1}))
        for one in (reader, idle):
            assert_reads(one)
            assert one.get_tuple(at) is not None
        expire(path, "new")
        for one in (reader, idle):
            assert_reads(one)
            assert one.get_tuple(at) is None
        Conversation("small").put(idle)


def test_a_given_connection_changes_it_too(path: Path) -> None:
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        saver = lgckpt.SqliteSaver(connection, ttl=1000)
        assert_reads(saver)
        connection.execute("CREATE TABLE mine (x)")
        connection.execute("INSERT INTO mine VALUES (1)")
        Conversation("small").put(saver)
        assert connection.execute("SELECT x FROM mine").fetchall() == [(1,)]
        saver.close()
    assert version(path) == ({"schema": 2, "min_reader": 1}, True)


@pytest.mark.parametrize("is_new", [False, True])
def test_processes_that_change_it_at_once(path: Path, tmp_path: Path, is_new: bool) -> None:
    target = tmp_path / "absent.db" if is_new else path
    with ExitStack() as stack:
        racers = [stack.enter_context(started("upgrading", target, n)) for n in range(6)]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("go\n")
            racer.stdin.flush()
        for racer in racers:
            assert finish(racer) == "done\n"
    assert version(target) == ({"schema": 2, "min_reader": 1}, True)
    with lgckpt.SqliteSaver(target) as saver:
        if not is_new:
            assert_reads(saver)
        for n in range(6):
            assert len(list(saver.list(config(f"large-{n}")))) == 3
            assert (expires(target, f"large-{n}") is None) is bool(n % 2)
    check_file(target, exact=True)


def test_version_one_works_beside_it(old: VersionOne, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    old.put(row_of("before", 0))
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        asyncio.run(Thread(Coloured(saver, "sync"), "mortal").put({"n": 1}))
        assert version(path) == ({"schema": 2, "min_reader": 1}, True)
        assert old.opens()
        assert len(old.shown("before")) == len(old.shown("mortal")) == 1
        for name in ("before", "mortal", "after"):
            row = row_of(name, 1)
            old.put(row)
            assert old.shown(name)[0] == row.checkpoint_id
            assert saver.get_tuple(config(name)).checkpoint["channel_values"] == {"n": 1}
        assert expires(path, "before") is expires(path, "after") is None
    check_file(path, exact=True)


def test_version_one_shows_what_has_expired_until_it_is_swept(
    old: VersionOne, tmp_path: Path
) -> None:
    """And its puts prolong nothing: the whole thread goes, with what they stored."""
    path = tmp_path / "new.db"
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        asyncio.run(Thread(Coloured(saver, "sync"), "mortal").put({"n": 1}))
        life = expires(path, "mortal")
        old.put(row_of("mortal", 2))
        assert expires(path, "mortal") == life
        expire(path, "mortal")
        old.put(row_of("mortal", 3))
        assert len(old.shown("mortal")) == 3
        assert saver.get_tuple(config("mortal")) is None
        assert saver.sweep() == 1
        assert old.shown("mortal") == []
        old.put(row_of("mortal", 4))
        assert len(old.shown("mortal")) == 1
        assert saver.get_tuple(config("mortal")).checkpoint["channel_values"] == {"n": 4}
        assert expires(path, "mortal") is None
    check_file(path, exact=True)


def test_version_one_sees_only_the_new_thread_where_one_was_begun_anew(
    old: VersionOne, tmp_path: Path
) -> None:
    """The rows of the old one are still there then."""
    path = tmp_path / "new.db"
    with lgckpt.SqliteSaver(path, ttl=1000) as saver:
        thread = Thread(Coloured(saver, "sync"), "mortal")
        asyncio.run(thread.put({"n": 1}))
        expire(path, "mortal")
        asyncio.run(thread.put({"n": 2}))
        assert len(old.shown("mortal")) == 1
        old.put(row_of("mortal", 3))
        assert len(old.shown("mortal")) == 2
        assert saver.sweep() == 0
        assert len(old.shown("mortal")) == len(list(saver.list(config("mortal")))) == 2
    check_file(path, exact=True)
