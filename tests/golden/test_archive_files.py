"""Portable files that releases wrote are read by this one, for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lgckpt
from tests.checkpoints import config
from tests.golden.threads import CODECS, STEPS, fill, state, write

FILES = sorted((Path(__file__).parent / "archive").glob("*.lgckpt"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path))


def test_there_are_golden_files() -> None:
    assert FILES


def test_every_checkpoint_and_write_is_restored(path: Path) -> None:
    with lgckpt.MemorySaver() as saver:
        passed = lgckpt.restore(path, saver)
        assert (passed.threads, passed.checkpoints) == (len(CODECS), len(CODECS) * STEPS)
        for codec in CODECS:
            found = list(saver.list(config(f"thread {codec}")))
            assert len(found) == STEPS
            for step, one in zip(reversed(range(STEPS)), found, strict=True):
                assert one.checkpoint["channel_values"] == state(step)
                assert one.metadata["step"] == step
                assert one.pending_writes == [("task", *pair) for pair in write(step)]


@pytest.mark.anyio
async def test_it_is_a_source_and_goes_on_as_a_target(path: Path) -> None:
    url = path.as_uri()
    async with lgckpt.MemorySaver() as saver:
        assert (await lgckpt.amigrate(url, saver, verify=True)).ok
        await fill(saver, "later")
        assert (await lgckpt.amigrate(saver, url, verify=True)).threads_moved == 1
