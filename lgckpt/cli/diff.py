"""`lgckpt diff`."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Annotated, Any

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.figures import count_of
from lgckpt.cli.history import Thread
from lgckpt.cli.screen import JsonDocument, Part, put
from lgckpt.cli.show import FOLD, Full
from lgckpt.cli.talk import headline, said
from lgckpt.inspection import Change, ChannelChange, Comparison, Message
from lgckpt.inspection.comparing import jsonable_change
from lgckpt.inspection.text import lines

_SIGNS = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}

_Id = Annotated[
    str,
    typer.Argument(
        help="A checkpoint's id, or its beginning or end, or `latest`.", show_default=False
    ),
]


@app.command(
    "diff",
    epilog=examples(
        "lgckpt diff sqlite:///agents.db thread-1 1f1e6dbe-ade9 latest",
        "lgckpt diff --from-env DATABASE_URL thread-1 1f1e6dbe-ade9 1f1e6dbe-ae21 --json",
    ),
)
def diff(
    url: Url,
    thread: Thread,
    a: _Id,
    b: _Id,
    ns: Annotated[
        str | None,
        typer.Option("--ns", metavar="NS", help="Their namespace.", show_default=False),
    ] = None,
    full: Full = False,
    as_json: AsJson = False,
) -> int | None:
    """Say what changed from checkpoint A to checkpoint B, channel by channel.

    Messages are compared by their ids: added (+), removed (-), edited (~).
    """
    found = inspection.compare_checkpoints(url, thread, a, b, checkpoint_ns=ns)
    if as_json:
        _put_json(found)
    else:
        _put(found, None if full else FOLD)
    for one in found.damage:
        complain(one)
    return PROBLEM if found.damage else None


def _put_json(found: Comparison) -> None:
    document = JsonDocument()
    document.add("thread_id", found.thread_id)
    for name in ("before", "after"):
        ns, checkpoint_id = getattr(found, name)
        document.add(name, {"checkpoint_ns": ns, "checkpoint_id": checkpoint_id})
    document.add_list(
        "channels",
        (
            {
                "name": one.name,
                "kind": one.kind,
                "messages": one.messages,
                "unchanged": one.unchanged,
                "changes": [jsonable_change(change) for change in one.changes],
            }
            for one in found.channels
        ),
    )
    document.add("unchanged", found.unchanged)
    document.add("metadata", [jsonable_change(change) for change in found.metadata])
    document.add("damage", [str(one) for one in found.damage])
    document.end()


def _put(found: Comparison, limit: int | None) -> None:
    put(("from ", "dim"), (found.before[1], "bold"))
    put(("to   ", "dim"), (found.after[1], "bold"))
    for one in found.channels:
        put()
        put(_SIGNS[one.kind], " ", (one.name, "bold cyan"), (_summary(one), "dim"))
        for change in one.changes:
            _put_change(change, limit)
    if found.metadata:
        put()
        put(("~", "yellow"), " ", ("metadata", "bold"))
        for change in found.metadata:
            _put_change(change, limit)
    put()
    if not found.channels:
        put("no channel differs")
    if found.unchanged:
        put(("unchanged: ", "dim"), (", ".join(found.unchanged), "dim"))


def _summary(one: ChannelChange) -> str:
    if not one.messages:
        return ""
    counts = {kind: sum(change.kind == kind for change in one.changes) for kind in _SIGNS}
    told = [f"{count:,} {kind}" for kind, count in counts.items() if count]
    if one.unchanged:
        told.append(f"{one.unchanged:,} unchanged")
    return f"  messages: {', '.join(told)}"


def _put_change(change: Change, limit: int | None) -> None:
    if isinstance(change.after, Message) and isinstance(change.before, Message):
        _put_edit(change.before, change.after, limit)
    elif isinstance(change.after or change.before, Message):
        _put_whole(change, change.after or change.before, limit)
    else:
        _put_value(change, limit)


def _put_whole(change: Change, message: Message, limit: int | None) -> None:
    sign, style = _SIGNS[change.kind]
    put((sign, style), " ", *headline(message), indent=2)
    for line in said(message, limit):
        put((f"{sign} {line}", style), indent=4)


def _put_edit(old: Message, new: Message, limit: int | None) -> None:
    """An edited message: its lines that differ, the others folded."""
    sign, style = _SIGNS["changed"]
    put((sign, style), " ", *headline(new), indent=2)
    ours, theirs = said(old, limit), said(new, limit)
    if ours == theirs:
        # Folded, they look alike: what differs lies beyond, or in who says it.
        ours, theirs = said(old, None), said(new, None)
    for tag, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            put((f"… {count_of(b - a, 'line')} unchanged", "dim"), indent=4)
            continue
        for line in ours[a:b]:
            put((f"- {line}", "red"), indent=4)
        for line in theirs[c:d]:
            put((f"+ {line}", "green"), indent=4)


def _put_value(change: Change, limit: int | None) -> None:
    if change.path:
        put(_SIGNS[change.kind], " ", change.path, indent=2)
    sides: list[tuple[str, str, Any]] = []
    if change.kind != "added":
        sides.append(("-", "red", change.before))
    if change.kind != "removed":
        sides.append(("+", "green", change.after))
    for sign, style, value in sides:
        for line in lines(value, limit):
            shown: Part = (f"{sign} {line}", style)
            put(shown, indent=4 if change.path else 2)
