"""The contract on the Redis that Debian has, where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.valkey import Server

ROOT = Path(__file__).parents[2]
BINARY = os.environ.get("LGCKPT_TEST_REDIS_SERVER", "/usr/bin/redis-server")
FILES = [
    "tests/compat/test_conformance.py",
    *(
        f"tests/contract/test_{name}.py"
        for name in ("copy_thread", "list", "pending_writes", "prune", "sent")
    ),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(not Path(BINARY).exists(), reason=f"no {BINARY}: apt install redis-server")
def test_the_contract_on_an_installed_redis() -> None:
    server = Server(binary=BINARY)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", "redis",
             *FILES],
            cwd=ROOT,
            env={**os.environ, "LGCKPT_TEST_REDIS": server.url},
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )  # fmt: skip
    finally:
        server.remove()
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
