"""`lgckpt copy`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import upkeep
from lgckpt.cli.app import AsJson, Url, app, examples, print_json, run, say
from lgckpt.cli.figures import count_of


@app.command(
    "copy",
    epilog=examples(
        "lgckpt copy sqlite:///agents.db thread-1 thread-1-before-the-fix",
        "lgckpt copy --from-env DATABASE_URL thread-1 thread-2 --merge",
    ),
)
def copy(
    url: Url,
    source: Annotated[str, typer.Argument(metavar="SRC", help="The thread.", show_default=False)],
    target: Annotated[
        str, typer.Argument(metavar="DST", help="The copy's id.", show_default=False)
    ],
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="DST may be there already; what is of the same name is replaced."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy a thread with all its history, within one database."""
    found = run(upkeep.acopy(url, source, target, merge=merge))
    if as_json:
        print_json(asdict(found))
    else:
        say(
            f"{target} has {count_of(found.checkpoints, 'checkpoint')} "
            f"and {count_of(found.writes, 'write')}"
        )
