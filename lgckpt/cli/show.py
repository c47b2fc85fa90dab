"""`lgckpt show`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from lgckpt import inspection
from lgckpt.cli.app import PROBLEM, AsJson, Url, app, complain, examples
from lgckpt.cli.figures import bytes_of, count_of
from lgckpt.cli.history import Thread
from lgckpt.cli.screen import JsonDocument, put, time_of
from lgckpt.cli.talk import put_message
from lgckpt.inspection import ChannelView, CheckpointView
from lgckpt.inspection.jsonable import jsonable
from lgckpt.inspection.messages import conversation
from lgckpt.inspection.text import lines, scalar

FOLD = 400
"""Characters of a text that are shown, unless all are asked for."""

_FIRST, _LAST = 2, 18
"""Messages of a longer conversation that are shown, likewise."""

Full = Annotated[
    bool, typer.Option("--full", help="Fold nothing: long texts, lists, conversations.")
]


@app.command(
    "show",
    epilog=examples(
        "lgckpt show sqlite:///agents.db thread-1",
        "lgckpt show sqlite:///agents.db thread-1 1f1e6dbe-ae21-6f41-8007-1bd8592e3c17 --full",
        "lgckpt show --from-env DATABASE_URL thread-1 --channel messages --json",
    ),
)
def show(
    url: Url,
    thread: Thread,
    checkpoint: Annotated[
        str,
        typer.Argument(
            metavar="[CHECKPOINT]",
            help="Its id, or the beginning or the end of it; the latest unless told.",
            show_default=False,
        ),
    ] = "latest",
    ns: Annotated[
        str | None,
        typer.Option("--ns", metavar="NS", help="The namespace.", show_default=False),
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="C", help="Only this channel; repeatable."),
    ] = None,
    full: Full = False,
    as_json: AsJson = False,
) -> int | None:
    """Show the state that a checkpoint holds; messages as a conversation.

    No class of yours is imported: an object is shown as its class's name and its fields. What is
    encrypted stays so.
    """
    found = inspection.show_checkpoint(
        url, thread, checkpoint, checkpoint_ns=ns, channels=channels or ()
    )
    if as_json:
        _put_json(found)
    else:
        _put(found, None if full else FOLD)
    for one in found.damage:
        complain(one)
    return PROBLEM if found.damage else None


def _put_json(found: CheckpointView) -> None:
    document = JsonDocument()
    for name in ("thread_id", "checkpoint_ns", "checkpoint_id", "parent_id", "time", "next"):
        document.add(name, getattr(found, name))
    document.add("encrypted", found.encrypted)
    document.add("metadata", jsonable(found.metadata))
    document.add("channels", {one.name: jsonable(one.value) for one in found.channels})
    document.add_list(
        "writes",
        (
            {
                "task_id": one.task_id,
                "task_path": one.task_path,
                "channel": one.channel,
                "value": jsonable(one.value),
            }
            for one in found.writes
        ),
    )
    document.add("replayed", found.replayed)
    document.add("damage", [str(one) for one in found.damage])
    document.end()


def _put(found: CheckpointView, limit: int | None) -> None:
    put(("thread      ", "dim"), (found.thread_id, "bold"))
    put(("checkpoint  ", "dim"), (found.checkpoint_id, "bold"), (f"  {time_of(found.time)}", "dim"))
    if found.checkpoint_ns:
        put(("namespace   ", "dim"), found.checkpoint_ns)
    if found.parent_id:
        put(("parent      ", "dim"), found.parent_id)
    if found.next:
        put(("next        ", "dim"), (", ".join(found.next), "green"))
    for key, value in found.metadata.items():
        shown = scalar(value, limit)
        if shown and value not in ({}, []):
            put((f"{key:<12}", "dim"), shown)
    for one in found.channels:
        put()
        _put_channel(one, limit)
    if found.replayed:
        put()
        put(("rebuilt by the graph from earlier writes: ", "dim"), ", ".join(found.replayed))
    if found.writes:
        put()
        put(("pending writes", "bold yellow"))
        for write in found.writes:
            put((write.task_id, "dim"), "  ", (write.channel, "cyan"), indent=2)
            for line in lines(write.value, limit):
                put(line, indent=4)


def _put_channel(one: ChannelView, limit: int | None) -> None:
    messages = conversation(one.value)
    if messages is None:
        shown = scalar(one.value, limit)
        if shown is not None and "\n" not in shown:
            put((one.name, "bold cyan"), "  ", shown)
            return
        put((one.name, "bold cyan"), (f"  {bytes_of(one.size)}", "dim"))
        for line in lines(one.value, limit):
            put(line, indent=2)
        return
    put((one.name, "bold cyan"), (f"  {count_of(len(messages), 'message')}", "dim"))
    for number, message in _few(messages, limit):
        if message is None:
            put((f"… {count_of(number, 'more message')}", "dim"), indent=2)
        else:
            put_message(message, limit)


def _few(messages: list[Any], limit: int | None) -> Iterator[tuple[int, Any]]:
    """The messages; of a long conversation the first and the last, and between them how many."""
    more = len(messages) - _FIRST - _LAST
    fold = limit is not None and more > 1
    for number, message in enumerate(messages):
        if not fold or number < _FIRST or number >= _FIRST + more:
            yield number, message
        elif number == _FIRST:
            yield more, None
