"""Without a backend's driver the package works, and its saver says what to install."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.modules[{driver!r}] = None
import lgckpt
try:
    lgckpt.from_url({url!r})
except lgckpt.ConfigurationError as exc:
    print(exc)
print(len(lgckpt.postgres_ddl()) > 1000)
lgckpt.from_url("memory://").close()
"""


@pytest.mark.parametrize(
    ("driver", "url", "extra"),
    [
        ("asyncpg", "postgresql://localhost/x", "lgckpt[postgres]"),
        ("redis", "redis://localhost/0", "lgckpt[redis]"),
    ],
)
def test_the_missing_driver_is_named(driver: str, url: str, extra: str) -> None:
    script = SCRIPT.format(driver=driver, url=url)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    said, ddl = done.stdout.splitlines()
    assert extra in said
    assert ddl == "True"
