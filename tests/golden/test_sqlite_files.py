"""SQLite files that releases wrote are read, continued and pruned by this one, for ever."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lgckpt
from tests.checkpoints import Thread, config
from tests.colours import Coloured
from tests.golden.threads import CODECS, STEPS, state, write

FILES = sorted((Path(__file__).parent / "sqlite").glob("*.db"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(request.param, tmp_path))


def test_there_are_golden_files() -> None:
    assert FILES


@pytest.mark.parametrize("codec", CODECS)
def test_every_checkpoint_and_write_is_read(path: Path, codec: str | None) -> None:
    with lgckpt.SqliteSaver(path) as saver:
        found = list(saver.list(config(f"thread {codec}")))
    assert len(found) == STEPS
    for step, one in zip(reversed(range(STEPS)), found, strict=True):
        assert one.checkpoint["channel_values"] == state(step)
        assert one.metadata["step"] == step
        assert one.pending_writes == [("task", *pair) for pair in write(step)]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.anyio
async def test_a_thread_is_continued_and_pruned(path: Path, codec: str | None) -> None:
    with lgckpt.SqliteSaver(path, compression="lz4") as saver:
        name = f"thread {codec}"
        head = saver.get_tuple(config(name))
        assert head is not None
        thread = Thread(Coloured(saver, "async"), name)
        thread.config, thread.values = head.config, dict(head.checkpoint["channel_values"])
        thread.versions = dict(head.checkpoint["channel_versions"])
        messages = state(STEPS)["messages"]
        await thread.put({"messages": messages})
        saver.prune([name])
        saver.delete_for_runs(["run 0"])
        assert await thread.state() == {**state(STEPS - 1), "messages": messages}
