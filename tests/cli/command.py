"""The real command, run as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT = 120.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)


def started(
    args: Sequence[str], environment: Mapping[str, str] | None = None, **options: Any
) -> subprocess.Popen[str]:
    """The command, just started; its streams are pipes unless told."""
    given = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    given |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "TERM": "dumb"}
    return subprocess.Popen(
        [sys.executable, "-m", "lgckpt.cli", *args],
        env={**given, **(environment or {})},
        **{
            "text": True, "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
            **options,
        },
    )  # fmt: skip


def lgckpt(*args: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
    """Run `lgckpt` with these arguments to its end; its standard input is no terminal."""
    process = started(args, environment, stdin=subprocess.PIPE)
    try:
        stdout, stderr = process.communicate(stdin, timeout=LIMIT)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, stdout, stderr)
