"""The standard streams, whatever the command was started with."""

from __future__ import annotations

import io
import os
import sys


def prepare() -> None:
    """Have all three, and any text printable: what an encoding does not have is written out.

    One that was closed is opened so that to use it fails, and no database's file gets its number.
    """
    for name, flags, mode in (
        ("stdin", os.O_WRONLY, "r"),
        ("stdout", os.O_RDONLY, "w"),
        ("stderr", os.O_WRONLY, "w"),
    ):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            # As long as the process lives, as the others are.
            opened = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def silence() -> None:
    """Let go of what is still to be printed, of which the interpreter would complain as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def takes_any_text() -> bool:
    """Whether stdout has all of Unicode."""
    return (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
