"""`lgckpt loadtest`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lgckpt.cli.app import PROBLEM, AsJson, app, examples, print_json, resolved, run
from lgckpt.cli.environment import OPTION
from lgckpt.errors import ConfigurationError

COMPARE = "compare"


@app.command(
    "loadtest",
    epilog=examples(
        "lgckpt loadtest postgresql://embedded",
        "lgckpt loadtest postgresql://db/test --vs langgraph+postgresql://db/test --report out",
        "lgckpt loadtest redis://cache/0 --workload mixed:chat=3,hitl=1 --rate 500/s --duration 5m",
        "lgckpt loadtest --from-env DATABASE_URL --ramp 1..512 --processes 4",
        "lgckpt loadtest sqlite:///x.db --replay calls.lgckpt --pace 2",
        "lgckpt loadtest compare before/results.json after/results.json",
    ),
)
def loadtest(
    target: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="The database: any URL of lgckpt's, langgraph+... for the official savers, "
            "postgresql://embedded or redis://embedded for a throw-away server; or in its place "
            f"{OPTION} VAR. Or the word compare, and two results.json.",
            show_default=False,
            callback=resolved,
        ),
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[A.json B.json]", help="What to compare.", show_default=False),
    ] = None,
    vs: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Another database, tested in turns with the first.",
            callback=resolved,
        ),
    ] = None,
    workload: Annotated[
        str,
        typer.Option(
            "--workload",
            "-w",
            metavar="W",
            help="chat, research, fanout, wide, hitl, mixed, or mixed:chat=3,hitl=1.",
        ),
    ] = "chat",
    replay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Play what lgckpt.record() recorded, in its place."),
    ] = None,
    pace: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            min=0.001,
            help="Play it X times as fast as it was recorded, and not as fast as may be.",
            show_default=False,
        ),
    ] = None,
    clients: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            show_default=False,
            help="Clients of a closed loop: 16 if nothing is said. With --rate, how many "
            "supersteps may be under way: 256.",
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="R",
            help="An open loop: so many supersteps are due, as 500/s; latencies count from then.",
        ),
    ] = None,
    ramp: Annotated[
        str | None,
        typer.Option(
            metavar="A..B",
            help="Double the clients from A to B, or rates as 100/s..5000/s, to find the knee.",
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            show_default=False,
            help="Of each side, or of each level of a ramp: 20s, or 5s, if nothing is said.",
        ),
    ] = None,
    warmup: Annotated[
        str, typer.Option(metavar="TIME", help="Before it, on each side; not counted.")
    ] = "3s",
    processes: Annotated[
        int, typer.Option(metavar="N", min=1, help="Processes that share the clients.")
    ] = 1,
    connections: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of a Postgres pool, in each process.")
    ] = 10,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long a call may take.")] = "30s",
    seed: Annotated[int, typer.Option(metavar="N", help="Of the workload.")] = 1,
    chaos: Annotated[
        bool,
        typer.Option(
            "--chaos",
            help="Kill the embedded server and start it again, a few times; what it acknowledged "
            "must be there.",
        ),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the threads of the test in the database.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write results.json and report.html there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find out how many agents a database carries, how it degrades, and what it stores.

    Every read is compared with what that client had written. The test writes threads of its own,
    and deletes them at its end. Ctrl-C ends it early, with what was found.

    Exit codes: 0 done, 1 a read was wrong or a call failed, 2 wrong usage.
    """
    with _needing_the_extra():
        from lgckpt.cli import loadtesting as work  # noqa: PLC0415 - what it imports
    if target == COMPARE:
        work.compare(files or [], as_json=as_json)
        return
    if files:
        raise ConfigurationError("one URL, and --vs for another; two files only with compare")
    settings = work.settings_of(
        url=target, vs=vs, workload=workload, replay=replay, pace=pace, clients=clients,
        rate=rate, ramp=ramp, duration=duration, warmup=warmup, processes=processes,
        connections=connections, timeout=timeout, seed=seed, chaos=chaos, keep=keep,
    )  # fmt: skip
    if report is not None:
        work.make_ready(report)
    found = run(work.tested(settings, quiet=as_json))
    if report is not None:
        work.save(found, report)
    if as_json:
        print_json(work.document(found))
    else:
        work.tell(found, report)
    if work.failed(found, chaos=chaos):
        raise typer.Exit(PROBLEM)


@contextmanager
def _needing_the_extra() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as exc:
        raise ConfigurationError(
            f"lgckpt loadtest needs the {exc.name} package: pip install 'lgckpt[loadtest]'"
        ) from exc
