"""`lgckpt threads`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.screen import JsonDocument, Part, put_table, time_of
from lgckpt.inspection import ThreadSummary

Prefix = Annotated[
    str, typer.Option(metavar="P", help="Only threads whose id begins so.", show_default=False)
]


@app.command(
    "threads",
    epilog=examples(
        "lgckpt threads sqlite:///agents.db",
        "lgckpt threads --from-env DATABASE_URL --prefix support- --limit 20",
        "lgckpt threads file:///backups/agents.lgckpt --json",
    ),
)
def threads(
    url: Url,
    prefix: Prefix = "",
    limit: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="So many at most.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int | None:
    """List threads: checkpoints, pending writes, when the latest was made (UTC).

    They come in the order of the database, page by page, however many there are.
    """
    damaged: list[ThreadSummary] = []
    found = _watched(inspection.list_threads(url, prefix=prefix, limit=limit), damaged)
    if as_json:
        document = JsonDocument()
        document.add_list("threads", (asdict(one) for one in found))
        document.end()
    else:
        names = ("THREAD", "#CHECKPOINTS", "#WRITES", "UPDATED")
        if not put_table(names, (_row(one) for one in found)):
            complain("no threads")
    for one in damaged:
        complain(one.damage)
    return PROBLEM if damaged else None


def _watched(
    found: Iterable[ThreadSummary], damaged: list[ThreadSummary]
) -> Iterator[ThreadSummary]:
    for one in found:
        if one.damage is not None:
            damaged.append(one)
        yield one


def _row(one: ThreadSummary) -> list[Part]:
    updated = ("damaged", "red") if one.damage is not None else time_of(one.updated)
    return [one.thread_id, f"{one.checkpoints:,}", f"{one.writes:,}", updated]
