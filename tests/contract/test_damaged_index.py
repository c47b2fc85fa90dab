"""An index of a SQLite file that names the rows of other threads: an error, never their values."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lgckpt
from lgckpt.errors import CorruptCheckpointError
from tests.checkpoints import Config, Thread, config
from tests.colours import Coloured

pytestmark = pytest.mark.anyio

THREADS = ("a", "b", "c")


async def fill(coloured: Coloured) -> list[Config]:
    """In each thread two checkpoints of the same shape, with a write on the latter."""
    latest = []
    for name in THREADS:
        thread = Thread(coloured, name)
        await thread.put({"n": f"{name} 0", "kept": name * 50})
        latest.append(await thread.put({"n": f"{name} 1"}))
        await coloured.put_writes(latest[-1], [("w", name)], "task")
    return latest


def shift(path: Path, table: str) -> None:
    """Move each row to the rowid of another, and leave the table's indexes as they were."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        (ddl,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        names = ", ".join(columns)
        connection.execute(ddl.replace(table, "shifted"))
        connection.execute(
            f"INSERT INTO shifted (rowid, {names})"
            f" SELECT 1 + rowid % (SELECT count(*) FROM {table}), {names} FROM {table}"
        )
        roots = dict(connection.execute("SELECT name, rootpage FROM sqlite_master").fetchall())
        connection.execute("PRAGMA writable_schema = ON")
        for name, other in ((table, "shifted"), ("shifted", table)):
            connection.execute(
                "UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (roots[other], name)
            )


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


READS: dict[str, Callable[[Coloured, Config], Any]] = {
    "the latest": lambda c, at: c.get_tuple(config(at["configurable"]["thread_id"])),
    "by id": lambda c, at: c.get_tuple(at),
    "list": lambda c, at: c.list(config(at["configurable"]["thread_id"])),
}


@pytest.mark.parametrize("table", ["lgckpt_checkpoints", "lgckpt_writes"])
@pytest.mark.parametrize("read", READS)
async def test_another_row_in_its_place_is_named(
    tmp_path: Path, colour: str, read: str, table: str
) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        latest = await fill(Coloured(saver, colour))
    with lgckpt.SqliteSaver(path) as saver:
        for at in latest:
            await READS[read](Coloured(saver, colour), at)
    shift(path, table)
    with lgckpt.SqliteSaver(path) as saver:
        for at in latest:
            with pytest.raises(CorruptCheckpointError) as caught:
                await READS[read](Coloured(saver, colour), at)
            assert caught.value.thread_id == at["configurable"]["thread_id"]


async def test_a_put_takes_nothing_from_another_row_in_its_parents_place(
    tmp_path: Path, colour: str
) -> None:
    path = tmp_path / "agents.db"
    with lgckpt.SqliteSaver(path) as saver:
        await fill(Coloured(saver, colour))
        thread = Thread(Coloured(saver, colour), "d")
        await thread.put({"n": 0, "kept": "mine" * 50})
    shift(path, "lgckpt_checkpoints")
    with lgckpt.SqliteSaver(path) as saver:
        thread.saver = Coloured(saver, colour)
        stored = await thread.put({"n": 1})
        found = await thread.saver.get_tuple(stored)
    assert found.checkpoint["channel_values"] == {"n": 1, "kept": "mine" * 50}
