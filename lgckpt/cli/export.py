"""`lgckpt export` and `lgckpt import`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import lgckpt
from lgckpt.archive.passing import Passed
from lgckpt.archive.streams import export_threads, import_threads
from lgckpt.cli.app import AsJson, Url, app, err, examples, print_json, run
from lgckpt.cli.figures import bytes_of, count_of
from lgckpt.errors import ConfigurationError


@app.command(
    "export",
    epilog=examples(
        "lgckpt export sqlite:///agents.db thread-1 thread-2 > threads.lgckpt",
        "lgckpt export --from-env DATABASE_URL --all -o agents.lgckpt",
        "lgckpt export redis://cache/0 thread-1 | ssh backup 'cat > thread-1.lgckpt'",
    ),
)
def export(
    url: Url,
    threads: Annotated[
        list[str] | None,
        typer.Argument(metavar="THREAD...", help="The threads' ids.", show_default=False),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All threads.")] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write this file, which appears when it is whole; else standard output.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, for programs; on stderr without -o.")
    ] = False,
) -> None:
    """Write threads to one portable file: checkpoints, pending writes, all their history.

    Any release from now on can read it, into any database. What is encrypted stays so.
    """
    if bool(threads) == everything:
        raise ConfigurationError("name the threads to export, or say --all")
    chosen = None if everything else threads
    if output is not None:
        done = run(lgckpt.adump(url, output, chosen))
    else:
        if sys.stdout.isatty():
            raise ConfigurationError(
                "the file is not for a terminal to show: give -o FILE, or send it on with > or |"
            )
        done = run(export_threads(url, sys.stdout.buffer, chosen))
    if not as_json:
        _tell("exported", done)
    elif output is not None:
        print_json(asdict(done))
    else:
        sys.stderr.write(json.dumps(asdict(done)) + "\n")


@app.command(
    "import",
    epilog=examples(
        "lgckpt import sqlite:///agents.db < threads.lgckpt",
        "lgckpt import --from-env DATABASE_URL threads.lgckpt",
        "lgckpt import sqlite:///debug.db thread-1.lgckpt --as customer-case",
    ),
)
def import_(
    url: Url,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The file; else standard input.", show_default=False),
    ] = None,
    rename: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NEW_ID",
            help="Give the file's one thread this id.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read threads from a portable file into a database.

    Checkpoints that are there already under the same thread and id are replaced, all others stay.
    """
    if rename == "":
        raise ConfigurationError("a thread's id is not empty")
    if file is not None:
        done = run(lgckpt.arestore(file, url, rename=rename))
    elif sys.stdin.isatty():
        raise ConfigurationError("name the file to import, or send it in with < or |")
    else:
        done = run(import_threads(sys.stdin.buffer, "standard input", url, rename=rename))
    if as_json:
        print_json(asdict(done))
    else:
        _tell("imported", done)


def _tell(what: str, done: Passed) -> None:
    err.print(
        f"{what} {count_of(done.threads, 'thread')}, {count_of(done.checkpoints, 'checkpoint')}, "
        f"{count_of(done.writes, 'pending write')}, {bytes_of(done.bytes)}",
        markup=False,
        highlight=False,
    )
