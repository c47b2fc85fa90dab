"""The real command on a terminal of its own."""

from __future__ import annotations

import os
import pty
import re
import sys

from tests.cli.command import ROOT

_STYLE = re.compile(rb"\x1b\[[0-9;]*m")


def on_terminal(*args: str, columns: int = 100) -> tuple[int, bytes]:
    """Run `lgckpt` with its output on a terminal; gives its exit code and what it wrote."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(columns)}
    environment |= {"TERM": "xterm-256color", "PYTHONWARNINGS": "error"}
    environment.pop("NO_COLOR", None)
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "lgckpt.cli", *args], environment)
    written = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        written += piece
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), written


def styles_off(written: bytes) -> str:
    """What was written, without the colours that the command itself gives."""
    return _STYLE.sub(b"", written).decode()
