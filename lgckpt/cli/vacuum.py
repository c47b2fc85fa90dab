"""`lgckpt vacuum`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import upkeep
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples, print_json, run, say
from lgckpt.cli.figures import bytes_of, count_of


@app.command(
    "vacuum",
    epilog=examples(
        "lgckpt vacuum postgresql://db/agents",
        "lgckpt vacuum sqlite:///agents.db --full",
        "lgckpt vacuum --from-env DATABASE_URL --json",
    ),
)
def vacuum(
    url: Url,
    threads: Annotated[
        list[str] | None,
        typer.Option("--thread", metavar="T", help="Only this thread; repeatable."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Have a SQLite file rewritten, so that the disk has the room again."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete threads that expired and pieces of values that nothing refers to any more.

    Each thread is done in one transaction, safe beside programs that go on writing. The room is
    free for what comes next; the server, or `--full`, gives it back to the disk.
    """
    found = run(upkeep.avacuum(url, threads=threads or (), full=full))
    for thread_id in found.damaged:
        complain(f"thread {thread_id!r} is damaged, so nothing was dropped there (see doctor)")
    if as_json:
        print_json(asdict(found))
    else:
        say(
            f"gone: {count_of(found.expired, 'expired thread')}, "
            f"{count_of(found.chunks, 'chunk')} of {count_of(found.threads, 'thread')}, "
            f"{bytes_of(found.bytes)} gained"
        )
        if found.file_bytes is not None:
            say(f"the file is smaller by {bytes_of(found.file_bytes)}")
    if found.damaged:
        raise typer.Exit(PROBLEM)
