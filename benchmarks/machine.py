"""What the figures were measured on, and the refusal to measure a debug build."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.savers import synchronous
from lgckpt.core import REASON, core
from lgckpt.loadtest.facts import cpu

_PACKAGES = (
    "lgckpt",
    "langgraph-checkpoint",
    "langgraph-checkpoint-sqlite",
    "langgraph-checkpoint-postgres",
    "psycopg",
    "asyncpg",
    "langgraph-checkpoint-redis",
    "redis",
    "langchain-core",
    "pydantic",
    "ormsgpack",
)


def refuse_debug_build() -> None:
    """Stop unless lgckpt's compiled core is there and optimised.

    Raises:
        SystemExit: It is a debug build, or the pure Python fallback.
    """
    if core.BUILD_PROFILE != "release":
        raise SystemExit(
            f"lgckpt's core is {core.BUILD_PROFILE!r} ({REASON}), not 'release': "
            "figures from it would mean nothing. Build it with `make build`."
        )


def describe(directory: Path) -> dict[str, Any]:
    """Name the class of the machine, the interpreter and the versions; nothing personal."""
    return {
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "filesystem": _filesystem(directory),
        "load": round(os.getloadavg()[0], 2),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "sqlite": f"{sqlite3.sqlite_version}, WAL, synchronous={synchronous()} on both sides",
        "core": core.BUILD_PROFILE,
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _filesystem(directory: Path) -> str:
    mounts = [
        mount
        for mount in psutil.disk_partitions(all=True)
        if directory.resolve().is_relative_to(mount.mountpoint)
    ]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"
