"""`python -m tests.docs.follow STEPS`: does what a page says, from top to bottom.

Runs in an empty directory, as a process of its own. Python blocks share their names, as in one
session, and may `await`; commands are typed into bash.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main(steps: list[dict[str, Any]]) -> None:
    """Follow a page.

    Raises:
        SystemExit: A command ended with another code than it should.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    loop = asyncio.new_event_loop()
    try:
        for step in steps:
            if step["title"]:
                Path(step["title"]).write_text(step["code"])
            if step["language"] == "python":
                _python(step, names, loop)
            elif step["language"] == "sh":
                _commands(step)
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _python(step: dict[str, Any], names: dict[str, Any], loop: asyncio.AbstractEventLoop) -> None:
    lines = "\n" * (step["line"] - 1) + step["code"]
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(lines, step["page"], "exec", flags=flags, dont_inherit=True)
    result = eval(compiled, names)
    if inspect.iscoroutine(result):
        loop.run_until_complete(result)


def _commands(step: dict[str, Any]) -> None:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", step["code"]], check=False)
    if done.returncode != step["code_expected"]:
        sys.exit(f"{step['page']}:{step['line']}: ended with {done.returncode}:\n{step['code']}")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
