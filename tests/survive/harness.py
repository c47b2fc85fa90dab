"""How far these tests go, and how they are kept from hanging."""

from __future__ import annotations

import faulthandler
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SCALE = float(os.environ.get("LGCKPT_TEST_SCALE", "1"))
"""Factor on every count: 0.1 for a quick look, 10 for a night."""

LIMIT = "LGCKPT_TEST_LIMIT"


def scaled(count: int, least: int = 1) -> int:
    """A count, times the scale."""
    return max(least, round(count * SCALE))


def guard(seconds: float | None = None) -> None:
    """Dump every thread's stack and die, should this process still run after so many seconds.

    Scripts call it first, with the limit that `run` gave them; so does a forked child, which
    inherits no alarm. Not `dump_traceback_later`: its watchdog is a thread, and a forked child
    waits for ever for the parent's.
    """
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, all_threads=True, chain=True)
    limit = float(os.environ.get(LIMIT, "60")) if seconds is None else seconds
    signal.setitimer(signal.ITIMER_REAL, limit)


@contextmanager
def started(
    module: str,
    *args: object,
    limit: float = 60.0,
    flags: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> Iterator[subprocess.Popen[str]]:
    """A script of this directory in a process group of its own, which ends with the block."""
    process = subprocess.Popen(
        [*prefix, sys.executable, *flags, "-m", f"tests.survive.{module}", *map(str, args)],
        cwd=ROOT,
        env={**os.environ, **(env or {}), LIMIT: str(limit)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def finish(process: subprocess.Popen[str], limit: float = 60.0) -> str:
    """Wait for a script's end and give its output; fail with all of it unless it ended well."""
    try:
        out, err = process.communicate(timeout=limit + 10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"hung: {process.args}\n{out}\n{err}") from None
    assert process.returncode == 0, f"{process.args} gave {process.returncode}\n{out}\n{err}"
    for sign in ("Traceback", "Warning", "Exception"):
        assert sign not in err, f"{process.args} complained\n{out}\n{err}"
    return out


def run(
    module: str,
    *args: object,
    limit: float = 60.0,
    flags: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
) -> str:
    """Run a script of this directory to its end."""
    options: Any = {"limit": limit, "flags": flags, "env": env, "prefix": prefix}
    with started(module, *args, **options) as process:
        return finish(process, limit)


def new_seed() -> int:
    """A seed of this run's own, or the one asked for by LGCKPT_TEST_SEED."""
    return int(os.environ.get("LGCKPT_TEST_SEED") or random.randrange(2**32))
