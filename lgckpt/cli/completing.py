"""Shell completion: what the shell asks through the environment, with `--from-env` understood."""

from __future__ import annotations

import os
import re

from lgckpt.cli.environment import MARK, OPTION

COMPLETE = "_LGCKPT_COMPLETE"
"""The variable through which a shell's completion script asks."""

_WORDS = ("COMP_WORDS", "_TYPER_COMPLETE_ARGS")
"""What is typed so far: bash's, and the one of the other shells."""


def is_asked() -> bool:
    """Whether this process was started to complete a command line."""
    return COMPLETE in os.environ


def understand() -> None:
    """Let each `--from-env VAR` that is typed so far count as the URL it stands for.

    In bash's words, the index of the one that is completed moves with it.
    """
    for name in _WORDS:
        typed = os.environ.get(name)
        if typed is None:
            continue
        replaced, count = re.subn(rf"(?<=\s){OPTION}[ =](\S+)(?=\s)", rf"{MARK}\1", typed)
        os.environ[name] = replaced
        position = os.environ.get("COMP_CWORD", "")
        if name == "COMP_WORDS" and position.isdecimal():
            separate = len(re.findall(rf"(?<=\s){OPTION} \S+(?=\s)", typed))
            os.environ["COMP_CWORD"] = str(int(position) - min(count, separate))


def variables(incomplete: str) -> list[str]:
    """Environment variables that hold a URL."""
    return sorted(n for n, v in os.environ.items() if n.startswith(incomplete) and "://" in v)
