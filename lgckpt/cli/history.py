"""`lgckpt history`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.figures import bytes_of
from lgckpt.cli.lanes import Lanes
from lgckpt.cli.screen import JsonDocument, Part, put, time_of
from lgckpt.inspection import Step

Thread = Annotated[
    str, typer.Argument(metavar="THREAD", help="The thread's id.", show_default=False)
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--ns", metavar="NS", help='Only this namespace; "" is the root.', show_default=False
    ),
]


@app.command(
    "history",
    epilog=examples(
        "lgckpt history sqlite:///agents.db thread-1",
        "lgckpt history --from-env DATABASE_URL thread-1 --ns '' --limit 20",
        "lgckpt history redis://cache/0 thread-1 --json",
    ),
)
def history(
    url: Url,
    thread: Thread,
    ns: Namespace = None,
    limit: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="So many at most.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> int | None:
    """List every checkpoint of a thread, newest first, namespace by namespace.

    With each: its step and source, its time (UTC), which channels it changed, which nodes would
    run next, and pending writes. Lines at the left lead to the checkpoint it was made from, so
    that forks are seen. Sizes are of the state before it is compressed and shared.
    """
    damaged: list[Step] = []
    found = _watched(inspection.read_history(url, thread, checkpoint_ns=ns, limit=limit), damaged)
    if as_json:
        document = JsonDocument()
        document.add("thread_id", thread)
        document.add_list("checkpoints", (asdict(one) for one in found))
        document.end()
    else:
        _put(found)
    for one in damaged:
        complain(one.damage)
    return PROBLEM if damaged else None


def _watched(found: Iterable[Step], damaged: list[Step]) -> Iterator[Step]:
    for one in found:
        if one.damage is not None:
            damaged.append(one)
        yield one


def _put(found: Iterable[Step]) -> None:
    namespace, lanes = "", Lanes()
    for one in found:
        if one.checkpoint_ns != namespace:
            namespace, lanes = one.checkpoint_ns, Lanes()
            put(("namespace ", "bold"), (namespace, "bold cyan"))
        node, below = lanes.step(one.checkpoint_id, one.parent_id)
        put((node, "yellow"), " ", *_headline(one))
        details = _details(one)
        if details:
            put((below, "yellow"), " ", *details)


def _headline(one: Step) -> list[Part]:
    if one.damage is not None:
        return [
            (one.checkpoint_id, "bold"),
            "  ",
            ("damaged", "bold red"),
            f"  {one.damage.reason}",
        ]
    step = "" if one.step is None else f"  step {one.step}"
    fork: list[Part] = [("  fork", "bold magenta")] if one.children > 1 else []
    return [
        (one.checkpoint_id, "bold"),
        step,
        f"  {one.source}" if one.source else "",
        *fork,
        (f"  {time_of(one.time)}  {bytes_of(one.size)}", "dim"),
    ]


def _details(one: Step) -> list[Part]:
    parts: list[Part] = []
    if one.encrypted:
        parts += [("  encrypted", "dim")]
    if one.changed:
        parts += [("  changed ", "dim"), ", ".join(one.changed)]
    if one.next:
        parts += [("  next ", "dim"), (", ".join(one.next), "green")]
    if one.writes:
        names = (name if count == 1 else f"{name} x{count}" for name, count in one.writes.items())
        parts += [("  pending ", "dim"), (", ".join(names), "cyan")]
    return parts
