"""What `lgckpt loadtest` does; its imports need the extra `loadtest`."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lgckpt.cli.app import complain, err, out, print_json, say
from lgckpt.cli.secrets import hidden
from lgckpt.cli.stopping import ending_in_order
from lgckpt.errors import ConfigurationError, StorageError
from lgckpt.loadtest import report
from lgckpt.loadtest.report.compare import jsonable
from lgckpt.loadtest.report.live import watching
from lgckpt.loadtest.report.terminal import compared, told
from lgckpt.loadtest.report.terminal import tell as draw
from lgckpt.loadtest.results import Run, document, read
from lgckpt.loadtest.running import failed
from lgckpt.loadtest.running import run as run_loadtest
from lgckpt.loadtest.settings import (
    CLIENTS,
    OPEN_CLIENTS,
    Settings,
    ramp_of,
    rate_of,
    seconds_of,
)

__all__ = ["compare", "document", "failed", "make_ready", "save", "settings_of", "tell", "tested"]


def settings_of(
    *,
    clients: int | None,
    rate: str | None,
    ramp: str | None,
    duration: str | None,
    warmup: str,
    timeout: str,
    **others: Any,
) -> Settings:
    """What is to be tested, from what was typed.

    Raises:
        ConfigurationError: It makes no sense.
    """
    span, of_rates = (None, False) if ramp is None else ramp_of(ramp)
    if span is not None and not of_rates and clients is not None:
        raise ConfigurationError("--ramp 1..512 says how many clients; no --clients with it")
    is_open = rate is not None or of_rates
    return Settings(
        clients=clients or (OPEN_CLIENTS if is_open else CLIENTS),
        rate=None if rate is None else rate_of(rate),
        ramp=span,
        ramp_rate=of_rates,
        duration=None if duration is None else seconds_of(duration),
        warmup=seconds_of(warmup),
        timeout=seconds_of(timeout),
        **others,
    )


async def tested(settings: Settings, *, quiet: bool) -> Run:
    """Run the test, shown as it goes on; Ctrl-C ends it early."""
    stop = asyncio.Event()
    command = hidden(" ".join(["lgckpt", *sys.argv[1:]]))
    with ending_in_order(stop, "ending the test"), watching(err, quiet=quiet) as watch:
        return await run_loadtest(settings, watch=watch, stop=stop, command=command)


def make_ready(directory: Path) -> None:
    """Find out before a long test whether its report can be written after it.

    Raises:
        ConfigurationError: What draws it is not installed.
        StorageError: The directory cannot be made.
    """
    for name in ("jinja2", "matplotlib"):
        if find_spec(name) is None:
            raise ConfigurationError(
                f"--report needs the {name} package: pip install 'lgckpt[loadtest]'"
            )
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(f"{directory} cannot be written: {exc.strerror}") from exc


def save(found: Run, directory: Path) -> None:
    """Write the report.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        page = report.save(found, directory)
    except OSError as exc:
        raise StorageError(f"{directory} cannot be written: {exc.strerror}") from exc
    complain(f"the report is {page}")


def tell(found: Run, directory: Path | None) -> None:
    """Print what was found."""
    draw(out, told(found))
    if directory is None:
        say("--report DIR writes all of it as a page with plots")


def compare(files: list[Path], *, as_json: bool) -> None:
    """Print what is different in two results.

    Raises:
        ConfigurationError: They are not two, or cannot be read.
    """
    if len(files) != 2:
        raise ConfigurationError("compare needs two files: lgckpt loadtest compare a.json b.json")
    before, after = map(read, files)
    if as_json:
        print_json(jsonable(before, after))
    else:
        draw(out, compared(before, after))
