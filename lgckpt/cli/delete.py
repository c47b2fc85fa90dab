"""`lgckpt delete`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import upkeep
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples, print_json, run, say
from lgckpt.cli.figures import count_of
from lgckpt.errors import ConfigurationError


@app.command(
    "delete",
    epilog=examples(
        "lgckpt delete sqlite:///agents.db thread-1 thread-2",
        "lgckpt delete --from-env DATABASE_URL thread-1 --yes",
    ),
)
def delete(
    url: Url,
    threads: Annotated[
        list[str], typer.Argument(metavar="THREAD...", help="The threads.", show_default=False)
    ],
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask; needed where nobody can be asked.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete everything of threads, after asking.

    Where standard input is no terminal, nothing is deleted without `--yes`.
    """
    if not yes:
        _ask(threads)
    found = run(upkeep.adelete(url, threads))
    for thread_id in found.missing:
        complain(f"there is no thread {thread_id!r}")
    if as_json:
        print_json(asdict(found))
    else:
        for one in found.threads:
            say(
                f"{one.thread_id}: {count_of(one.checkpoints, 'checkpoint')}, "
                f"{count_of(one.writes, 'write')} deleted"
            )
    if found.missing:
        raise typer.Exit(PROBLEM)


def _ask(threads: list[str]) -> None:
    """Go on only after a yes.

    Raises:
        ConfigurationError: Nobody can be asked.
        typer.Exit: It was no yes.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError("nobody can be asked here: --yes deletes without asking")
    shown = ", ".join(threads[:5]) + (", …" if len(threads) > 5 else "")
    if not typer.confirm(f"Delete {count_of(len(threads), 'thread')} ({shown})?", err=True):
        complain("nothing was deleted")
        raise typer.Exit(PROBLEM)
