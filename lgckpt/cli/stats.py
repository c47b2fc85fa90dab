"""`lgckpt stats`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.figures import bytes_of, count_of
from lgckpt.cli.screen import JsonDocument, put, put_table
from lgckpt.cli.threads import Prefix
from lgckpt.inspection import METHOD, ChannelBytes, ThreadBytes
from lgckpt.inspection.totals import Totals

_LARGEST = 10


@app.command(
    "stats",
    epilog=examples(
        "lgckpt stats sqlite:///agents.db",
        "lgckpt stats --from-env DATABASE_URL thread-1 thread-2",
        "lgckpt stats redis://cache/0 --prefix support- --json",
    ),
)
def stats(
    url: Url,
    threads: Annotated[
        list[str] | None,
        typer.Argument(metavar="[THREAD]...", help="Only these threads.", show_default=False),
    ] = None,
    prefix: Prefix = "",
    as_json: AsJson = False,
) -> int | None:
    """Say where the bytes are: by thread, namespace and channel; and what sharing saves.

    Everything is read once. What LangGraph's own layouts would take is worked out from sizes, not
    tried; how is said below the numbers.
    """
    totals = Totals(_LARGEST)
    found = _totalled(inspection.measure(url, threads or (), prefix=prefix), totals)
    if as_json:
        document = JsonDocument()
        document.add_list("threads", map(_jsonable, found))
        document.add("total", _jsonable(totals.total))
        document.add("namespaces", {ns: asdict(one) for ns, one in totals.namespaces.items()})
        document.add("method", METHOD)
        document.end()
    else:
        for _ in found:
            pass
        _put(totals)
    for one in totals.total.damage:
        complain(one)
    return PROBLEM if totals.total.damage else None


def _totalled(found: Iterable[ThreadBytes], totals: Totals) -> Iterator[ThreadBytes]:
    for one in found:
        totals.add(one)
        yield one


def _jsonable(one: ThreadBytes) -> dict[str, object]:
    fields = {name: getattr(one, name) for name in one.__slots__}
    return {
        **fields,
        "channels": [
            {"checkpoint_ns": ns, "channel": channel, **asdict(sizes)}
            for (ns, channel), sizes in one.channels.items()
        ],
        "damage": [str(fault) for fault in one.damage],
    }


def _put(totals: Totals) -> None:
    total = totals.total
    put(
        (count_of(totals.threads, "thread"), "bold"),
        f", {count_of(total.checkpoints, 'checkpoint')}, {count_of(total.writes, 'pending write')}",
    )
    put()
    names = ("", "#BYTES", "")
    put_table(names, [[what, bytes_of(size), note] for what, size, note in _sizes(total)])
    if totals.threads > 1:
        put()
        largest = [
            [one.thread_id, f"{one.checkpoints:,}", bytes_of(one.stored), bytes_of(one.logical)]
            for one in totals.largest()
        ]
        put_table(("LARGEST THREADS", "#CHECKPOINTS", "#STORED", "#LOGICAL"), largest)
    if len(totals.namespaces) > 1:
        put()
        put_table(("NAMESPACE", "#VALUES", "#STORED", "#LOGICAL"), _sorted(totals.namespaces))
    put()
    put_table(("CHANNEL", "#VALUES", "#STORED", "#LOGICAL"), _sorted(totals.channels))
    put()
    put((METHOD, "dim"))


def _sizes(total: ThreadBytes) -> list[tuple[str, int, str]]:
    shared = ""
    if total.chunk_count:
        shared = f"{count_of(total.chunk_count, 'chunk')}, referred to {total.references:,} times"
    return [
        ("logical", total.logical, "as if nothing were shared or compressed"),
        ("stored", total.stored, _share(total.stored, total.logical)),
        ("- rows", total.rows, ""),
        ("- pending writes", total.pending, ""),
        ("- chunks", total.chunks, shared),
        ("langgraph+sqlite", total.langgraph_sqlite, _times(total.langgraph_sqlite, total.stored)),
        (
            "langgraph+postgresql",
            total.langgraph_postgres,
            _times(total.langgraph_postgres, total.stored),
        ),
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%} of it" if whole else ""


def _times(other: int, stored: int) -> str:
    return f"estimated: {other / stored:.1f} times what is stored" if stored else "estimated"


def _sorted(found: dict[str, ChannelBytes]) -> list[list[str]]:
    ordered = sorted(found.items(), key=lambda item: -item[1].stored)
    return [
        [name or "(root)", f"{one.values:,}", bytes_of(one.stored), bytes_of(one.logical)]
        for name, one in ordered
    ]
