"""`lgckpt grep`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.figures import count_of
from lgckpt.cli.screen import JsonDocument, put
from lgckpt.cli.threads import Prefix
from lgckpt.inspection import Match, Skipped
from lgckpt.inspection.searching import Found
from lgckpt.inspection.text import one_line
from lgckpt.migration.report import Damage


@app.command(
    "grep",
    epilog=examples(
        "lgckpt grep sqlite:///agents.db 'order [0-9]{6}'",
        "lgckpt grep --from-env DATABASE_URL refund --ignore-case --prefix support-",
        "lgckpt grep redis://cache/0 alice@example.com --json",
    ),
)
def grep(
    url: Url,
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="PATTERN", help="A regular expression, as of Python.", show_default=False
        ),
    ],
    ignore_case: Annotated[
        bool, typer.Option("--ignore-case", "-i", help="Whether letters are capital or not.")
    ] = False,
    prefix: Prefix = "",
    as_json: AsJson = False,
) -> int | None:
    """Search the texts of all threads: channels, pending writes, metadata.

    A text is told once for each thread and channel, with the first checkpoint that holds it. A
    value that many checkpoints hold is searched once. Finding nothing is no error: the exit code
    is 0.
    """
    rest: list[Damage | Skipped] = []
    found = _matches(inspection.search(url, pattern, ignore_case=ignore_case, prefix=prefix), rest)
    if as_json:
        document = JsonDocument()
        document.add_list("matches", (asdict(one) for one in found))
        document.add(
            "skipped", {one.reason: one.values for one in rest if isinstance(one, Skipped)}
        )
        document.add("damage", [str(one) for one in rest if isinstance(one, Damage)])
        document.end()
    else:
        for one in found:
            _put(one)
    damaged = False
    for other in rest:
        if isinstance(other, Damage):
            damaged = True
            complain(other)
        else:
            complain(f"not searched: {count_of(other.values, 'value')}, {other.reason}")
    return PROBLEM if damaged else None


def _matches(found: Iterable[Found], rest: list[Damage | Skipped]) -> Iterator[Match]:
    for one in found:
        if isinstance(one, Match):
            yield one
        else:
            rest.append(one)


def _put(one: Match) -> None:
    where = "metadata" if one.channel is None else one.channel
    if one.pending:
        where = f"pending {where}"
    ns = f" {one.checkpoint_ns}" if one.checkpoint_ns else ""
    path = one.path if not one.path or one.path.startswith("[") else f".{one.path}"
    start, end = one.span
    put(
        (one.thread_id, "magenta"), ns, " ", (one.checkpoint_id, "dim"), " ",
        (f"{where}{path}", "cyan"), ": ",
        _flat(one.snippet[:start]), (_flat(one.snippet[start:end]), "bold red"),
        _flat(one.snippet[end:]),
    )  # fmt: skip


def _flat(text: str) -> str:
    """On one line; a space at an end stays."""
    inner = one_line(text)
    before = " " if text[:1].isspace() else ""
    after = " " if inner and text[-1:].isspace() else ""
    return f"{before}{inner}{after}"
