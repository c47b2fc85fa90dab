"""`lgckpt doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import upkeep
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, examples, print_json, run, say
from lgckpt.cli.figures import count_of
from lgckpt.upkeep import Diagnosis, Finding


@app.command(
    "doctor",
    epilog=examples(
        "lgckpt doctor postgresql://db/agents",
        "lgckpt doctor --from-env DATABASE_URL --json",
        "lgckpt doctor redis://cache/0 --thread thread-1 --repair",
    ),
)
def doctor(
    url: Url,
    threads: Annotated[
        list[str] | None,
        typer.Option("--thread", metavar="T", help="Only this thread; repeatable."),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Delete chunks that nothing refers to, and writes whose checkpoint never came; "
            "nothing else is touched.",
        ),
    ] = False,
    grace: Annotated[
        str,
        typer.Option(metavar="AGE", help="How long writes may be there before their checkpoint."),
    ] = "1h",
    as_json: AsJson = False,
) -> None:
    """Find out what is wrong with a database, and how to mend it.

    References that lead nowhere, writes without a checkpoint, chunks that nothing needs, parents
    that are not there, DeltaChannels that cannot be rebuilt, checksums, the schema's version, and
    server settings that put data at risk. It is safe beside programs that go on writing.

    Exit code 1 says that there are errors or warnings left; notes ask for nothing.
    """
    found = run(
        upkeep.adoctor(
            url,
            threads=threads or (),
            repair=repair,
            grace=grace,
            progress=None if as_json else _tell,
        )
    )
    if as_json:
        print_json(asdict(found))
    else:
        say(_summary(found))
    if not found.healthy:
        raise typer.Exit(PROBLEM)


def _tell(one: Finding) -> None:
    named = {
        "thread": one.thread_id,
        "checkpoint_ns": one.checkpoint_ns,
        "checkpoint": one.checkpoint_id,
        "channel": one.channel,
    }
    where = ", ".join(f"{name} {value!r}" for name, value in named.items() if value)
    say(f"{one.severity}: {one.kind}: {where + ': ' if where else ''}{one.what}")
    say("  repaired" if one.repaired else f"  mend: {one.mend}")


def _summary(found: Diagnosis) -> str:
    looked = ", ".join(
        count_of(number, what)
        for number, what in (
            (found.threads, "thread"),
            (found.checkpoints, "checkpoint"),
            (found.writes, "write"),
            (found.chunks, "chunk"),
        )
    )
    told = ", ".join(
        count_of(number, what)
        for number, what in (
            (found.errors, "error"),
            (found.warnings, "warning"),
            (found.notes, "note"),
        )
    )
    repaired = f", {found.repaired} repaired" if found.repaired else ""
    return f"{looked}: {told}{repaired}"
