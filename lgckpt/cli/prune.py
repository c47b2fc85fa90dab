"""`lgckpt prune`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import upkeep
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples, print_json, run, say
from lgckpt.cli.figures import bytes_of, count_of
from lgckpt.upkeep import Pruned, PrunedThread, Trouble, Weight


@app.command(
    "prune",
    epilog=examples(
        "lgckpt prune sqlite:///agents.db --older-than 30d --dry-run",
        "lgckpt prune --from-env DATABASE_URL --keep-latest",
        "lgckpt prune redis://cache/0 --keep 20 --thread-prefix support-",
        "lgckpt prune postgresql://db/agents --run 1f0c --run 1f0d",
    ),
)
def prune(
    url: Url,
    older_than: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Checkpoints older than this go: 90s, 45m, 12h, 30d, 4w. Where all of a thread "
            "is older it goes whole; of any other the latest of each namespace stays.",
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(metavar="N", help="The newest N of each namespace stay.", show_default=False),
    ] = None,
    keep_latest: Annotated[
        bool, typer.Option("--keep-latest", help="The latest of each namespace stays.")
    ] = False,
    run_ids: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="R", help="Only checkpoints of this run go; repeatable."),
    ] = None,
    threads: Annotated[
        list[str] | None,
        typer.Option("--thread", metavar="T", help="Only this thread; repeatable."),
    ] = None,
    thread_prefix: Annotated[
        str, typer.Option(metavar="P", help="Only threads whose id begins so.", show_default=False)
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing, and say exactly what would go.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Delete checkpoints that are old or many, with their pending writes.

    A checkpoint goes if each of `--older-than`, `--keep` and `--run` that is given lets it go. Its
    age counts from its own time. What a DeltaChannel of a checkpoint that stays is rebuilt from
    stays too, out of sight. Each thread is pruned in one transaction.
    """
    found = run(
        upkeep.aprune(
            url,
            older_than=older_than,
            keep=keep,
            keep_latest=keep_latest,
            runs=run_ids or (),
            threads=threads or (),
            thread_prefix=thread_prefix,
            dry_run=dry_run,
            progress=None if as_json else _tell,
        )
    )
    if as_json:
        print_json(asdict(found))
        for trouble in found.troubles:
            _tell(trouble)
    else:
        say(_summary(found))
    if found.troubles:
        raise typer.Exit(PROBLEM)


def _tell(one: PrunedThread | Trouble) -> None:
    if isinstance(one, Trouble):
        complain(f"thread {one.thread_id!r} is left as it is: {one.what}")
    else:
        say(f"{one.thread_id}: {'all of it, ' if one.whole else ''}{_weight(one.weight)}")


def _weight(weight: Weight) -> str:
    parts = [
        count_of(weight.checkpoints, "checkpoint"),
        count_of(weight.writes, "write"),
        bytes_of(weight.bytes),
    ]
    if weight.hidden:
        parts.append(f"{weight.hidden} of these stay out of sight for a DeltaChannel")
    return ", ".join(parts)


def _summary(found: Pruned) -> str:
    what = "would go" if found.dry_run else "gone"
    whole = f" ({found.whole_threads} whole)" if found.whole_threads else ""
    threads = count_of(len(found.threads), "thread")
    return f"{what}: from {threads}{whole} {_weight(found.total)}"
