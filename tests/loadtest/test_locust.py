"""The workloads as users of Locust, run by Locust itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


def _ran(directory: Path, text: str) -> tuple[int, list[dict[str, object]]]:
    path = directory / "locustfile.py"
    path.write_text(text.format(url=f"sqlite:///{directory}/x.db"))
    ended = subprocess.run(
        [
            sys.executable, "-m", "locust", "-f", str(path), "--headless", "-u", "3", "-r", "3",
            "-t", "3s", "--json", "--skip-log",
        ],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=100,
    )  # fmt: skip
    assert ended.stdout, ended.stderr
    return ended.returncode, json.loads(ended.stdout)


def test_locust_makes_the_calls_and_tells_of_them(tmp_path: Path) -> None:
    code, found = _ran(tmp_path, GOOD)
    by_name = {one["name"]: one for one in found}
    assert {"put", "put_writes", "get"} <= by_name.keys()
    for one in found:
        assert one["num_requests"]
        assert one["num_failures"] == 0
    assert code == 0


def test_a_wrong_read_is_a_failure(tmp_path: Path) -> None:
    code, found = _ran(tmp_path, BROKEN)
    reads = [one for one in found if one["name"] in ("get", "list")]
    assert any(one["num_failures"] for one in reads)
    assert code == 1
