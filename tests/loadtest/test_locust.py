"""The workloads as users of Locust, run by Locust itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lgckpt.loadtest.embedded.redis import EmbeddedRedis
from tests.cli.command import ROOT

GOOD = """
from lgckpt.loadtest.locust_users import CheckpointUser

class Chats(CheckpointUser):
    url = {url!r}
    workload = "mixed"
"""
BROKEN = (
    GOOD
    + """
import lgckpt.sqlite

lgckpt.sqlite.SqliteSaver.put_writes = lambda *_: None
"""
)


def _ran(
    directory: Path, text: str, url: str = "", *, unpatched: bool = True
) -> tuple[int, list[dict[str, object]], str]:
    path = directory / "locustfile.py"
    path.write_text(text.format(url=url or f"sqlite:///{directory}/x.db"))
    ended = subprocess.run(
        [
            sys.executable, "-m", "locust", "-f", str(path), "--headless", "-u", "3", "-r", "3",
            "-t", "2s", "--json",
        ],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=100,
        env={**os.environ, **({"LOCUST_SKIP_MONKEY_PATCH": "1"} if unpatched else {})},
    )  # fmt: skip
    return ended.returncode, json.loads(ended.stdout or "[]"), ended.stderr


@pytest.mark.parametrize("backend", ["sqlite", "redis"])
def test_locust_makes_the_calls_and_tells_of_them(tmp_path: Path, backend: str) -> None:
    if backend == "redis":
        server = EmbeddedRedis()
        try:
            code, found, said = _ran(tmp_path, GOOD, server.url)
        finally:
            server.remove()
    else:
        code, found, said = _ran(tmp_path, GOOD)
    by_name = {one["name"]: one for one in found}
    assert {"put", "put_writes", "get"} <= by_name.keys()
    for one in found:
        assert one["num_requests"]
        assert one["num_failures"] == 0
    assert code == 0, said


def test_a_wrong_read_is_a_failure(tmp_path: Path) -> None:
    code, found, _ = _ran(tmp_path, BROKEN)
    reads = [one for one in found if one["name"] in ("get", "list")]
    assert any(one["num_failures"] for one in reads)
    assert code == 1


def test_patched_threads_are_refused(tmp_path: Path) -> None:
    _, found, said = _ran(tmp_path, GOOD, unpatched=False)
    assert not found
    assert "LOCUST_SKIP_MONKEY_PATCH=1" in said
