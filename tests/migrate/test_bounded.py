"""Memory does not grow with what is moved: 100,000 checkpoints, and the most it ever took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lgckpt
from lgckpt.bulk import Batch
from lgckpt.core import core
from lgckpt.rows import CheckpointRow, WriteRow, hashes
from tests.checkpoints import checkpoint
from tests.cli.command import ROOT

CHECKPOINTS = 100_000
LIMIT = 200 * 1024
"""KiB of resident memory."""

_MEASURED = """
import json, sys
from pathlib import Path
from lgckpt.cli.app import invoke
code = invoke(sys.argv[1:])
# Not ru_maxrss, which counts what the process was before it ran Python: a copy of its parent.
(peak,) = (line for line in Path("/proc/self/status").open() if line.startswith("VmHWM"))
most = int(peak.split()[1])
print(json.dumps({"code": code, "kib": most}), file=sys.stderr)
"""


def fill(path: Path, threads: int, each: int) -> None:
    """Checkpoints as they are stored, each with a value of its own, a shared chunk and a write."""
    made = checkpoint({}, id="")
    made.pop("channel_values")
    shared = os.urandom(3000)
    ref, frame = core.seal_leaf(shared, None)
    with lgckpt.SqliteSaver(path, synchronous="NORMAL") as saver:
        load = saver._handle.storage.load
        for thread in range(threads):
            name = f"thread {thread}"
            for start in range(0, each, 5000):
                numbers = range(start, min(start + 5000, each))
                batch = Batch(
                    [_row(name, n, made, ref) for n in numbers],
                    [_write(name, n) for n in numbers],
                    [(hashes(ref)[0], frame)],  # type: ignore[list-item]
                )
                assert load(name, batch)


def _row(thread_id: str, n: int, made: dict[str, object], ref: bytes) -> CheckpointRow:
    checkpoint_id = f"{n:08}"
    encoded = core.encode({**made, "id": checkpoint_id})
    values = [("text", "bytes", os.urandom(300)), ("large", "bytes", b"", 3000, b"", 1)]
    state = core.seal(core.encode((1, "msgpack", encoded, values)), "lz4")
    metadata = core.seal(b"msgpack\0" + core.encode({"step": n, "source": "loop"}), "lz4")
    parent = f"{n - 1:08}" if n else None
    etag = core.etag(state, ref, metadata)
    return CheckpointRow(thread_id, "", checkpoint_id, parent, None, 0, etag, metadata, state, ref)


def _write(thread_id: str, n: int) -> WriteRow:
    value = core.seal(b"\0" + b"\xc4\x20" + os.urandom(32), None)
    return WriteRow(thread_id, "", f"{n:08}", "task", 0, "", "text", "msgpack", value, b"")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells the peak")
@pytest.mark.slow
@pytest.mark.parametrize(("threads", "each"), [(1, CHECKPOINTS), (1000, CHECKPOINTS // 1000)])
def test_memory_is_bounded(tmp_path: Path, threads: int, each: int) -> None:
    fill(tmp_path / "source.db", threads, each)
    urls = [f"sqlite:///{tmp_path / name}" for name in ("source.db", "target.db")]
    ended = subprocess.run(
        [sys.executable, "-c", _MEASURED, "migrate", *urls, "--verify", "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    found, told = json.loads(ended.stdout), json.loads(ended.stderr.splitlines()[-1])
    assert told["code"] == 0
    assert (found["checkpoints"], found["writes"], found["ok"]) == (CHECKPOINTS,) * 2 + (True,)
    print(f"{told['kib'] / 1024:.0f} MiB, {found['rate']:.0f} checkpoints/s")
    assert told["kib"] < LIMIT
