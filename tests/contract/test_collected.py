"""A saver that is dropped without a close: nothing leaks, nothing warns, nothing hangs."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import warnings
import weakref
from pathlib import Path

import pytest

import lgckpt
from tests.checkpoints import Thread, config
from tests.colours import COLOURS, Coloured

PROGRAM = """
import asyncio, sys
import lgckpt
import tests.unhurried
from tests.checkpoints import Thread
from tests.colours import Coloured

saver = {make}
async def main():
    for n, colour in enumerate(("sync", "async")):
        await Thread(Coloured(saver, colour), str(n)).put({{"n": 1}})
        [one async for one in saver.alist(None)]
asyncio.run(main())
print("done")
"""
MAKES = {
    "memory": "lgckpt.MemorySaver()",
    "sqlite": "lgckpt.SqliteSaver(sys.argv[1])",
    "sqlite memory": "lgckpt.SqliteSaver(':memory:')",
}


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("database", ["agents.db", ":memory:"])
def test_it_is_collected_without_a_warning(tmp_path: Path, database: str, colour: str) -> None:
    name = database if database == ":memory:" else tmp_path / database
    before = threading.active_count()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        saver = lgckpt.SqliteSaver(name)
        asyncio.run(_use(saver, colour))
        handle = weakref.ref(saver._handle)
        workers = [t for t in threading.enumerate() if t.name.startswith("lgckpt")]
        del saver
        gc.collect()
    assert handle() is None
    assert [str(one.message) for one in caught] == []
    for worker in workers:
        worker.join(30)
        assert not worker.is_alive()
    assert threading.active_count() <= before


async def _use(saver: lgckpt.SqliteSaver, colour: str) -> None:
    await Thread(Coloured(saver, colour)).put({"n": 1})
    assert len(await Coloured(saver, colour).list(None)) == 1


def test_its_file_is_whole_and_can_be_opened_again(tmp_path: Path) -> None:
    for n in range(3):
        saver = lgckpt.SqliteSaver(tmp_path / "agents.db")
        asyncio.run(_use_more(saver, n))
        del saver
        gc.collect()
    with lgckpt.SqliteSaver(tmp_path / "agents.db") as saver:
        assert len([*saver.list(None)]) == 3


async def _use_more(saver: lgckpt.SqliteSaver, n: int) -> None:
    await Thread(Coloured(saver, "async"), f"t{n}").put({"n": n})
    assert await saver.aget_tuple(config(f"t{n}")) is not None


@pytest.mark.parametrize("name", MAKES)
def test_the_interpreter_ends_with_a_saver_left_open(tmp_path: Path, name: str) -> None:
    program = PROGRAM.format(make=MAKES[name])
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, str(tmp_path / "agents.db")],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
