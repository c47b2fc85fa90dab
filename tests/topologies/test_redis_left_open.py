"""A Redis saver that nobody closes: nothing leaks, nothing warns, nothing hangs."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

import lgckpt
from tests.checkpoints import Thread
from tests.colours import COLOURS, Coloured
from tests.services.valkey import Server

PROGRAM = """
import asyncio, sys
import lgckpt
import tests.unhurried
from tests.checkpoints import Thread
from tests.colours import Coloured

saver = lgckpt.RedisSaver(sys.argv[1])
async def main():
    for n, colour in enumerate(("sync", "async")):
        await Thread(Coloured(saver, colour), str(n)).put({"n": 1})
        [one async for one in saver.alist(None)]
asyncio.run(main())
print("done")
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.remove()


@pytest.mark.parametrize("colour", COLOURS)
def test_it_is_collected_without_a_warning(server: Server, colour: str) -> None:
    before = threading.active_count()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        saver = lgckpt.RedisSaver(server.url, prefix=colour)
        asyncio.run(_use(saver, colour))
        handle = weakref.ref(saver._handle)
        workers = [t for t in threading.enumerate() if t.name.startswith("lgckpt")]
        assert workers
        del saver
        gc.collect()
        for worker in workers:
            worker.join(30)
        gc.collect()
    assert handle() is None
    assert [str(one.message) for one in caught] == []
    assert threading.active_count() <= before
    _assert_no_connections(server)


async def _use(saver: lgckpt.RedisSaver, colour: str) -> None:
    await asyncio.gather(
        *(Thread(Coloured(saver, colour), f"t{n}").put({"n": 1}) for n in range(8))
    )
    assert len(await Coloured(saver, colour).list(None)) == 8


def _assert_no_connections(server: Server) -> None:
    """But the one that asks; the server takes a moment to see that others are gone."""
    deadline = time.monotonic() + 10
    with server.client as client:
        while len(client.client_list()) > 1:
            assert time.monotonic() < deadline, client.client_list()
            time.sleep(0.05)


def test_a_closed_saver_leaves_no_connection(server: Server) -> None:
    with lgckpt.RedisSaver(server.url, prefix="closed") as saver:
        asyncio.run(_use(saver, "async"))
    _assert_no_connections(server)


def test_the_interpreter_ends_with_a_saver_left_open(server: Server) -> None:
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, server.url],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")
