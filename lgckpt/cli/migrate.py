"""`lgckpt migrate`."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import asdict
from typing import Annotated, Literal

import typer

import lgckpt
from lgckpt.cli.app import PROBLEM, AsJson, app, examples, print_json, resolved, run
from lgckpt.cli.environment import OPTION
from lgckpt.cli.migrating import shown, tell
from lgckpt.cli.stopping import ending_in_order
from lgckpt.errors import ConfigurationError
from lgckpt.migration.report import Migration

_SIDE = (
    "URL; langgraph+sqlite://, langgraph+postgresql:// and langgraph+redis:// for LangGraph's own"
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="SRC",
        help=f"From where: a {_SIDE}; or {OPTION} VAR.",
        show_default=False,
        callback=resolved,
    ),
]
Target = Annotated[
    str,
    typer.Argument(
        metavar="DST",
        help=f"Where to: likewise; or {OPTION} VAR.",
        show_default=False,
        callback=resolved,
    ),
]
Codec = Literal["lz4", "zstd", "none"]


@app.command(
    "migrate",
    epilog=examples(
        "lgckpt migrate sqlite:///agents.db postgresql://db/agents --verify",
        "lgckpt migrate langgraph+postgresql://db/agents postgresql://db/agents --dry-run",
        "lgckpt migrate sqlite:///agents.db redis://cache:6379/0 --follow --interval 10",
        "lgckpt migrate --from-env OLD --from-env NEW --shard 1/4 --workers 8",
        "lgckpt migrate postgresql://db/agents sqlite:///week.db --since 2026-01-01",
    ),
)
def migrate(
    source: Source,
    target: Target,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many threads are moved at a time.")
    ] = 4,
    verify: Annotated[
        bool, typer.Option("--verify", help="Then compare every checkpoint, write and chunk.")
    ] = False,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Move nothing, and compare.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would move; write nothing.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow", help="Go on, pass after pass, with what is written meanwhile; until Ctrl-C."
        ),
    ] = False,
    interval: Annotated[
        float, typer.Option(min=0.0, metavar="S", help="Seconds between the passes of --follow.")
    ] = 5.0,
    until_idle: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="End --follow after N passes in a row that moved nothing."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only the I-th of N parts of all threads, from 1 to N."),
    ] = None,
    threads: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Only these threads; may be given again."),
    ] = None,
    thread_prefix: Annotated[
        str | None, typer.Option(metavar="P", help="Only threads whose id begins so.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="Only checkpoints from this time (ISO 8601, UTC) or checkpoint id on, and what"
            " they need.",
        ),
    ] = None,
    latest_only: Annotated[
        bool,
        typer.Option("--latest-only", help="Only what prune --keep-latest would leave."),
    ] = False,
    re_encode: Annotated[
        Codec | None, typer.Option(help="Compress what is moved anew.", show_default=False)
    ] = None,
    skip_corrupt: Annotated[
        bool,
        typer.Option(
            "--skip-corrupt", help="Leave out what is damaged and report it; exit code 1 then."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move threads from one database to another, in any layout.

    Nothing is moved that is there already: killed at any moment, it goes on when it is run
    again, and run again it carries what was written meanwhile. What was deleted on the source
    stays on the target. No class of yours is needed, and what is encrypted stays so.

    Exit codes: 0 done, 1 something is damaged or differs, or a database cannot be used,
    2 wrong usage.
    """

    async def work() -> Migration:
        stop = asyncio.Event()
        ending = ending_in_order(stop, "ending with one more pass") if follow else nullcontext()
        with ending, shown(as_json=as_json) as watch:
            return await lgckpt.amigrate(
                source,
                target,
                workers=workers,
                dry_run=dry_run,
                verify=verify,
                verify_only=verify_only,
                skip_corrupt=skip_corrupt,
                threads=_names(threads),
                thread_prefix=thread_prefix,
                shard=shard,
                since=since,
                latest_only=latest_only,
                re_encode=re_encode,
                follow=interval if follow else None,
                until_idle=until_idle,
                stop=stop,
                watch=watch,
            )

    done = run(work())
    if as_json:
        print_json({**asdict(done), "ok": done.ok})
    else:
        tell(done, moved=not verify_only)
    if not done.ok:
        raise typer.Exit(PROBLEM)


def _names(given: list[str] | None) -> list[str]:
    """The threads asked for by name; none at all stands for all of them."""
    found = [name for one in given or [] for name in one.split(",") if name]
    if given and not found:
        raise ConfigurationError("--threads names no thread; without it all are moved")
    return found
